// Schedules: the same for equal seeds, true to their rate and distribution, integers only.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "workload/schedule.hpp"

namespace mdp::workload {
namespace {

std::vector<std::int64_t> times(double rate, bool poisson, std::uint64_t seed, std::size_t n) {
  schedule s({rate, poisson ? arrival_kind::poisson : arrival_kind::constant, 1, 0}, seed);
  s.begin(at_ns(0), at_ns(1));
  std::vector<std::int64_t> out;
  for (; out.size() < n; s.advance()) out.push_back(ns_of(s.next()));
  return out;
}

TEST(Schedule, EqualSeedsGiveEqualTimesAndOthersDoNot) {
  EXPECT_EQ(times(12345, true, 7, 10000), times(12345, true, 7, 10000));
  EXPECT_NE(times(12345, true, 7, 10000), times(12345, true, 8, 10000));
}

TEST(Schedule, AConstantRateDoesNotDrift) {
  const auto t = times(3, false, 1, 3'000'001);
  EXPECT_NEAR(static_cast<double>(t.back()), 1e15, 1e6);  // a million seconds, to a millisecond ...
  EXPECT_NEAR(static_cast<double>(t[3] - t[0]), 1e9, 2);
}

TEST(Schedule, PoissonGapsHaveTheMeanAndTheTailOfAnExponential) {
  const std::size_t n = 200'000;
  const double mean = 1e9 / 5000;
  const auto t = times(5000, true, 3, n + 1);
  double beyond[4] = {};
  for (std::size_t i = 0; i < n; ++i) {
    const double gap = static_cast<double>(t[i + 1] - t[i]);
    ASSERT_GE(gap, 0);
    for (int k = 1; k < 4; ++k) beyond[k] += gap > k * mean;
  }
  EXPECT_NEAR(static_cast<double>(t[n] - t[0]) / static_cast<double>(n), mean, mean * 0.01);
  for (int k = 1; k < 4; ++k) {
    EXPECT_NEAR(beyond[k] / static_cast<double>(n), std::exp(-k), 0.003) << k << " means";
  }
}

TEST(Schedule, BurstsComeAtOneInstantAndKeepTheMeanRate) {
  schedule s({3000, arrival_kind::bursty, 7, 0}, 1);
  s.begin(at_ns(0), at_ns(1));
  std::vector<std::int64_t> t;
  for (; t.size() < 3000 * 7 + 1; s.advance()) t.push_back(ns_of(s.next()));
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(t[i], 0);
  EXPECT_NEAR(static_cast<double>(t[7]), 7e9 / 3000, 1);
  EXPECT_EQ(t[13], t[7]);
  EXPECT_NEAR(static_cast<double>(t.back()), 7e9, 10);
}

// From 100 to 1,900 a second in 10 s: 1,000 a second on average, half the rate's way at half time.
TEST(Schedule, ARampGoesFromOneRateToTheOtherInAStraightLine) {
  for (const auto& [from, to] : {std::pair(100.0, 1900.0), std::pair(1900.0, 100.0)}) {
    schedule s({from, arrival_kind::ramp, 1, to}, 1);
    s.begin(at_ns(0), at_ns(10'000'000'000));
    double count = 0;
    double first_half = 0;
    for (; s.next() < at_ns(10'000'000'000); s.advance()) {
      ++count;
      first_half += s.next() < at_ns(5'000'000'000);
    }
    EXPECT_NEAR(count, 10'000, 10);
    EXPECT_NEAR(first_half, 5 * (from + (to - from) / 4), 10);
  }
}

TEST(Schedule, NegativeLogAgreesWithTheLibrarysLogarithm) {
  for (std::uint64_t u = 1; u <= std::uint64_t{1} << 32; u = u * 3 / 2 + 1) {
    const double expected = -std::log(static_cast<double>(u) / 4294967296.0);
    EXPECT_NEAR(static_cast<double>(negative_log(u)) / 16777216.0, expected, 1e-6) << u;
  }
  EXPECT_EQ(negative_log(std::uint64_t{1} << 32), 0u);
}

}  // namespace
}  // namespace mdp::workload
