#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "tests/bench/raw/raw_harness.hpp"

namespace mdp::raw_bench {
namespace {

constexpr std::size_t messages_per_call_max = 512;  // two iovecs each: the kernel's limit of 1024
constexpr std::size_t bytes_per_call = 1 << 20;     // more than the socket takes at once
constexpr std::size_t read_bytes = 256 * 1024;

void send_frames(const file& socket, std::size_t bytes, tally& sent) {
  const auto length = static_cast<std::uint32_t>(bytes);
  const std::size_t messages_per_call =
      std::clamp<std::size_t>(bytes_per_call / bytes, 2, messages_per_call_max);
  std::vector<std::uint32_t> heads(messages_per_call, length);
  std::vector<char> payload(bytes, 'm');
  const std::size_t frame = sizeof length + bytes;
  std::vector<iovec> parts(messages_per_call * 2);
  std::size_t offset = 0;  // of the first frame that is only partly written
  while (!sent.stopped()) {
    for (std::size_t i = 0; i < messages_per_call; ++i) {
      parts[2 * i] = {&heads[i], sizeof length};
      parts[2 * i + 1] = {payload.data(), bytes};
    }
    std::size_t first = 0;
    if (offset >= sizeof length) {
      first = 1;
      parts[1] = {payload.data() + (offset - sizeof length), bytes - (offset - sizeof length)};
    } else if (offset > 0) {
      parts[0] = {reinterpret_cast<char*>(heads.data()) + offset, sizeof length - offset};
    }
    msghdr message{};
    message.msg_iov = &parts[first];
    message.msg_iovlen = parts.size() - first;
    const ssize_t n = ::sendmsg(socket.fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n <= 0) continue;
    offset += static_cast<std::size_t>(n);
    sent.add(offset / frame);
    offset %= frame;
  }
}

// Finds each frame's end by its length, as a receiver must.
void receive_frames(const file& socket, std::size_t bytes, tally& arrived) {
  std::vector<char> buffer(read_bytes + sizeof(std::uint32_t) + bytes);
  std::size_t kept = 0;
  while (!arrived.stopped()) {
    const ssize_t n = ::recv(socket.fd(), buffer.data() + kept, read_bytes, MSG_DONTWAIT);
    if (n <= 0) continue;
    const std::size_t end = kept + static_cast<std::size_t>(n);
    std::size_t at = 0;
    std::uint64_t got = 0;
    while (end - at >= sizeof(std::uint32_t)) {
      std::uint32_t length = 0;
      std::memcpy(&length, buffer.data() + at, sizeof length);
      if (end - at < sizeof length + length) break;
      at += sizeof length + length;
      ++got;
    }
    arrived.add(got);
    kept = end - at;
    if (at > 0) std::memmove(buffer.data(), buffer.data() + at, kept);
  }
}

}  // namespace

rate framed_tcp(const options& o) {
  return guarded([&] {
    const tcp_pair pair = connected_tcp();
    return run_pair(
        o, [&](tally& sent) { send_frames(pair.from, o.message_bytes, sent); },
        [&](tally& arrived) { receive_frames(pair.to, o.message_bytes, arrived); });
  });
}

}  // namespace mdp::raw_bench
