#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "tests/bench/raw/raw_harness.hpp"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace mdp::raw_bench {
namespace {

constexpr std::size_t batch = 64;
constexpr std::size_t trains_per_call = 16;
constexpr std::size_t segments_max = 128;
constexpr std::size_t train_bytes_max = 65507;

void send_plainly(const file& socket, const sockaddr_in& to, std::size_t bytes, tally& sent) {
  union {
    sockaddr any;
    sockaddr_in v4;
  } address{};
  address.v4 = to;
  const std::vector<char> message(bytes, 'm');
  while (!sent.stopped()) {
    sent.add(::sendto(socket.fd(), message.data(), bytes, 0, &address.any, sizeof address.v4) > 0);
  }
}

void receive_singly(const file& socket, std::size_t bytes, int flags, tally& arrived) {
  std::vector<char> message(bytes);
  while (!arrived.stopped()) {
    arrived.add(::recvfrom(socket.fd(), message.data(), bytes, flags, nullptr, nullptr) > 0);
  }
}

// `count` messages of `bytes` each, all over the same memory.
struct message_block {
  // Every message names its receiver: the socket is not connected.
  void address_to(const sockaddr_in& to) {
    address = to;
    for (mmsghdr& head : heads) {
      head.msg_hdr.msg_name = &address;
      head.msg_hdr.msg_namelen = sizeof address;
    }
  }
  message_block(std::size_t count, std::size_t bytes, std::size_t stride)
      : memory(stride * count, 'm'), parts(count), heads(count), controls(count) {
    for (std::size_t i = 0; i < count; ++i) {
      parts[i] = {memory.data() + stride * i, bytes};
      heads[i].msg_hdr.msg_iov = &parts[i];
      heads[i].msg_hdr.msg_iovlen = 1;
    }
  }
  struct control {
    alignas(cmsghdr) char bytes[64];
  };
  sockaddr_in address{};
  std::vector<char> memory;
  std::vector<iovec> parts;
  std::vector<mmsghdr> heads;
  std::vector<control> controls;
};

void send_in_batches(const file& socket, message_block& block, std::uint64_t per_message,
                     tally& sent) {
  while (!sent.stopped()) {
    const int n =
        ::sendmmsg(socket.fd(), block.heads.data(), static_cast<unsigned>(block.heads.size()), 0);
    if (n > 0) sent.add(static_cast<std::uint64_t>(n) * per_message);
  }
}

void receive_in_batches(const file& socket, std::size_t bytes, tally& arrived) {
  message_block block(batch, bytes, bytes);
  while (!arrived.stopped()) {
    const int n = ::recvmmsg(socket.fd(), block.heads.data(), batch, MSG_DONTWAIT, nullptr);
    if (n > 0) arrived.add(static_cast<std::uint64_t>(n));
  }
}

// Counts messages in merged datagrams: the kernel says how large each piece is.
void receive_merged(const file& socket, std::size_t bytes, tally& arrived) {
  message_block block(batch, 65536, 65536);
  while (!arrived.stopped()) {
    for (std::size_t i = 0; i < batch; ++i) {
      block.heads[i].msg_hdr.msg_control = block.controls[i].bytes;
      block.heads[i].msg_hdr.msg_controllen = sizeof block.controls[i].bytes;
    }
    const int n = ::recvmmsg(socket.fd(), block.heads.data(), batch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < n; ++i) {
      mmsghdr& head = block.heads[static_cast<std::size_t>(i)];
      int segment = static_cast<int>(bytes);
      for (cmsghdr* c = CMSG_FIRSTHDR(&head.msg_hdr); c; c = CMSG_NXTHDR(&head.msg_hdr, c)) {
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
          std::memcpy(&segment, CMSG_DATA(c), sizeof segment);
      }
      if (segment > 0) arrived.add(head.msg_len / static_cast<unsigned>(segment));
    }
  }
}

// Says where the messages go: once, by connecting, or with each of them.
void aim(const file& socket, message_block& block, const sockaddr_in& to, const options& o) {
  if (o.connected) {
    connect_to(socket, to);
  } else {
    block.address_to(to);
  }
}

bool takes(const file& socket, const sockaddr_in& to, const std::vector<char>& datagram) {
  union {
    sockaddr any;
    sockaddr_in v4;
  } address{};
  address.v4 = to;
  return ::sendto(socket.fd(), datagram.data(), datagram.size(), 0, &address.any,
                  sizeof address.v4) >= 0;
}

}  // namespace

rate plain_sendto(const options& o) {
  return guarded([&] {
    const file to = udp_socket();
    const sockaddr_in address = bind_loopback(to);
    const file from = udp_socket();
    return run_pair(
        o, [&](tally& sent) { send_plainly(from, address, o.message_bytes, sent); },
        [&](tally& arrived) { receive_singly(to, o.message_bytes, 0, arrived); });
  });
}

rate connected_spinning(const options& o) {
  return guarded([&] {
    const file to = udp_socket();
    const file from = udp_socket();
    connect_to(from, bind_loopback(to));
    const std::vector<char> message(o.message_bytes, 'm');
    return run_pair(
        o,
        [&](tally& sent) {
          while (!sent.stopped())
            sent.add(::send(from.fd(), message.data(), message.size(), 0) > 0);
        },
        [&](tally& arrived) { receive_singly(to, o.message_bytes, MSG_DONTWAIT, arrived); });
  });
}

rate batched_mmsg(const options& o) {
  return guarded([&] {
    const file to = udp_socket();
    const file from = udp_socket();
    const sockaddr_in address = bind_loopback(to);
    message_block block(batch, o.message_bytes, o.message_bytes);
    aim(from, block, address, o);
    return run_pair(
        o, [&](tally& sent) { send_in_batches(from, block, 1, sent); },
        [&](tally& arrived) { receive_in_batches(to, o.message_bytes, arrived); });
  });
}

rate segmented_gso_gro(const options& o) {
  return guarded([&] {
    const file to = udp_socket();
    const file from = udp_socket();
    const sockaddr_in address = bind_loopback(to);
    set_option(to, IPPROTO_UDP, UDP_GRO, 1, "this kernel has no UDP_GRO");
    set_option(from, IPPROTO_UDP, UDP_SEGMENT, static_cast<int>(o.message_bytes),
               "this kernel has no UDP_SEGMENT");
    std::size_t segments = std::min(segments_max, train_bytes_max / o.message_bytes);
    const std::vector<char> trial(segments * o.message_bytes);
    // Older kernels take 64 segments at most.
    if (!takes(from, address, trial)) segments = std::min(segments, batch);
    const std::size_t bytes = segments * o.message_bytes;
    message_block block(trains_per_call, bytes, bytes);
    aim(from, block, address, o);
    return run_pair(
        o, [&](tally& sent) { send_in_batches(from, block, segments, sent); },
        [&](tally& arrived) { receive_merged(to, o.message_bytes, arrived); });
  });
}

}  // namespace mdp::raw_bench
