// The keys of a link. Throws options_error.
#pragma once
#include <string>

#include "mdp/netsim/options.hpp"
#include "option_tree.hpp"

namespace mdp::netsim {

[[nodiscard]] attachment read_attachment(const option_value& v, const std::string& pointer);

}  // namespace mdp::netsim
