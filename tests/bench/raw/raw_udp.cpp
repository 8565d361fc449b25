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

std::uint64_t send_plainly(const file& socket, const sockaddr_in& to, std::size_t bytes,
                           const stop_flag& stop) {
  union {
    sockaddr any;
    sockaddr_in v4;
  } address{};
  address.v4 = to;
  const std::vector<char> message(bytes, 'm');
  std::uint64_t sent = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    sent += ::sendto(socket.fd(), message.data(), bytes, 0, &address.any, sizeof address.v4) > 0;
  }
  return sent;
}

std::uint64_t receive_singly(const file& socket, std::size_t bytes, int flags,
                             const stop_flag& stop) {
  std::vector<char> message(bytes);
  std::uint64_t got = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    got += ::recvfrom(socket.fd(), message.data(), bytes, flags, nullptr, nullptr) > 0;
  }
  return got;
}

// `count` messages of `bytes` each, all over the same memory.
struct message_block {
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
  std::vector<char> memory;
  std::vector<iovec> parts;
  std::vector<mmsghdr> heads;
  std::vector<control> controls;
};

std::uint64_t send_in_batches(const file& socket, message_block& block, std::uint64_t per_message,
                              const stop_flag& stop) {
  std::uint64_t sent = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    const int n =
        ::sendmmsg(socket.fd(), block.heads.data(), static_cast<unsigned>(block.heads.size()), 0);
    if (n > 0) sent += static_cast<std::uint64_t>(n) * per_message;
  }
  return sent;
}

std::uint64_t receive_in_batches(const file& socket, std::size_t bytes, const stop_flag& stop) {
  message_block block(batch, bytes, bytes);
  std::uint64_t got = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    const int n = ::recvmmsg(socket.fd(), block.heads.data(), batch, MSG_DONTWAIT, nullptr);
    if (n > 0) got += static_cast<std::uint64_t>(n);
  }
  return got;
}

// Counts messages in merged datagrams: the kernel says how large each piece is.
std::uint64_t receive_merged(const file& socket, std::size_t bytes, const stop_flag& stop) {
  message_block block(batch, 65536, 65536);
  std::uint64_t got = 0;
  while (!stop.load(std::memory_order_relaxed)) {
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
      if (segment > 0) got += head.msg_len / static_cast<unsigned>(segment);
    }
  }
  return got;
}

}  // namespace

rate plain_sendto(const options& o) {
  return guarded([&] {
    const file to = udp_socket();
    const sockaddr_in address = bind_loopback(to);
    const file from = udp_socket();
    return run_pair(
        o,
        [&](const stop_flag& stop) { return send_plainly(from, address, o.message_bytes, stop); },
        [&](const stop_flag& stop) { return receive_singly(to, o.message_bytes, 0, stop); });
  });
}

rate connected_spinning(const options& o) {
  return guarded([&] {
    const file to = udp_socket();
    const file from = udp_socket();
    connect_to(from, bind_loopback(to));
    message_block one(1, o.message_bytes, o.message_bytes);
    return run_pair(
        o,
        [&](const stop_flag& stop) {
          std::uint64_t sent = 0;
          while (!stop.load(std::memory_order_relaxed))
            sent += ::send(from.fd(), one.memory.data(), o.message_bytes, 0) > 0;
          return sent;
        },
        [&](const stop_flag& stop) {
          return receive_singly(to, o.message_bytes, MSG_DONTWAIT, stop);
        });
  });
}

rate batched_mmsg(const options& o) {
  return guarded([&] {
    const file to = udp_socket();
    const file from = udp_socket();
    connect_to(from, bind_loopback(to));
    message_block block(batch, o.message_bytes, o.message_bytes);
    return run_pair(
        o, [&](const stop_flag& stop) { return send_in_batches(from, block, 1, stop); },
        [&](const stop_flag& stop) { return receive_in_batches(to, o.message_bytes, stop); });
  });
}

rate segmented_gso_gro(const options& o) {
  return guarded([&] {
    const file to = udp_socket();
    const file from = udp_socket();
    connect_to(from, bind_loopback(to));
    set_option(to, IPPROTO_UDP, UDP_GRO, 1, "this kernel has no UDP_GRO");
    set_option(from, IPPROTO_UDP, UDP_SEGMENT, static_cast<int>(o.message_bytes),
               "this kernel has no UDP_SEGMENT");
    std::size_t segments = std::min(segments_max, train_bytes_max / o.message_bytes);
    const std::vector<char> trial(segments * o.message_bytes);
    // Older kernels take 64 segments at most.
    if (::send(from.fd(), trial.data(), trial.size(), 0) < 0) segments = std::min(segments, batch);
    const std::size_t bytes = segments * o.message_bytes;
    message_block block(trains_per_call, bytes, bytes);
    return run_pair(
        o, [&](const stop_flag& stop) { return send_in_batches(from, block, segments, stop); },
        [&](const stop_flag& stop) { return receive_merged(to, o.message_bytes, stop); });
  });
}

}  // namespace mdp::raw_bench
