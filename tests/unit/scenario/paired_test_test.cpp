#include "paired_test.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "comparison.hpp"
#include "mdp/base/random.hpp"

namespace mdp::cli {
namespace {

TEST(paired_test, equal_samples_are_identical) {
  const std::vector<double> a{10, 11, 9, 10, 12, 10};
  const auto e = estimate_ratio(a, a);
  ASSERT_TRUE(e);
  EXPECT_DOUBLE_EQ(e->median, 1);
  EXPECT_DOUBLE_EQ(e->p, 1);
  EXPECT_TRUE(e->identical);
  EXPECT_FALSE(estimate_ratio({}, {1}));
  EXPECT_FALSE(estimate_ratio({0}, {1}));
}

TEST(paired_test, a_clear_difference_has_an_interval_around_it) {
  const auto e = estimate_ratio({100, 101, 99, 100, 102, 98}, {150, 149, 151, 152, 148, 150});
  ASSERT_TRUE(e);
  EXPECT_NEAR(e->median, 1.5, 0.05);
  EXPECT_GT(e->low, 1.4);
  EXPECT_LT(e->high, 1.6);
  EXPECT_DOUBLE_EQ(e->p, 2.0 / 64);  // all six signs agree
}

TEST(paired_test, noise_around_one_has_an_interval_that_holds_one) {
  const auto e = estimate_ratio({100, 100, 100, 100, 100, 100}, {80, 125, 70, 130, 90, 115});
  ASSERT_TRUE(e);
  EXPECT_LT(e->low, 1);
  EXPECT_GT(e->high, 1);
  EXPECT_GT(e->p, 0.5);
}

// Every assignment of signs counted one by one.
double enumerated(const std::vector<double>& d) {
  std::vector<double> rank(d.size());
  for (std::size_t i = 0; i < d.size(); ++i) {
    for (const double other : d) {
      rank[i] += std::fabs(other) < std::fabs(d[i])    ? 1
                 : std::fabs(other) == std::fabs(d[i]) ? 0.5
                                                       : 0;
    }
    rank[i] += 0.5;
  }
  const auto lopsided = [&](std::uint64_t signs) {
    double sum = 0;
    for (std::size_t i = 0; i < d.size(); ++i) sum += (signs >> i & 1) != 0 ? rank[i] : -rank[i];
    return std::fabs(sum);
  };
  std::uint64_t actual = 0;
  for (std::size_t i = 0; i < d.size(); ++i) actual |= std::uint64_t{d[i] > 0} << i;
  double count = 0;
  for (std::uint64_t signs = 0; signs < std::uint64_t{1} << d.size(); ++signs) {
    count += lopsided(signs) >= lopsided(actual) - 1e-9 ? 1 : 0;
  }
  return count / std::ldexp(1, static_cast<int>(d.size()));
}

TEST(paired_test, the_chance_is_that_of_all_signs_counted) {
  EXPECT_DOUBLE_EQ(signed_rank_p({1, 2, 3, 4, 5, -6, 7, 8}), enumerated({1, 2, 3, 4, 5, -6, 7, 8}));
  EXPECT_DOUBLE_EQ(signed_rank_p({1, 1, -1, 2, 2, -3, 3}), enumerated({1, 1, -1, 2, 2, -3, 3}));
  EXPECT_DOUBLE_EQ(signed_rank_p({-5, 1, 2, -2, 9}), enumerated({-5, 1, 2, -2, 9}));
  EXPECT_DOUBLE_EQ(signed_rank_p({0, 0}), 1);
}

TEST(paired_test, the_normal_distribution_continues_the_exact_one) {
  std::vector<double> d;
  for (int i = 1; i <= 50; ++i) d.push_back(i % 3 == 0 ? -i : i);
  const double exact = signed_rank_p(d);
  d.push_back(0.5);
  EXPECT_NEAR(signed_rank_p(d), exact, exact * 0.1);
}

TEST(paired_test, holm_raises_each_chance_and_keeps_their_order) {
  // Holm 1979: 4 * 0.01, 3 * 0.02, 2 * 0.03, then never less than the one before.
  const std::vector<double> p = holm_adjusted({0.03, 0.01, 0.04, 0.02});
  EXPECT_DOUBLE_EQ(p[1], 0.04);
  EXPECT_DOUBLE_EQ(p[3], 0.06);
  EXPECT_DOUBLE_EQ(p[0], 0.06);
  EXPECT_DOUBLE_EQ(p[2], 0.06);
  EXPECT_TRUE(holm_adjusted({}).empty());
  EXPECT_DOUBLE_EQ(holm_adjusted({0.9, 0.8})[0], 1);
}

TEST(paired_test, pairs_needed_follow_from_the_questions) {
  EXPECT_EQ(pairs_needed(1), 7u);    // 2 / 2^7 = 0.016
  EXPECT_EQ(pairs_needed(6), 10u);   // 12 / 2^10 = 0.012
  EXPECT_EQ(pairs_needed(24), 12u);  // 48 / 2^12 = 0.012
}

TEST(paired_test, a_drift_cancels_in_the_control) {
  std::vector<double> rising;
  for (int i = 0; i < 16; ++i) rising.push_back(100 * std::pow(1.05, i));
  const auto control = control_ratio(rising, rising);
  ASSERT_TRUE(control);
  EXPECT_EQ(control->n, 16u);
  EXPECT_GT(control->p, 0.5);
}

// Made-up runs: each has a speed of its own (log-normal, 15 %), each figure noise of its own (10 %)
// and, one time in ten, an outlier of three times that.
class made_up {
 public:
  explicit made_up(std::uint64_t seed) : random_(seed) {}
  scenario::json_value result(std::size_t runs, double speed) {
    std::string list;
    for (std::size_t i = 0; i < runs; ++i) {
      const double run = speed * std::exp(0.15 * gauss());
      if (i > 0) list += ',';
      list += R"({"messages": {"rate_per_s": )" + figure(1e5 * run) +
              R"(}, "bytes": {"payload_per_s": )" + figure(1e7 * run) +
              R"(}, "latency": {"response": {"p50_us": )" + figure(40 / run) + R"(, "p99_us": )" +
              figure(200 / run) + R"(}}, "cpu": {"us_per_message": )" + figure(3 / run) + "}}";
    }
    return scenario::parse_json(R"({"scenario": "s", "point": {}, "runs": [)" + list + "]}", "t");
  }

