#include "transports/common/udp_socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "transports/common/port_sharing.hpp"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif

namespace mdp::transport {
namespace {

bool set_option(int fd, int level, int name, int value) noexcept {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

int read_option(int fd, int level, int name) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, name, &value, &size) == 0 ? value : 0;
}

const char* remedy(int error) noexcept {
  switch (error) {
    case EADDRINUSE:
      return " (choose another port, or 0 for any)";
    case EADDRNOTAVAIL:
      return " (no interface has this address; `ip addr` lists those that do)";
    case EACCES:
      return " (ports below 1024 need privileges)";
    case EAFNOSUPPORT:
      return " (this system has no such address family)";
    default:
      return "";
  }
}

// The default of the fabric: loopback, any port.
endpoint_address or_loopback(const endpoint_address& local) {
  if (local.family != address_family::none) return local;
  endpoint_address loopback;
  loopback.family = address_family::ipv4;
  loopback.ip = {127, 0, 0, 1};
  return loopback;
}

// The kernel doubles what it grants; one byte is lost where that would pass the largest int.
bool is_capped(std::uint32_t granted, std::uint32_t asked) noexcept {
  return granted / 2 + 1 < asked;
}

std::string capped_text(std::uint32_t granted, std::uint32_t asked, const char* sysctl) {
  return std::to_string(granted / 2) + " of " + std::to_string(asked) + " bytes (raise sysctl " +
         sysctl + ")";
}

// Newer kernels take 128 segments in one call, older ones 64: try, on sockets of our own.
std::uint32_t probe_segments(const udp_socket& socket) noexcept {
  std::array<std::byte, 128> bytes{};
  iovec part{bytes.data(), bytes.size()};
  socket_address to;
  msghdr message{};
  message.msg_namelen = to_socket_address(socket.local(), to);
  message.msg_name = &to;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  control_buffer control;
  write_tx_control(message, control, 1, buffer::ecn::not_ect, false);
  if (::sendmsg(socket.fd(), &message, MSG_DONTWAIT) == ssize_t{128}) return 128;
  part.iov_len = 64;
  if (::sendmsg(socket.fd(), &message, MSG_DONTWAIT) == ssize_t{64}) return 64;
  // A loopback that is down says nothing about trains: the first refused one will.
  return is_offload_refusal(errno) ? 1 : 64;
}

}  // namespace

udp_socket::udp_socket(const endpoint_address& wanted, const socket_options& options,
                       std::uint16_t sharers) {
  local_ = or_loopback(wanted);
  const int family = local_.family == address_family::ipv4   ? AF_INET
                     : local_.family == address_family::ipv6 ? AF_INET6
                                                             : AF_UNSPEC;
  if (family == AF_UNSPEC) {
    throw std::system_error(
        EAFNOSUPPORT, std::system_category(),
        "cannot open " + to_string(local_) + " as a UDP socket (give an IPv4 or IPv6 address)");
  }
  fd_ = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) {
    const int error = errno;
    throw std::system_error(error, std::system_category(),
                            "cannot open a UDP socket for " + to_string(local_) + remedy(error));
  }
  configure(options);
  configure_sharing(options.reuse_port || sharers > 1);
  bind_to(local_);
  if (sharers > 1) steer(sharers);
}

udp_socket::udp_socket(const udp_socket* of)
    : fd_(::fcntl(of->fd_, F_DUPFD_CLOEXEC, 0)),
      local_(of->local_),
      gso_(of->gso_),
      gro_(of->gro_),
      recv_buffer_(of->recv_buffer_),
      send_buffer_(of->send_buffer_) {
  if (fd_ < 0)
    give_up("open " + to_string(local_) + " a second time", " (raise the limit of open files)");
}

udp_socket::~udp_socket() {
  if (fd_ >= 0) ::close(fd_);
}

