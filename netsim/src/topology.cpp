#include "mdp/netsim/topology.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace mdp::netsim {
namespace {

struct distance {
  std::int64_t delay_ns = std::numeric_limits<std::int64_t>::max();
  std::uint32_t trunks = 0;

  friend bool operator<(const distance& a, const distance& b) {
    return std::tie(a.delay_ns, a.trunks) < std::tie(b.delay_ns, b.trunks);
  }
};

}  // namespace

std::string group_of(const std::string& node) {
  const std::size_t dash = node.rfind('-');
  const bool numbered = dash != std::string::npos &&
                        node.find_first_not_of("0123456789", dash + 1) == std::string::npos;
  return numbered ? node.substr(0, dash) : std::string();
}

std::uint32_t topology_spec::home_of(const std::string& node, std::uint32_t number) const {
  auto found = homes.find(node);
  if (found == homes.end()) found = homes.find(group_of(node));
  if (found != homes.end()) return found->second;
  return number % static_cast<std::uint32_t>(routers.size());
}

route_table::route_table(const topology_spec& spec)
    : routers_(spec.routers.size()), wires_(routers_ * routers_, no_way) {
  for (std::uint32_t to = 0; to < routers_; ++to) find_ways(spec, to);
}

// Bellman and Ford from the destination: at most routers - 1 rounds, few in practice. A wire
// replaces another only when it is strictly shorter, so the first named of equals stays.
void route_table::find_ways(const topology_spec& spec, std::uint32_t to) {
  std::vector<distance> away(routers_);
  away[to].delay_ns = 0;
  const auto relax = [&](std::uint32_t at, std::uint32_t beyond, std::int64_t delay_ns,
                         std::uint32_t wire) {
    const distance& rest = away[beyond];
    if (rest.delay_ns == std::numeric_limits<std::int64_t>::max()) return false;
    const distance through{rest.delay_ns + delay_ns, rest.trunks + 1};
    if (!(through < away[at])) return false;
    away[at] = through;
    wires_[std::size_t{to} * routers_ + at] = wire;
    return true;
  };
  for (bool better = true; better;) {
    better = false;
    for (std::uint32_t t = 0; t < spec.trunks.size(); ++t) {
      const trunk_spec& trunk = spec.trunks[t];
      better |= relax(trunk.from, trunk.to, trunk.forth.delay_ns, t * 2);
      better |= relax(trunk.to, trunk.from, trunk.back.delay_ns, t * 2 + 1);
    }
  }
}

}  // namespace mdp::netsim
