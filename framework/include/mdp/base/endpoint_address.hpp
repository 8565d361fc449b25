// Where a datagram comes from or goes to: a plain value, no state anywhere.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "mdp/base/result.hpp"

namespace mdp {

enum class address_family : std::uint8_t {
  none = 0,
  ipv4 = 4,
  ipv6 = 6,
  simulated = 9,  // node number in the first four bytes of `ip`, big-endian
};

// 24 bytes, compared member by member. `ip` is in network byte order (IPv4 in its first 4 bytes,
// the rest zero); `port` in host byte order. `local` is no part of the text: of a node with several
// ports, the one that this address is reached through (node_options::more_locals); else 0.
struct endpoint_address {
  std::array<std::uint8_t, 16> ip{};
  std::uint32_t scope_id = 0;
  std::uint16_t port = 0;
  address_family family = address_family::none;
  std::uint8_t local = 0;

  friend bool operator==(const endpoint_address&, const endpoint_address&) = default;
};

// "127.0.0.1:4433", "[::1]:4433", "[fe80::1%2]:4433" (numeric scope), "sim:17:4433"; the inverse of
// parse_endpoint_address. An empty address prints as "none".
[[nodiscard]] std::string to_string(const endpoint_address& address);

// Numeric addresses only, no name look-up. The error is one sentence fit for a user.
[[nodiscard]] result<endpoint_address, std::string> parse_endpoint_address(std::string_view text);

[[nodiscard]] endpoint_address simulated_address(std::uint32_t node, std::uint16_t port = 1);
[[nodiscard]] std::uint32_t simulated_node(const endpoint_address& address);

}  // namespace mdp
