#include "steady_state.hpp"

#include <algorithm>
#include <cmath>

#include "statistics.hpp"

namespace mdp::scenario {
namespace {

constexpr double one_percent_z = 2.576;  // two-sided, of the normal distribution

// The number of intervals whose loss makes the mean of the others most certain.
std::size_t transient_of(const std::vector<double>& series) {
  double sum = 0;
  double squares = 0;
  double best = -1;
  std::size_t cut = 0;
  // From the end: each step takes one interval more into account.
  for (std::size_t i = series.size(); i-- > 0;) {
    sum += series[i];
    squares += series[i] * series[i];
    if (i > series.size() / 2) continue;
    const auto n = static_cast<double>(series.size() - i);
    const double error = std::max(0.0, squares - sum * sum / n) / (n * n);
    if (best < 0 || error <= best) {
      best = error;
      cut = i;
    }
  }
  return cut;
}

bool has_trend(const std::vector<double>& x) {
  double rises = 0;
  std::vector<double> slopes;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t k = i + 1; k < x.size(); ++k) {
      rises += x[k] > x[i] ? 1 : x[k] < x[i] ? -1 : 0;
      slopes.push_back((x[k] - x[i]) / static_cast<double>(k - i));
    }
  }
  const auto n = static_cast<double>(x.size());
  const double deviation = std::sqrt(n * (n - 1) * (2 * n + 5) / 18);
  if (std::max(0.0, std::abs(rises) - 1) / deviation < one_percent_z) return false;
  const double change = std::abs(median(slopes)) * (n - 1);
  return change >= steady_change_min * std::abs(median(x));
}

}  // namespace

std::optional<steadiness> judge_steadiness(const std::vector<double>& series) {
  if (series.size() < steady_intervals_min) return std::nullopt;
  steadiness out;
  out.from = transient_of(series);
  out.reached = !has_trend({series.begin() + static_cast<std::ptrdiff_t>(out.from), series.end()});
  return out;
}

}  // namespace mdp::scenario