void udp_socket::configure(const socket_options& options) noexcept {
  const int recv_bytes = static_cast<int>(options.recv_buffer_bytes);
  const int send_bytes = static_cast<int>(options.send_buffer_bytes);
  if (!set_option(fd_, SOL_SOCKET, SO_RCVBUFFORCE, recv_bytes))
    set_option(fd_, SOL_SOCKET, SO_RCVBUF, recv_bytes);
  if (!set_option(fd_, SOL_SOCKET, SO_SNDBUFFORCE, send_bytes))
    set_option(fd_, SOL_SOCKET, SO_SNDBUF, send_bytes);
  recv_buffer_ = static_cast<std::uint32_t>(read_option(fd_, SOL_SOCKET, SO_RCVBUF));
  send_buffer_ = static_cast<std::uint32_t>(read_option(fd_, SOL_SOCKET, SO_SNDBUF));
  set_option(fd_, SOL_SOCKET, SO_RXQ_OVFL, 1);
  if (options.busy_poll_us > 0)
    set_option(fd_, SOL_SOCKET, SO_BUSY_POLL, static_cast<int>(options.busy_poll_us));
  if (options.prefer_busy_poll) set_option(fd_, SOL_SOCKET, SO_PREFER_BUSY_POLL, 1);
  // No fragments: a datagram above the path's limit is refused, or lost and found by probing.
  if (ipv6()) {
    set_option(fd_, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_option(fd_, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
    set_option(fd_, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  } else {
    set_option(fd_, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    set_option(fd_, IPPROTO_IP, IP_RECVTOS, 1);
  }
  gso_ = options.gso && set_option(fd_, IPPROTO_UDP, UDP_SEGMENT, 0);
  gro_ = options.gro && set_option(fd_, IPPROTO_UDP, UDP_GRO, 1);
}

// Throws with errno's reason; nothing stays open.
void udp_socket::give_up(const std::string& what, const char* remedy) {
  const int error = errno;
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  throw std::system_error(error, std::system_category(), "cannot " + what + remedy);
}

void udp_socket::configure_sharing(bool share) {
  if (share && !set_option(fd_, SOL_SOCKET, SO_REUSEPORT, 1))
    give_up("share " + to_string(local_), " (set reuse_port to false)");
}

void udp_socket::steer(std::uint16_t sharers) {
  if (!steer_by_sender(fd_, ipv6(), sharers))
    give_up("share " + to_string(local_) + " between threads",
            " (needs Linux 4.5; choose threads 'single')");
}

void udp_socket::bind_to(const endpoint_address& local) {
  socket_address address;
  socklen_t size = to_socket_address(local, address);
  if (::bind(fd_, &address.any, size) != 0) give_up("bind " + to_string(local), remedy(errno));
  size = sizeof address;
  if (::getsockname(fd_, &address.any, &size) == 0) local_ = from_socket_address(address);
}

capabilities probe_udp_capabilities(const socket_options& options) {
  capabilities caps;
  caps.datagram_bytes_max = udp_payload_bytes_max;
  caps.train_bytes_max = udp_payload_bytes_max;
  caps.rx_block_bytes = gro_block_bytes;
  caps.shares_port = true;
  const udp_socket socket(endpoint_address{}, options);
  if (socket.gso()) caps.segments_max = probe_segments(socket);
  // The kernel charges each datagram with its bookkeeping: 1400 bytes cost 2304. A third is safe
  // for anything near that size and for trains; a flood of tiny single datagrams fits less.
  caps.rx_capacity_bytes = socket.recv_buffer_bytes() / 3;
  return caps;
}

fabric_facts describe_shortfalls(const socket_options& options) {
  const udp_socket socket(endpoint_address{}, options);
  fabric_facts found;
  if (is_capped(socket.recv_buffer_bytes(), options.recv_buffer_bytes)) {
    found.emplace_back(
        "recv_buffer_capped",
        capped_text(socket.recv_buffer_bytes(), options.recv_buffer_bytes, "net.core.rmem_max"));
  }
  if (is_capped(socket.send_buffer_bytes(), options.send_buffer_bytes)) {
    found.emplace_back(
        "send_buffer_capped",
        capped_text(socket.send_buffer_bytes(), options.send_buffer_bytes, "net.core.wmem_max"));
  }
  if (options.gso && !socket.gso())
    found.emplace_back("gso_missing",
                       "trains go out datagram by datagram (Linux 4.18 has UDP_SEGMENT; a sandbox "
                       "must allow setsockopt to set it)");
  if (options.gro && !socket.gro())
    found.emplace_back("gro_missing",
                       "datagrams arrive one by one (Linux 5.0 has UDP_GRO; a sandbox must allow "
                       "setsockopt to set it)");
  return found;
}

}  // namespace mdp::transport
