// The key "faults" of the options. Throws options_error.
#pragma once
#include "mdp/netsim/options.hpp"
#include "option_tree.hpp"

namespace mdp::netsim {

void read_faults(const option_value& v, network_options& options);
// Leaves each kind of fault that the links and nodes have, or takes it away, as the seed says.
void choose_swarm(network_options& options);

}  // namespace mdp::netsim
