// A bound UDP socket with everything that both kernel transports want switched on, and the control
// messages that go with each datagram. The descriptor is in blocking mode, so that io_uring waits
// for room by itself; every direct call says MSG_DONTWAIT.
//
// Ownership: udp_socket owns its descriptor. Threading: as a transport's. Errors: opening throws
// std::system_error naming the address and the remedy; everything else reports by value.
#pragma once
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <string>

#include "mdp/transport/transport.hpp"
#include "transports/common/refused_routes.hpp"
#include "transports/common/sockaddr.hpp"
#include "transports/common/socket_options.hpp"

namespace mdp::transport {

inline constexpr std::uint32_t udp_payload_bytes_max = 65507;
// IPv6 on a loopback MTU of 65536, without fragmentation.
inline constexpr std::uint32_t udp6_payload_bytes_max = 65487;
// A merged receive can be as large as the largest packet; the kernel truncates into anything
// smaller.
inline constexpr std::uint32_t gro_block_bytes = 65536;
inline constexpr std::size_t parts_per_call_max = 1024;  // UIO_MAXIOV

class udp_socket {
 public:
  // `sharers`: of open_options.
  udp_socket(const endpoint_address& local, const socket_options& options,
             std::uint16_t sharers = 1);
  // Another descriptor of the same socket, for a thread that only sends.
  [[nodiscard]] static udp_socket second_handle(const udp_socket& of) { return udp_socket(&of); }
  ~udp_socket();
  udp_socket(const udp_socket&) = delete;
  udp_socket& operator=(const udp_socket&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const endpoint_address& local() const noexcept { return local_; }
  [[nodiscard]] bool ipv6() const noexcept { return local_.family == address_family::ipv6; }
  [[nodiscard]] bool gso() const noexcept { return gso_; }
  // Where a device without checksum offload, or the like, refused a train.
  [[nodiscard]] refused_routes& refused() noexcept { return refused_; }
  [[nodiscard]] const refused_routes& refused() const noexcept { return refused_; }
  [[nodiscard]] bool gro() const noexcept { return gro_; }
  // SO_RCVBUF as the kernel really set it, bookkeeping included.
  [[nodiscard]] std::uint32_t recv_buffer_bytes() const noexcept { return recv_buffer_; }
  // The same of SO_SNDBUF.
  [[nodiscard]] std::uint32_t send_buffer_bytes() const noexcept { return send_buffer_; }

 private:
  explicit udp_socket(const udp_socket* of);
  void configure(const socket_options& options) noexcept;
  void configure_sharing(bool share);
  void steer(std::uint16_t sharers);
  [[noreturn]] void give_up(const std::string& what, const char* remedy);
  void bind_to(const endpoint_address& local);

  int fd_ = -1;
  endpoint_address local_;
  refused_routes refused_;
  bool gso_ = false;
  bool gro_ = false;
  std::uint32_t recv_buffer_ = 0;
  std::uint32_t send_buffer_ = 0;
};

// What transports over such sockets can do, found by trying on a throw-away loopback socket.
[[nodiscard]] capabilities probe_udp_capabilities(const socket_options& options);

// What the kernel gave less of than was asked, under "recv_buffer_capped", "send_buffer_capped",
// "gso_missing" and "gro_missing", each with its remedy; empty when everything was given.
// Allocates: for reports, not for the path of a datagram. Throws as udp_socket.
[[nodiscard]] fabric_facts describe_shortfalls(const socket_options& options);

// Room for the control messages of one datagram, either way.
struct control_buffer {
  alignas(cmsghdr) std::array<std::byte, 128> bytes;
};

// Adds UDP_SEGMENT and the ECN codepoint to `message`, using `room`. The address family decides the
// latter.
void write_tx_control(msghdr& message, control_buffer& room, std::uint16_t segment_bytes,
                      buffer::ecn codepoint, bool ipv6) noexcept;

struct rx_control {
  std::uint16_t segment_bytes = 0;
  buffer::ecn codepoint = buffer::ecn::not_ect;
  bool has_overflow = false;
  std::uint32_t overflow = 0;  // SO_RXQ_OVFL: drops of this socket so far, modulo 2^32
};
[[nodiscard]] rx_control read_rx_control(msghdr& message) noexcept;

// True for errors that pass: there is no room, or no memory, at the moment.
[[nodiscard]] bool is_shortage(int error) noexcept;
// True for errors that come from a path (ICMP) and not from this call.
[[nodiscard]] bool is_path_error(int error) noexcept;
// True for refusals that come from the route, whatever the size: worth remembering.
[[nodiscard]] bool is_route_refusal(int error) noexcept;
// True for refusals that a send without segmentation may not meet.
[[nodiscard]] bool is_offload_refusal(int error) noexcept;

// Describes `item` in iovecs, merging neighbours that touch. Returns how many; 0 when `room` is too
// small. `offset` and `bytes` choose a part of the item.
[[nodiscard]] std::size_t gather(const buffer::tx_datagrams& item, std::uint32_t offset,
                                 std::uint32_t bytes, std::span<iovec> room) noexcept;

[[nodiscard]] inline std::uint64_t datagrams_in(std::uint32_t bytes,
                                                std::uint16_t segment) noexcept {
  return segment == 0 || bytes <= segment ? 1u : (bytes + segment - 1u) / segment;
}

// Sends a train datagram by datagram, now. What the kernel still has no room for after a short
// wait, or refuses, is dropped and counted: the train was taken as a whole and has its place in the
// order.
void send_unsegmented(int fd, const buffer::tx_datagrams& item, counters& counts) noexcept;

}  // namespace mdp::transport
