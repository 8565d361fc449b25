// Control messages and gather lists of single datagrams.
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "transports/common/udp_socket.hpp"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace mdp::transport {
namespace {

constexpr int blocked_wait_ms = 1;

template <class Value>
void append_control(control_buffer& room, std::size_t& used, int level, int type,
                    Value value) noexcept {
  cmsghdr head{};
  head.cmsg_len = CMSG_LEN(sizeof value);
  head.cmsg_level = level;
  head.cmsg_type = type;
  std::memset(room.bytes.data() + used, 0, CMSG_SPACE(sizeof value));
  std::memcpy(room.bytes.data() + used, &head, sizeof head);
  std::memcpy(room.bytes.data() + used + CMSG_LEN(0), &value, sizeof value);
  used += CMSG_SPACE(sizeof value);
}

template <class Value>
Value control_value(const cmsghdr* c) noexcept {
  Value value{};
  std::memcpy(&value, CMSG_DATA(c), std::min(sizeof value, c->cmsg_len - CMSG_LEN(0)));
  return value;
}

// Sends one datagram of a train; false when the rest would be refused just the same.
bool send_one(int fd, msghdr& message, counters& counts) noexcept {
  for (bool waited = false;;) {
    ++counts.tx_calls;
    const ssize_t sent = ::sendmsg(fd, &message, MSG_DONTWAIT);
    if (sent >= 0) {
      ++counts.tx_datagrams;
      counts.tx_bytes += static_cast<std::uint64_t>(sent);
      return true;
    }
    if (errno == EINTR) continue;
    if (is_path_error(errno)) {
      ++counts.path_errors;
      if (waited) return false;
      waited = true;
      continue;
    }
    if (!is_shortage(errno) || waited) return false;
    ++counts.tx_blocked;
    pollfd writable{fd, POLLOUT, 0};
    ::poll(&writable, 1, blocked_wait_ms);
    waited = true;
  }
}

}  // namespace

void write_tx_control(msghdr& message, control_buffer& room, std::uint16_t segment_bytes,
                      buffer::ecn codepoint, bool ipv6) noexcept {
  std::size_t used = 0;
  if (segment_bytes > 0) append_control(room, used, IPPROTO_UDP, UDP_SEGMENT, segment_bytes);
  if (codepoint != buffer::ecn::not_ect) {
    append_control(room, used, ipv6 ? static_cast<int>(IPPROTO_IPV6) : static_cast<int>(IPPROTO_IP),
                   ipv6 ? IPV6_TCLASS : IP_TOS, static_cast<int>(codepoint));
  }
  message.msg_control = used > 0 ? room.bytes.data() : nullptr;
  message.msg_controllen = used;
}

rx_control read_rx_control(msghdr& message) noexcept {
  rx_control found;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
      found.segment_bytes = static_cast<std::uint16_t>(control_value<int>(c));
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      found.has_overflow = true;
      found.overflow = control_value<std::uint32_t>(c);
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
      found.codepoint = static_cast<buffer::ecn>(control_value<std::uint8_t>(c) & 3);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
      found.codepoint = static_cast<buffer::ecn>(control_value<int>(c) & 3);
    }
  }
  return found;
}

bool is_shortage(int error) noexcept {
  return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

bool is_path_error(int error) noexcept {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
         error == EHOSTDOWN || error == ENETDOWN || error == EPROTO;
}

bool is_route_refusal(int error) noexcept {
  return error == EIO || error == EINVAL || error == EOPNOTSUPP;
}

bool is_offload_refusal(int error) noexcept {
  return is_route_refusal(error) || error == EMSGSIZE;
}

std::size_t gather(const buffer::tx_datagrams& item, std::uint32_t offset, std::uint32_t bytes,
                   std::span<iovec> room) noexcept {
  std::size_t used = 0;
  for (const buffer::slice& part : item.parts) {
    if (bytes == 0) break;
    if (offset >= part.size()) {
      offset -= part.size();
      continue;
    }
    std::byte* from = part.data() + offset;
    const std::uint32_t size = std::min(part.size() - offset, bytes);
    offset = 0;
    bytes -= size;
    if (used > 0) {
      iovec& last = room[used - 1];
      if (static_cast<std::byte*>(last.iov_base) + last.iov_len == from) {
        last.iov_len += size;
        continue;
      }
    }
    if (used == room.size()) return 0;
    room[used++] = {from, size};
  }
  return used;
}

void send_unsegmented(int fd, const buffer::tx_datagrams& item, counters& counts) noexcept {
  std::array<iovec, parts_per_call_max> parts;
  socket_address to;
  control_buffer control;
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = to_socket_address(item.to, to);
  message.msg_iov = parts.data();
  write_tx_control(message, control, 0, item.codepoint, item.to.family == address_family::ipv6);
  ++counts.tx_unsegmented;
  const std::uint32_t step = item.segment_bytes ? item.segment_bytes : std::max(item.bytes, 1u);
  std::uint32_t offset = 0;
  do {
    const std::uint32_t size = std::min(step, item.bytes - offset);
    message.msg_iovlen = gather(item, offset, size, parts);
    const bool whole = message.msg_iovlen > 0 || size == 0;
    if (!whole || !send_one(fd, message, counts)) ++counts.tx_rejected;
    offset += size;
  } while (offset < item.bytes);
}

}  // namespace mdp::transport
