// When the processes of nodes end and begin: the faults `crash` and `restart`, as one list.
#pragma once
#include <string>
#include <vector>

#include "mdp/netsim/fault_timeline.hpp"
#include "mdp/transport/transport.hpp"

namespace mdp::netsim {

// Of these nodes, by time, then node. Faults of one node that overlap or touch are one: its process
// begins again when the last of them is over.
[[nodiscard]] std::vector<transport::process_change> process_plan(
    const std::vector<node_fault>& faults, const std::vector<std::string>& nodes);

}  // namespace mdp::netsim
