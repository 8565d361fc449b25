// Routers, the trunks between them, and the shortest ways. Every node hangs on one router by a link
// of its own; a star has one router and no trunk. Plain values.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mdp/netsim/link_spec.hpp"

namespace mdp::netsim {

inline constexpr std::uint32_t routers_max = 1024;

struct trunk_spec {
  std::uint32_t from = 0;  // router
  std::uint32_t to = 0;
  link_spec forth;  // from -> to
  link_spec back;
};

struct topology_spec {
  std::vector<std::string> routers{"centre"};
  std::vector<trunk_spec> trunks;
  std::map<std::string, std::uint32_t> homes;  // node or group of nodes -> router

  // Of the node's own name, else of its group, else the routers in turn.
  [[nodiscard]] std::uint32_t home_of(const std::string& node, std::uint32_t number) const;
};

// "client" for "client-7"; empty when the name has no number behind a dash.
[[nodiscard]] std::string group_of(const std::string& node);

inline constexpr std::uint32_t no_way = 0xffffffffu;

// Which trunk to take. Trunk t is wire 2t forth and wire 2t + 1 back.
class route_table {
 public:
  route_table() = default;
  // Least sum of delays; of equals the fewest trunks, then the trunk that is named first.
  explicit route_table(const topology_spec& spec);
  // The wire that leaves router `at` for router `to` (another one), or no_way.
  [[nodiscard]] std::uint32_t next(std::uint32_t at, std::uint32_t to) const noexcept {
    return wires_[std::size_t{to} * routers_ + at];
  }

 private:
  void find_ways(const topology_spec& spec, std::uint32_t to);

  std::size_t routers_ = 0;
  std::vector<std::uint32_t> wires_;  // [to][at]
};

}  // namespace mdp::netsim