 private:
  double uniform() {
    return (static_cast<double>(random_.next() >> 11) + 0.5) / 9007199254740992.0;
  }
  double gauss() {
    return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform());
  }
  std::string figure(double value) {
    const double outlier = uniform() < 0.1 ? 3 : 1;
    return std::to_string(value * std::exp(0.1 * outlier * gauss()));
  }
  seeded_random random_;
};

// How many of 100 comparisons state a difference in any metric.
std::size_t differences_of_100(std::size_t runs, double speed, std::uint64_t seed) {
  made_up machine(seed);
  std::size_t found = 0;
  for (int i = 0; i < 100; ++i) {
    const scenario::json_value before = machine.result(runs, 1);
    const comparison c = compare_sets({before}, {machine.result(runs, speed)}, {});
    found += c.any(verdict::better) || c.any(verdict::worse) ? 1u : 0u;
  }
  return found;
}

TEST(paired_test, equal_configurations_are_told_apart_at_most_5_times_in_100) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    EXPECT_LE(differences_of_100(12, 1, seed), 5u) << seed;
    EXPECT_LE(differences_of_100(20, 1, seed), 5u) << seed;
  }
}

TEST(paired_test, a_planted_quarter_is_found_at_least_80_times_in_100) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    EXPECT_GE(differences_of_100(20, 1.25, seed), 80u) << seed;
  }
}

}  // namespace
}  // namespace mdp::cli
