// Results of a group that differ in one variable, set side by side.
#pragma once
#include <string>
#include <vector>

#include "plots.hpp"

namespace mdp::reports {

struct comparison_row {
  std::string metric, baseline, other;  // what was measured, and the two figures
  std::string change;                   // "+37.7 %"
  std::string judgement;                // whether the runs overlap
  bool clear = false;                   // they do not
};

struct comparison {
  std::string heading;  // "transport: io_uring against socket"
  std::string baseline, other;
  std::vector<comparison_row> rows;
};

// One for each result but the baseline: the one that the scenario names, else the first. Empty when
// the results differ in more than a variable, or in none.
[[nodiscard]] std::vector<comparison> comparisons_of(const result_group& group);

}  // namespace mdp::reports
