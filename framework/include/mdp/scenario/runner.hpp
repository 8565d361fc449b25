// Runs the points of a scenario: repetitions in interleaved order, real or virtual time, and makes
// one result document (mdp-result/1) of each point.
//
// Blocks until every point is done or a stop is asked for. Starts threads of its own for real
// transports and ends them before it returns; callbacks are called on the caller's thread only.
// Errors: what goes wrong in a run (no plugin, address in use, peer unreachable, time limit) fails
// that point with a reason; nothing is thrown but std::bad_alloc and what the callbacks throw.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "mdp/scenario/spec.hpp"

namespace mdp::scenario {

struct run_callbacks {
  std::function<void(const std::string& line)> progress;  // may be empty
  std::function<bool()> stop_requested;  // may be empty; polled a few times a second
};

struct point_result {
  std::string id;                    // as point_spec::id
  std::string json;                  // mdp-result/1
  std::string status;                // ok | failed | inconclusive
  std::vector<std::string> reasons;  // of a status that is not ok
  bool asserts_passed = false;
};

// Calls on_point_done as soon as the last repetition of a point is over. When a stop is asked for,
// points with at least one complete repetition are handed over as inconclusive, the others not at
// all.
[[nodiscard]] std::vector<point_result> run_points(
    const scenario_spec& spec, const run_callbacks& callbacks,
    const std::function<void(const point_result&)>& on_point_done);

}  // namespace mdp::scenario
