// Conversion between endpoint_address and the kernel's socket addresses. Pure functions.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "mdp/base/endpoint_address.hpp"

namespace mdp::transport {

union socket_address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

// Fills `to` and returns its length; 0 when the family is not one of the kernel's.
[[nodiscard]] inline socklen_t to_socket_address(const endpoint_address& from,
                                                 socket_address& to) noexcept {
  if (from.family == address_family::ipv4) {
    to.v4 = {};
    to.v4.sin_family = AF_INET;
    to.v4.sin_port = htons(from.port);
    std::memcpy(&to.v4.sin_addr, from.ip.data(), sizeof to.v4.sin_addr);
    return sizeof to.v4;
  }
  if (from.family == address_family::ipv6) {
    to.v6 = {};
    to.v6.sin6_family = AF_INET6;
    to.v6.sin6_port = htons(from.port);
    to.v6.sin6_scope_id = from.scope_id;
    std::memcpy(&to.v6.sin6_addr, from.ip.data(), sizeof to.v6.sin6_addr);
    return sizeof to.v6;
  }
  return 0;
}

[[nodiscard]] inline endpoint_address from_socket_address(const socket_address& from) noexcept {
  endpoint_address to;
  if (from.any.sa_family == AF_INET) {
    to.family = address_family::ipv4;
    to.port = ntohs(from.v4.sin_port);
    std::memcpy(to.ip.data(), &from.v4.sin_addr, sizeof from.v4.sin_addr);
  } else if (from.any.sa_family == AF_INET6) {
    to.family = address_family::ipv6;
    to.port = ntohs(from.v6.sin6_port);
    to.scope_id = from.v6.sin6_scope_id;
    std::memcpy(to.ip.data(), &from.v6.sin6_addr, sizeof from.v6.sin6_addr);
  }
  return to;
}

}  // namespace mdp::transport
