#include "paired_test.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mdp/base/random.hpp"

namespace mdp::cli {
namespace {

constexpr std::size_t exact_max = 50;  // beyond it the normal distribution is close enough

// Reorders the values.
double median_of(std::vector<double>& values) {
  const auto half = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), half, values.end());
  if (values.size() % 2 == 1) return *half;
  return (*std::max_element(values.begin(), half) + *half) / 2;
}

// Twice the rank of each magnitude, so that the mean rank of a tie is a whole number too.
std::vector<std::size_t> doubled_ranks(const std::vector<double>& magnitudes) {
  std::vector<std::size_t> order(magnitudes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return magnitudes[a] < magnitudes[b]; });
  std::vector<std::size_t> ranks(order.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && magnitudes[order[last + 1]] == magnitudes[order[first]]) {
      ++last;
    }
    for (std::size_t i = first; i <= last; ++i) ranks[order[i]] = first + last + 2;
    first = last + 1;
  }
  return ranks;
}

// Share of all assignments of signs whose positive ranks sum to at most `least`.
double share_below(const std::vector<std::size_t>& ranks, std::size_t least) {
  std::vector<double> share(least + 1, 0.0);
  share[0] = 1;
  for (const std::size_t rank : ranks) {
    for (std::size_t sum = least + 1; sum-- > 0;) {
      share[sum] = (share[sum] + (sum >= rank ? share[sum - rank] : 0)) / 2;
    }
  }
  return std::accumulate(share.begin(), share.end(), 0.0);
}

ratio_estimate estimate_logs(std::vector<double> logs) {
  constexpr std::size_t resamples = 2000;
  seeded_random random(20240229);
  std::vector<double> medians;
  medians.reserve(resamples);
  std::vector<double> sample(logs.size());
  for (std::size_t i = 0; i < resamples; ++i) {
    for (double& s : sample) s = logs[random.next() % logs.size()];
    medians.push_back(median_of(sample));
  }
  std::sort(medians.begin(), medians.end());
  const bool identical = std::all_of(logs.begin(), logs.end(), [](double l) { return l == 0; });
  const double p = signed_rank_p(logs);
  return {logs.size(),
          std::exp(median_of(logs)),
          std::exp(medians[resamples * 25 / 1000]),
          std::exp(medians[resamples * 975 / 1000 - 1]),
          p,
          identical};
}

void add_neighbours(const std::vector<double>& values, std::vector<double>& logs) {
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    if (!(values[i] > 0 && values[i + 1] > 0)) continue;
    const double log = std::log(values[i + 1] / values[i]);
    logs.push_back(i % 4 == 0 ? log : -log);
  }
}

}  // namespace

double signed_rank_p(const std::vector<double>& differences) {
  std::vector<double> magnitudes;
  std::vector<bool> positive;
  for (const double d : differences) {
    if (d == 0) continue;
    magnitudes.push_back(std::fabs(d));
    positive.push_back(d > 0);
  }
  if (magnitudes.empty()) return 1;
  const std::vector<std::size_t> ranks = doubled_ranks(magnitudes);
  std::size_t above = 0;
  std::size_t all = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    all += ranks[i];
    if (positive[i]) above += ranks[i];
  }
  const std::size_t least = std::min(above, all - above);
  if (ranks.size() <= exact_max) return std::min(1.0, 2 * share_below(ranks, least));
  double squares = 0;
  for (const std::size_t r : ranks) squares += static_cast<double>(r) * static_cast<double>(r);
  // Signs are coins: the sum of ranks has this mean and variance; the 1 is half a step of it.
  const double distance = static_cast<double>(all) / 2 - static_cast<double>(least) - 1;
  return std::min(1.0, std::erfc(std::max(distance, 0.0) / std::sqrt(squares / 4) / std::sqrt(2)));
}

std::vector<double> holm_adjusted(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, static_cast<double>(p.size() - i) * p[order[i]]);
    adjusted[order[i]] = std::min(1.0, largest);
  }
  return adjusted;
}

std::size_t pairs_needed(std::size_t questions) {
  // n pairs that all agree have a chance of 2^(1-n); Holm multiplies it by the questions.
  std::size_t n = 1;
  while (std::ldexp(static_cast<double>(questions), 1 - static_cast<int>(n)) > significance) ++n;
  return n;
}

std::optional<ratio_estimate> estimate_ratio(const std::vector<double>& baseline,
                                             const std::vector<double>& candidate) {
  std::vector<double> logs;
  for (std::size_t i = 0; i < std::min(baseline.size(), candidate.size()); ++i) {
    if (baseline[i] > 0 && candidate[i] > 0) logs.push_back(std::log(candidate[i] / baseline[i]));
  }
  if (logs.empty()) return std::nullopt;
  return estimate_logs(std::move(logs));
}

std::optional<ratio_estimate> control_ratio(const std::vector<double>& baseline,
                                            const std::vector<double>& candidate) {
  std::vector<double> logs;
  add_neighbours(baseline, logs);
  add_neighbours(candidate, logs);
  if (logs.empty()) return std::nullopt;
  return estimate_logs(std::move(logs));
}

}  // namespace mdp::cli
