// Keys of a link that netem has too: correlation, reordering by gap; and delivery traces.
#pragma once
#include <string>

#include "mdp/netsim/link_models.hpp"
#include "option_tree.hpp"

namespace mdp::netsim {

[[nodiscard]] delivery_trace read_deliveries(const option_value& v, const std::string& pointer);
// Refuses what has no meaning without another key, or with it; `reorder_gap` alone is as with
// `reorder_pct` 100.
void check_netem_keys(const link_spec& spec, link_models& models, const std::string& pointer);

}  // namespace mdp::netsim
