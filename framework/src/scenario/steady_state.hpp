// Was the system in its steady state while it was measured? Judged from a series of equal intervals
// of the measured window. Pure functions, no randomness.
#pragma once
#include <cstddef>
#include <optional>
#include <vector>

namespace mdp::scenario {

// Fewer intervals say nothing.
inline constexpr std::size_t steady_intervals_min = 10;
// A trend that changes the figure by less over the window is of no consequence.
inline constexpr double steady_change_min = 0.05;

struct steadiness {
  std::size_t from = 0;  // first interval after the transient
  bool reached = false;  // no trend after it
};

// The transient ends where cutting more would not make the mean of the rest more certain (MSER,
// White 1997), in the first half at the latest. The rest is steady unless it has a trend: Mann and
// Kendall's test (1945) at 1 %, and Sen's slope (1968) that changes the median by
// `steady_change_min` or more over the rest. Nothing for too short a series.
[[nodiscard]] std::optional<steadiness> judge_steadiness(const std::vector<double>& series);

}  // namespace mdp::scenario
