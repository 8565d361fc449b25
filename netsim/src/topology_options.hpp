// The key `topology`: shapes and graphs. Throws options_error.
#pragma once
#include "mdp/netsim/options.hpp"
#include "option_tree.hpp"

namespace mdp::netsim {

// `options` has its links.
[[nodiscard]] topology_spec read_topology(const option_value& v, const network_options& options);

}  // namespace mdp::netsim
