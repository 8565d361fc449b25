#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstring>
#include <vector>

#include "tests/bench/raw/raw_harness.hpp"

namespace mdp::raw_bench {
namespace {

constexpr std::size_t messages_per_call = 512;  // two iovecs each: the kernel's limit of 1024
constexpr std::size_t read_bytes = 256 * 1024;

std::uint64_t send_frames(const file& socket, std::size_t bytes, const stop_flag& stop) {
  const auto length = static_cast<std::uint32_t>(bytes);
  std::vector<std::uint32_t> heads(messages_per_call, length);
  std::vector<char> payload(bytes, 'm');
  const std::size_t frame = sizeof length + bytes;
  std::vector<iovec> parts(messages_per_call * 2);
  std::uint64_t written = 0;
  std::size_t offset = 0;  // of the first frame that is only partly written
  while (!stop.load(std::memory_order_relaxed)) {
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
    written += static_cast<std::uint64_t>(n);
    offset = (offset + static_cast<std::size_t>(n)) % frame;
  }
  return written / frame;
}

// Finds each frame's end by its length, as a receiver must.
std::uint64_t receive_frames(const file& socket, std::size_t bytes, const stop_flag& stop) {
  std::vector<char> buffer(read_bytes + sizeof(std::uint32_t) + bytes);
  std::size_t kept = 0;
  std::uint64_t got = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    const ssize_t n = ::recv(socket.fd(), buffer.data() + kept, read_bytes, MSG_DONTWAIT);
    if (n <= 0) continue;
    const std::size_t end = kept + static_cast<std::size_t>(n);
    std::size_t at = 0;
    while (end - at >= sizeof(std::uint32_t)) {
      std::uint32_t length = 0;
      std::memcpy(&length, buffer.data() + at, sizeof length);
      if (end - at < sizeof length + length) break;
      at += sizeof length + length;
      ++got;
    }
    kept = end - at;
    std::memmove(buffer.data(), buffer.data() + at, kept);
  }
  return got;
}

}  // namespace

rate framed_tcp(const options& o) {
  return guarded([&] {
    const file listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                        "cannot open a TCP socket");
    const sockaddr_in address = bind_loopback(listener);
    file from(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "cannot open a TCP socket");
    if (::listen(listener.fd(), 1) != 0) return rate{.note = "cannot listen on 127.0.0.1"};
    connect_to(from, address);
    const file to(::accept(listener.fd(), nullptr, nullptr), "cannot accept a TCP connection");
    set_option(from, IPPROTO_TCP, TCP_NODELAY, 1, "cannot set TCP_NODELAY");
    return run_pair(
        o, [&](const stop_flag& stop) { return send_frames(from, o.message_bytes, stop); },
        [&](const stop_flag& stop) { return receive_frames(to, o.message_bytes, stop); });
  });
}

}  // namespace mdp::raw_bench
