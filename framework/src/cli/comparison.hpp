// Compares results pairwise. Runs are the sample: of each metric the median of the paired ratios
// with a 95 % interval, a signed-rank test corrected by Holm's method over all metrics and points
// of one comparison, and an A/A control of the runs against themselves.
// Pure functions over result documents; no threads; deterministic.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "mdp/scenario/json_value.hpp"
#include "paired_test.hpp"

namespace mdp::cli {

enum class verdict : std::uint8_t {
  better,         // a difference, in the direction that a user wants
  worse,          // a difference, in the other one
  no_difference,  // none was shown, which is not the same as equal
  identical,      // every pair of runs has the same value (the simulator's usual answer)
  one_sided,      // only one side has the figure: no question to this comparison
  too_few_pairs,  // not even runs that all agree could show a difference
  inconclusive,   // the control differs: the machine was not the same throughout
};
[[nodiscard]] const char* words(verdict v) noexcept;

struct metric_comparison {
  std::string metric;
  bool more_is_better = false;
  ratio_estimate estimate;
  std::optional<ratio_estimate> control;
  double p = 1;          // corrected over the whole comparison
  double control_p = 1;  // likewise, over the controls
  verdict is = verdict::no_difference;
};
struct point_comparison {
  std::string heading;  // "quickstart size=64: transport io_uring against socket"
  double min_effect_pct = 5;
  std::vector<metric_comparison> metrics;  // empty: nothing that both measured
};
struct comparison {
  std::vector<point_comparison> points;
  std::vector<std::string> unpaired;  // points that only one side has
  [[nodiscard]] bool empty() const noexcept { return points.empty(); }
  [[nodiscard]] bool any(verdict v) const noexcept;
  // Every point has a partner and something measured, and every question has an answer.
  [[nodiscard]] bool conclusive() const noexcept;
};

struct comparison_request {
  std::string var;
  std::string baseline;
  std::optional<double> min_effect_pct;  // default: the scenario's, else 5
};
// The values of one variable within a set of results; empty when there is nothing to compare.
// Variable and baseline default to what the results' own scenario says. Throws std::runtime_error
// for a variable or baseline that no result has.
[[nodiscard]] comparison compare_variable(const std::vector<scenario::json_value>& results,
                                          const comparison_request& request);
// Two sets of results, paired by scenario and point.
[[nodiscard]] comparison compare_sets(const std::vector<scenario::json_value>& baseline,
                                      const std::vector<scenario::json_value>& candidate,
                                      const comparison_request& request);
// Corrects for the number of questions and gives each its verdict.
void judge(comparison& c);

// "ratios 0.995 to 1.009, no difference shown": how far the runs of one side differ.
[[nodiscard]] std::string control_text(const point_comparison& point);
// "p is corrected for 14 questions ...", or nothing for a single one.
[[nodiscard]] std::string correction_text(const comparison& c);
// One line a metric, one for the control of each point, and how many questions were asked.
[[nodiscard]] std::string text_of(const comparison& c);

}  // namespace mdp::cli
