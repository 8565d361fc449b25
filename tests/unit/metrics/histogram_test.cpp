// The histogram against exact order statistics.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "mdp/base/random.hpp"
#include "mdp/metrics/histogram.hpp"

namespace mdp::metrics {
namespace {

std::int64_t skewed(seeded_random& random) {
  const std::uint64_t scale = random.next() % 30;
  return static_cast<std::int64_t>((random.next() & ((std::uint64_t{1} << scale) - 1)) + 1000);
}

TEST(histogram, percentiles_are_within_a_thousandth_of_exact) {
  histogram h;
  seeded_random random(11);
  std::vector<std::int64_t> exact(10'000'000);
  for (auto& v : exact) h.record(v = skewed(random));
  std::sort(exact.begin(), exact.end());
  for (const double p : {1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99}) {
    const auto rank =
        static_cast<std::size_t>(std::lround(p / 100 * static_cast<double>(exact.size())));
    const auto truth = static_cast<double>(exact[rank - 1]);
    ASSERT_TRUE(h.percentile(p));
    EXPECT_NEAR(static_cast<double>(*h.percentile(p)), truth, truth * 0.001) << p;
  }
  EXPECT_EQ(h.min(), exact.front());
  EXPECT_EQ(h.max(), exact.back());
  EXPECT_EQ(h.count(), exact.size());
}

TEST(histogram, merging_equals_measuring_together) {
  histogram together, a, b;
  seeded_random random(12);
  for (int i = 0; i < 100000; ++i) {
    const std::int64_t v = skewed(random);
    together.record(v);
    (i % 3 == 0 ? a : b).record(v);
  }
  a.merge(b);
  EXPECT_EQ(a.hgrm(), together.hgrm());
  EXPECT_EQ(a.min(), together.min());
  histogram rebuilt;
  together.for_each_bucket([&](std::int64_t v, std::uint64_t n) { rebuilt.record(v, n); });
  for (const double p : {50.0, 99.0, 99.9})
    EXPECT_EQ(rebuilt.percentile(p), together.percentile(p));
}

TEST(histogram, a_percentile_without_samples_beyond_it_is_nothing) {
  histogram h;
  EXPECT_FALSE(h.percentile(50));
  for (int i = 1; i <= 1000; ++i) h.record(i * 1000);
  EXPECT_TRUE(h.percentile(99));
  EXPECT_FALSE(h.percentile(99.9));
  EXPECT_TRUE(h.percentile(99.9, 1));
}

TEST(histogram, values_beyond_the_range_are_counted_as_such) {
  histogram h;
  h.record(INT64_MAX);
  h.record(-5);
  EXPECT_EQ(h.saturated(), 1u);
  EXPECT_EQ(h.count(), 2u);
  EXPECT_EQ(h.min(), 0);
  EXPECT_EQ(h.max(), INT64_MAX);
}

TEST(histogram, forgets_all_that_it_counted) {
  histogram h;
  for (const std::int64_t ns : {10, 3'000, 1'000'000'000}) h.record(ns);
  h.prefault();
  EXPECT_EQ(h.count(), 3u);
  h.clear();
  EXPECT_EQ(h.percentile(50, 0), std::nullopt);
  histogram other;
  other.record(1);
  other.record(2'000'000'000);
  h.merge(other);
  std::vector<std::uint64_t> counts;
  h.for_each_bucket([&](std::int64_t, std::uint64_t count) { counts.push_back(count); });
  EXPECT_EQ(counts, (std::vector<std::uint64_t>{1, 1}));
}

TEST(histogram, prints_the_known_form) {
  histogram h;
  h.record(1000, 3);
  h.record(2000);
  EXPECT_EQ(h.hgrm(),
            "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
            "       1.000 0.750000000000          3           4.00\n"
            "       2.000 1.000000000000          4\n"
            "#[Mean    =        1.250, StdDeviation   =        0.433]\n"
            "#[Max     =        2.000, Total count    =            4]\n"
            "#[Buckets =           34, SubBuckets     =         2048]\n");
}

}  // namespace
}  // namespace mdp::metrics
