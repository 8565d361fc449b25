// Small statistics over runs: median, spread, bootstrap interval. Deterministic.
#pragma once
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "mdp/base/random.hpp"

namespace mdp::scenario {

[[nodiscard]] inline double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  const std::size_t n = v.size();
  return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

// Coefficient of variation in percent.
[[nodiscard]] inline double variation_pct(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x;
  const double mean = sum / static_cast<double>(v.size());
  double squares = 0;
  for (const double x : v) squares += (x - mean) * (x - mean);
  if (v.size() < 2 || mean == 0) return 0;
  return 100 * std::sqrt(squares / static_cast<double>(v.size() - 1)) / std::abs(mean);
}

// Percentile bootstrap of the median (Efron 1979), 95 %; nothing for fewer than three runs.
[[nodiscard]] inline std::optional<std::pair<double, double>> median_interval(
    const std::vector<double>& v) {
  if (v.size() < 3) return std::nullopt;
  constexpr std::size_t resamples = 1000;
  seeded_random random(v.size());
  std::vector<double> medians(resamples);
  std::vector<double> sample(v.size());
  for (double& m : medians) {
    for (double& x : sample) x = v[random.next() % v.size()];
    m = median(sample);
  }
  std::sort(medians.begin(), medians.end());
  return std::pair(medians[resamples / 40], medians[resamples - 1 - resamples / 40]);
}

}  // namespace mdp::scenario
