// What only the whole of a simulated network can tell, found before anything runs.
#pragma once
#include "mdp/scenario/json_value.hpp"
#include "mdp/scenario/loader.hpp"
#include "mdp/scenario/spec.hpp"

namespace mdp::scenario {

// `document` is that of `point`, whose transport is the simulator. Throws scenario_error: a home of
// a peer that there is not, an MTU below the protocol's floor, peers beyond the machine's memory,
// or whatever the simulator itself refuses (routes, models), each where it was written.
void check_simulation(const json_value& document, const point_spec& point,
                      const load_context& context);

}  // namespace mdp::scenario
