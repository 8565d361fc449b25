// Distributions against their quantiles, and against themselves on every machine.
#include "mdp/netsim/distribution.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "mdp/netsim/philox.hpp"

namespace mdp::netsim {
namespace {

constexpr std::int64_t ms = 1'000'000;

// The draw of probability p.
std::uint64_t draw_of(double p) {
  return static_cast<std::uint64_t>(p * 0x1p64);
}

struct quantiles {
  jitter_shape shape;
  double base_ms;
  std::int64_t scale_ms;
  double at[4];  // of .5, .9, .99, .999, in ms
};

constexpr quantiles expectations[] = {
    {jitter_shape::normal, 50, 5, {50, 56.408, 61.632, 65.451}},
    {jitter_shape::lognormal, 0, 50, {50, 94.90, 160.0, 234.4}},
    {jitter_shape::pareto, 0, 10, {12.60, 21.54, 46.42, 100.0}},
    {jitter_shape::uniform, 0, 100, {50, 90, 99, 99.9}},
};
constexpr double probabilities[] = {.5, .9, .99, .999};

TEST(Distribution, QuantilesAreTheirs) {
  for (const quantiles& q : expectations) {
    for (std::size_t i = 0; i < 4; ++i) {
      const std::int64_t value = sample(q.shape, draw_of(probabilities[i]), q.scale_ms * ms);
      EXPECT_NEAR(q.base_ms + static_cast<double>(value) / ms, q.at[i], q.at[i] * .001)
          << static_cast<int>(q.shape) << " " << probabilities[i];
    }
  }
}

// The same from 10^6 draws as a link makes them: within 1 % at the median, 3 % in the tail.
TEST(Distribution, SamplesHaveTheQuantiles) {
  const philox_key key = draw_key(1, "a/up", draw_purpose::fate);
  for (const quantiles& q : expectations) {
    std::vector<double> values(1'000'000);
    for (std::size_t k = 0; k < values.size(); ++k) {
      const auto value = sample(q.shape, fate_draws(key, k)[1], q.scale_ms * ms);
      values[k] = q.base_ms + static_cast<double>(value) / ms;
    }
    std::sort(values.begin(), values.end());
    for (std::size_t i = 0; i < 4; ++i) {
      const auto at =
          static_cast<std::size_t>(probabilities[i] * static_cast<double>(values.size()));
      EXPECT_NEAR(values[at], q.at[i], q.at[i] * (i < 2 ? .01 : .03))
          << static_cast<int>(q.shape) << " " << probabilities[i];
    }
  }
}

TEST(Distribution, RisesWithTheDrawFromEndToEnd) {
  for (const quantiles& q : expectations) {
    std::int64_t last = INT64_MIN;
    for (std::uint64_t i = 0; i <= 100'000; ++i) {
      const std::uint64_t draw = i == 100'000 ? UINT64_MAX : i * (UINT64_MAX / 100'000);
      const std::int64_t value = sample(q.shape, draw, q.scale_ms * ms);
      ASSERT_GE(value, last) << static_cast<int>(q.shape) << " " << i;
      last = value;
    }
    EXPECT_LT(last, 10 * q.scale_ms * ms * 6);  // the tail ends at 2^-17
  }
}

// Integers that every compiler and CPU must give.
TEST(Distribution, GoldenSum) {
  std::uint64_t sum = 0;
  const philox_key key = draw_key(42, "golden", draw_purpose::fate);
  for (const quantiles& q : expectations) {
    for (std::uint64_t k = 0; k < 10'000; ++k) {
      sum = sum * 31 +
            static_cast<std::uint64_t>(sample(q.shape, fate_draws(key, k)[1], 123'456'789));
    }
  }
  EXPECT_EQ(sum, 16077152541689318826u);
}

}  // namespace
}  // namespace mdp::netsim
