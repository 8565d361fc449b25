// The simulated network as a transport fabric in virtual time: what the plugin exports, and what
// tests link directly. Throws options_error for bad options. See mdp/transport/transport.hpp for
// the rest.
#pragma once
#include <memory>

#include "mdp/netsim/options.hpp"
#include "mdp/transport/transport.hpp"

namespace mdp::netsim {

[[nodiscard]] std::unique_ptr<transport::fabric> make_fabric(const char* options_json);

}  // namespace mdp::netsim
