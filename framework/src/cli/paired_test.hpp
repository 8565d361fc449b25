// Statistics of paired runs: size of an effect with its interval, chance of it under "no effect",
// and the correction for asking many questions at once.
// Pure functions; deterministic (the bootstrap's seed is fixed).
#pragma once
#include <optional>
#include <vector>

namespace mdp::cli {

// The chance of a false difference in a whole comparison that is accepted. At 0.02 a hundred
// comparisons of equal things state more than five differences once in sixty times; at 0.05, every
// third time.
inline constexpr double significance = 0.02;

struct ratio_estimate {
  std::size_t n = 0;  // pairs
  double median = 1;  // of the ratios candidate / baseline
  double low = 1;     // 95 % interval of the median: percentile bootstrap (Efron 1979)
  double high = 1;
  double p = 1;            // two-sided, of `signed_rank_p`
  bool identical = false;  // every pair is equal to the last bit
};
// Pairs by index. Pairs with a value that is not positive (or is NaN) are left out; nullopt when
// none remains.
[[nodiscard]] std::optional<ratio_estimate> estimate_ratio(const std::vector<double>& baseline,
                                                           const std::vector<double>& candidate);

// The same values against themselves: neighbours in time, in alternating order so that a drift
// cancels. What differs here is the measurement, not what was measured (A/A control).
[[nodiscard]] std::optional<ratio_estimate> control_ratio(const std::vector<double>& baseline,
                                                          const std::vector<double>& candidate);

// Wilcoxon's signed-rank test, two-sided: chance of ranks as lopsided as these when the sign of
// each difference were a coin's toss (which shuffling the order within pairs makes it). Exact up to
// 50 differences that are not 0, by the normal distribution above; ties share their mean rank.
[[nodiscard]] double signed_rank_p(const std::vector<double>& differences);

// Holm's step-down correction (1979): in the order given, each p made comparable to `significance`
// so that the chance of any false difference among all of them stays below it.
[[nodiscard]] std::vector<double> holm_adjusted(const std::vector<double>& p);

// The least number of pairs with which one of `questions` could show a difference at all.
[[nodiscard]] std::size_t pairs_needed(std::size_t questions);

}  // namespace mdp::cli
