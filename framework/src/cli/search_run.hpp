// Runs the trials of a search, one after the other.
#pragma once
#include <cstddef>

#include "run_session.hpp"

namespace mdp::cli {

// Searches one point of a scenario; what is kept from an earlier run is not measured again. Its
// trials are results of the session. Nothing passes: a failed gate.
[[nodiscard]] search_outcome search_point(run_session& s, const scenario::scenario_spec& spec,
                                          std::size_t point);

}  // namespace mdp::cli
