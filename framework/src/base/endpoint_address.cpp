#include "mdp/base/endpoint_address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

namespace mdp {
namespace {

template <class Int>
bool parse_number(std::string_view text, Int& value) {
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end && !text.empty();
}

result<endpoint_address, std::string> bad(std::string_view text, std::string_view why) {
  return failure(
      fmt::format("'{}' is not an address: {} (numbers only, no names: 127.0.0.1:4433, [::1]:4433)",
                  text, why));
}

}  // namespace

std::string to_string(const endpoint_address& a) {
  char text[INET6_ADDRSTRLEN] = "";
  switch (a.family) {
    case address_family::ipv4:
      inet_ntop(AF_INET, a.ip.data(), text, sizeof text);
      return fmt::format("{}:{}", text, a.port);
    case address_family::ipv6:
      inet_ntop(AF_INET6, a.ip.data(), text, sizeof text);
      return a.scope_id ? fmt::format("[{}%{}]:{}", text, a.scope_id, a.port)
                        : fmt::format("[{}]:{}", text, a.port);
    case address_family::simulated:
      return fmt::format("sim:{}:{}", simulated_node(a), a.port);
    case address_family::none:
      break;
  }
  return "none";
}

result<endpoint_address, std::string> parse_endpoint_address(std::string_view text) {
  endpoint_address a;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad(text, "no ':port'");
  if (!parse_number(text.substr(colon + 1), a.port)) return bad(text, "the port is not 0..65535");
  std::string host(text.substr(0, colon));
  if (host.starts_with("sim:")) {
    std::uint32_t node = 0;
    if (!parse_number(std::string_view(host).substr(4), node)) return bad(text, "bad node number");
    return simulated_address(node, a.port);
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (const auto percent = host.find('%'); percent != std::string::npos) {
      if (!parse_number(std::string_view(host).substr(percent + 1), a.scope_id))
        return bad(text, "the scope after '%' is not a number");
      host.resize(percent);
    }
    a.family = address_family::ipv6;
    if (inet_pton(AF_INET6, host.c_str(), a.ip.data()) != 1) return bad(text, "bad IPv6 address");
    return a;
  }
  a.family = address_family::ipv4;
  if (inet_pton(AF_INET, host.c_str(), a.ip.data()) != 1) return bad(text, "bad IPv4 address");
  return a;
}

endpoint_address simulated_address(std::uint32_t node, std::uint16_t port) {
  endpoint_address a;
  for (unsigned i = 0; i < 4; ++i) a.ip[i] = static_cast<std::uint8_t>(node >> (24 - 8 * i));
  a.port = port;
  a.family = address_family::simulated;
  return a;
}

std::uint32_t simulated_node(const endpoint_address& a) {
  return std::uint32_t{a.ip[0]} << 24 | std::uint32_t{a.ip[1]} << 16 | std::uint32_t{a.ip[2]} << 8 |
         std::uint32_t{a.ip[3]};
}

}  // namespace mdp
