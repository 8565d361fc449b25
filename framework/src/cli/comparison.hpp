// Compares results pairwise: the median of the ratios with a bootstrap 95 % interval.
// Pure functions over result documents; no threads. Deterministic (the bootstrap's seed is fixed).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "mdp/scenario/json_value.hpp"

namespace mdp::cli {

struct ratio_estimate {
  std::size_t n = 0;
  double median = 1;
  double low = 1;  // 95 % interval
  double high = 1;
};
// nullopt without a pair. Values that are not positive are left out with their pair.
[[nodiscard]] std::optional<ratio_estimate> estimate_ratio(const std::vector<double>& baseline,
                                                           const std::vector<double>& candidate);

// Runs fewer than this cannot show a difference.
inline constexpr std::size_t pairs_min = 5;
// "+12.3 % [..]" or "no difference shown", with n.
[[nodiscard]] std::string verdict(const ratio_estimate& estimate, double min_effect_pct);

struct comparison_request {
  std::string var;
  std::string baseline;
  std::optional<double> min_effect_pct;  // default: the scenario's, else 5
};
// The values of one variable within a set of results; "" when there is nothing to compare. Variable
// and baseline default to what the results' own scenario says. Throws std::runtime_error for a
// variable or baseline that no result has.
[[nodiscard]] std::string compare_variable(const std::vector<scenario::json_value>& results,
                                           const comparison_request& request);
// Two sets of results, paired by scenario and point.
[[nodiscard]] std::string compare_sets(const std::vector<scenario::json_value>& baseline,
                                       const std::vector<scenario::json_value>& candidate,
                                       const comparison_request& request);

}  // namespace mdp::cli
