// The keys `fates` and `only_fates`. Throws options_error.
#pragma once
#include "mdp/netsim/options.hpp"
#include "option_tree.hpp"

namespace mdp::netsim {

void read_fates(const option_value& v, network_options& options);

}  // namespace mdp::netsim
