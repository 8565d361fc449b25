#include "mdp/metrics/histogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mdp::metrics {

histogram::histogram() : counts_((1u << linear_bits) + (doublings << (linear_bits - 1))) {}

void histogram::prefault() noexcept {
  for (volatile std::uint64_t& count : counts_) count = count;
}

std::pair<std::size_t, std::size_t> histogram::counted() const noexcept {
  if (count_ == 0) return {0, 0};
  const std::size_t last = index_of(static_cast<std::uint64_t>(max_));
  return {std::min(index_of(static_cast<std::uint64_t>(min_)), counts_.size() - 1),
          std::min(last + 1, counts_.size())};
}

std::int64_t histogram::highest_of(std::size_t index) noexcept {
  if (index < (1u << linear_bits)) return static_cast<std::int64_t>(index);
  const std::size_t half = std::size_t{1} << (linear_bits - 1);
  const std::size_t shift = index / half - 1;
  const std::size_t mantissa = index - shift * half;
  return static_cast<std::int64_t>(((mantissa + 1) << shift) - 1);
}

void histogram::record(std::int64_t ns, std::uint64_t count) noexcept {
  ns = std::max<std::int64_t>(ns, 0);
  std::size_t index = index_of(static_cast<std::uint64_t>(ns));
  if (index >= counts_.size()) {
    index = counts_.size() - 1;
    saturated_ += count;
  }
  counts_[index] += count;
  count_ += count;
  sum_ += static_cast<double>(ns) * static_cast<double>(count);
  min_ = std::min(min_, ns);
  max_ = std::max(max_, ns);
}

void histogram::merge(const histogram& other) noexcept {
  const auto [first, end] = other.counted();
  for (std::size_t i = first; i < end; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  saturated_ += other.saturated_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void histogram::restore(const exact_figures& figures) noexcept {
  min_ = figures.min;
  max_ = figures.max;
  sum_ = figures.sum;
  saturated_ = figures.saturated;
}

void histogram::clear() noexcept {
  const auto [first, end] = counted();
  std::fill(counts_.data() + first, counts_.data() + end, 0);
  count_ = saturated_ = 0;
  min_ = INT64_MAX;
  max_ = 0;
  sum_ = 0;
}

double histogram::mean() const noexcept {
  return count_ ? sum_ / static_cast<double>(count_) : 0.0;
}

std::optional<std::int64_t> histogram::percentile(double p,
                                                  std::uint64_t beyond_min) const noexcept {
  if (count_ == 0) return std::nullopt;
  const double exact = p / 100 * static_cast<double>(count_);
  // The rank is rounded as HdrHistogram does: to the next sample, at least the first.
  const auto rank = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(exact - 1e-9 * static_cast<double>(count_))));
  if (count_ - std::min(rank, count_) < beyond_min) return std::nullopt;
  std::uint64_t seen = 0;
  const auto [first, end] = counted();
  for (std::size_t i = first; i < end; ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(highest_of(i), max_);
  }
  return max_;
}

std::string histogram::hgrm(double unit_ns) const {
  std::string text = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile",
                                 "TotalCount", "1/(1-Percentile)");
  std::uint64_t seen = 0;
  double variance = 0;
  const double average = mean();
  for_each_bucket([&](std::int64_t value, std::uint64_t count) {
    seen += count;
    const double share = static_cast<double>(seen) / static_cast<double>(count_);
    const double distance = static_cast<double>(value) - average;
    variance += distance * distance * static_cast<double>(count);
    text +=
        fmt::format("{:12.3f} {:14.12f} {:10}", static_cast<double>(value) / unit_ns, share, seen);
    if (seen < count_) text += fmt::format(" {:14.2f}", 1 / (1 - share));
    text += '\n';
  });
  const double deviation = count_ ? std::sqrt(variance / static_cast<double>(count_)) : 0;
  text += fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n", average / unit_ns,
                      deviation / unit_ns);
  text += fmt::format("#[Max     = {:12.3f}, Total count    = {:12}]\n",
                      static_cast<double>(max_) / unit_ns, count_);
  text +=
      fmt::format("#[Buckets = {:12}, SubBuckets     = {:12}]\n", doublings + 1, 1u << linear_bits);
  return text;
}

}  // namespace mdp::metrics
