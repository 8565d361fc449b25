// Runs the points of a scenario and writes their results as mdp-result/1 documents.
// Everything happens inside run_points(), on threads that end before it returns.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "mdp/scenario/spec.hpp"

namespace mdp::scenario {

struct run_callbacks {
  std::function<void(const std::string& line)> progress;
  std::function<bool()> stop_requested;  // polled; true ends the current repetition early
  std::vector<std::string> plugin_directories;
};

struct point_result {
  std::string id;
  std::string json;                  // mdp-result/1
  std::string status;                // ok | failed | inconclusive
  std::vector<std::string> reasons;  // one sentence each
  bool asserts_passed = true;
};

// This build as results name it (member "build"), JSON text: results of equal points and equal
// builds may stand for each other.
[[nodiscard]] std::string build_text();

// Repetitions of all points in the order that run.order asks for; a point is reported as soon as
// its last repetition is over. Never throws for what happens in a run: that is the point's status.
std::vector<point_result> run_points(const scenario_spec& scenario, const run_callbacks& callbacks,
                                     const std::function<void(const point_result&)>& on_point_done);

}  // namespace mdp::scenario
