// What a search reads from the results of its trials, and what it says at its end. Pure.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "load_search.hpp"
#include "mdp/scenario/json_value.hpp"
#include "mdp/scenario/spec.hpp"

namespace mdp::cli {

[[nodiscard]] search_goal goal_of(const scenario::search_spec& search);

// Of a result (mdp-result/1): every assertion holds; or one does not; or the trial was too short
// for a figure that is asked for, or for a steady state that is required.
[[nodiscard]] trial_outcome judge_trial(const scenario::json_value& result);

// The point, of the scenario's own, whose search made this result; empty: none did.
[[nodiscard]] std::string searched_point(const scenario::json_value& result);

// Trials of full length that a search makes, each short one counted by its length, and their
// number: of one whose answer lies midway. For estimates.
struct search_effort {
  double length;
  std::size_t trials;
};
[[nodiscard]] search_effort expected_effort(const scenario::search_spec& search);

struct search_outcome {
  std::string scenario;
  std::string of;                           // id of the point that was searched
  std::map<std::string, std::string> vars;  // its variables
  std::string var;
  std::optional<load_search::bound> passed;
  std::optional<load_search::bound> failed;
  // Conditional throughput (RFC 9971) at the load that passed: messages/s that so many of its
  // trials delivered at least as may not fail.
  std::optional<double> throughput_per_s;
  std::size_t trials = 0;
  bool settled = true;  // the bounds are as close as asked
};
// `rates`: messages/s that the trials of full length delivered at the load that passed.
[[nodiscard]] std::optional<double> conditional_throughput(std::vector<double> rates,
                                                           double exceed_pct);
// "load-curve size=64: rate passes at 9200 (2 of 2 trials; ...), fails at 9500 (2 of 2); ..."
[[nodiscard]] std::string text_of(const search_outcome& outcome);
// An array of objects, for programs.
[[nodiscard]] std::string json_of(const std::vector<search_outcome>& outcomes);

}  // namespace mdp::cli
