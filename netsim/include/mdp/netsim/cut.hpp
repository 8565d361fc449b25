// How a network is cut into partitions. Pure functions; the same cut on every machine.
#pragma once
#include <cstdint>
#include <vector>

#include "mdp/netsim/topology.hpp"

namespace mdp::netsim {

// From the moment that a packet is offered to such a link it comes out no earlier than so much
// later; 0: at once, or nobody knows.
[[nodiscard]] std::int64_t least_delay_ns(const link_spec& link);

// The partition of each router, 0 .. partitions - 1; in the end there may be fewer. Partitions have
// about as many routers each, and are cut at the trunks with the largest delays; trunks without
// delay are never cut.
[[nodiscard]] std::vector<std::uint32_t> cut_at_trunks(const topology_spec& topology,
                                                       std::uint32_t partitions);

}  // namespace mdp::netsim
