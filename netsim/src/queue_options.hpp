// The key `queue` of a link.
#pragma once
#include <string>

#include "mdp/netsim/queue_discipline.hpp"
#include "option_tree.hpp"

namespace mdp::netsim {

// Throws options_error.
[[nodiscard]] queue_spec read_queue(const option_value& v, const std::string& pointer);

}  // namespace mdp::netsim
