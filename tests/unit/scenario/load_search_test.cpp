#include "load_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "mdp/base/random.hpp"

namespace mdp::cli {
namespace {

using enum trial_outcome;

// `outcome(load, share)`: good, bad or unknown.
template <class Outcome>
load_search run(const search_goal& goal, Outcome&& outcome) {
  load_search s(goal);
  while (const auto trial = s.next()) s.tell(outcome(trial->load, trial->share));
  return s;
}

auto threshold(double limit) {
  return [limit](double load, double) { return load <= limit ? good : bad; };
}

double length(const load_search& s) {
  double sum = 0;
  for (const load_search::trial& t : s.trials()) sum += t.share;
  return sum;
}

TEST(LoadSearch, FindsAThresholdToItsWidth) {
  for (const double limit : {101.0, 1234.0, 9876.0, 54321.0, 99000.0}) {
    const load_search s = run({.from = 100, .to = 100000, .width_pct = 2}, threshold(limit));
    ASSERT_TRUE(s.passed());
    ASSERT_TRUE(s.failed());
    EXPECT_TRUE(s.settled());
    EXPECT_LE(s.passed()->load, limit);
    EXPECT_GT(s.failed()->load, limit);
    EXPECT_LE(s.failed()->load, s.passed()->load * 1.02);
    // Two of three trials decide each bound; the way there is of short ones.
    EXPECT_EQ(s.passed()->good, 2u);
    EXPECT_EQ(s.passed()->bad, 0u);
    EXPECT_EQ(s.failed()->bad, 2u);
    EXPECT_LE(length(s), 9) << limit;
  }
}

TEST(LoadSearch, SaysWhenNothingPassesAndWhenEverythingDoes) {
  const search_goal goal{.from = 10, .to = 100};
  const load_search none = run(goal, threshold(0));
  EXPECT_FALSE(none.passed());
  ASSERT_TRUE(none.failed());
  EXPECT_EQ(none.failed()->load, 10);
  EXPECT_EQ(none.failed()->bad, 2u);
  EXPECT_EQ(none.trials().size(), 4u);  // one of each short length, two of the full one
  const load_search all = run(goal, threshold(1000));
  ASSERT_TRUE(all.passed());
  EXPECT_EQ(all.passed()->load, 100);
  EXPECT_EQ(all.passed()->good, 2u);
  EXPECT_FALSE(all.failed());
  EXPECT_TRUE(all.settled());
}

TEST(LoadSearch, OneLoadAloneIsTriedUntilItIsKnown) {
  const load_search s = run({.from = 50, .to = 50}, threshold(60));
  ASSERT_TRUE(s.passed());
  EXPECT_EQ(s.passed()->load, 50);
}

TEST(LoadSearch, WholeLoadsStayWholeAndEnd) {
  const load_search s = run({.from = 1, .to = 10, .whole = true, .width_pct = 1}, threshold(6));
  ASSERT_TRUE(s.passed());
  ASSERT_TRUE(s.failed());
  EXPECT_EQ(s.passed()->load, 6);
  EXPECT_EQ(s.failed()->load, 7);
  for (const load_search::trial& t : s.trials()) EXPECT_EQ(t.load, std::floor(t.load));
}

TEST(LoadSearch, TrialsGrowFromTheShortestToTheFullLength) {
  const load_search s = run({.from = 1, .to = 1000, .shortest_pct = 1}, threshold(77));
  ASSERT_FALSE(s.trials().empty());
  EXPECT_DOUBLE_EQ(s.trials().front().share, 0.01);
  EXPECT_EQ(s.trials().back().share, 1);
  EXPECT_TRUE(std::is_sorted(s.trials().begin(), s.trials().end(),
                             [](const auto& a, const auto& b) { return a.share < b.share; }));
  const load_search full = run({.from = 1, .to = 1000, .shortest_pct = 100}, threshold(77));
  for (const load_search::trial& t : full.trials()) EXPECT_EQ(t.share, 1);
  ASSERT_TRUE(full.passed());
  EXPECT_LE(full.passed()->load, 77);
}

// A bound of short trials is a hint: the long ones overrule it, up and down.
TEST(LoadSearch, LongTrialsOverruleShortOnes) {
  for (const double long_limit : {300.0, 900.0}) {
    const load_search s =
        run({.from = 10, .to = 10000, .width_pct = 2}, [&](double load, double share) {
          return load <= (share < 1 ? 600.0 : long_limit) ? good : bad;
        });
    ASSERT_TRUE(s.passed());
    ASSERT_TRUE(s.failed());
    EXPECT_LE(s.passed()->load, long_limit);
    EXPECT_GT(s.failed()->load, long_limit);
    EXPECT_LE(s.failed()->load, s.passed()->load * 1.02);
  }
}

// A percentile that wants more samples than a short trial has hides nothing from the long ones.
TEST(LoadSearch, TrialsTooShortToTellAreFollowedByLongOnes) {
  const load_search s = run({.from = 10, .to = 1000}, [](double load, double share) {
    return share < 1 ? unknown : load <= 400 ? good : bad;
  });
  ASSERT_TRUE(s.passed());
  ASSERT_TRUE(s.failed());
  EXPECT_LE(s.passed()->load, 400);
  EXPECT_GT(s.failed()->load, 400);
  EXPECT_LE(s.failed()->load, s.passed()->load * 1.05);
  // Low loads have too few samples, high ones have enough.
  const load_search low = run({.from = 10, .to = 1000}, [](double load, double share) {
    return load * share < 50 ? unknown : load <= 400 ? good : bad;
  });
  ASSERT_TRUE(low.passed());
  EXPECT_LE(length(low), 9);
}

TEST(LoadSearch, AFullTrialThatCannotTellIsBad) {
  const load_search s = run({.from = 10, .to = 1000},
                            [](double load, double) { return load <= 400 ? good : unknown; });
  ASSERT_TRUE(s.passed());
  ASSERT_TRUE(s.failed());
  EXPECT_LE(s.failed()->load, s.passed()->load * 1.05);
}

// Three trials, half of which may fail: one that fails by bad luck is outvoted, and a load that
// passes by luck is too.
TEST(LoadSearch, TheMajorityOfThreeDecides) {
  int at_from = 0;
  const load_search s = run({.from = 10, .to = 10, .shortest_pct = 100},
                            [&](double, double) { return ++at_from == 1 ? bad : good; });
  ASSERT_TRUE(s.passed());
  EXPECT_EQ(s.passed()->good, 2u);
  EXPECT_EQ(s.passed()->bad, 1u);
  int lucky = 0;
  const load_search t = run({.from = 10, .to = 10, .shortest_pct = 100},
                            [&](double, double) { return ++lucky == 1 ? good : bad; });
  EXPECT_FALSE(t.passed());
  ASSERT_TRUE(t.failed());
  EXPECT_EQ(t.failed()->bad, 2u);
}

TEST(LoadSearch, WithoutExceptionsOneBadTrialIsEnough) {
  int made = 0;
  const load_search s =
      run({.from = 10, .to = 10, .trials = 5, .exceed_pct = 0, .shortest_pct = 100},
          [&](double, double) { return ++made == 5 ? bad : good; });
  EXPECT_FALSE(s.passed());
  ASSERT_TRUE(s.failed());
  EXPECT_EQ(s.failed()->good, 4u);
  EXPECT_EQ(s.failed()->bad, 1u);
  const load_search good_one =
      run({.from = 10, .to = 10, .trials = 5, .exceed_pct = 0, .shortest_pct = 100}, threshold(10));
  ASSERT_TRUE(good_one.passed());
  EXPECT_EQ(good_one.passed()->good, 5u);
}

// Higher loads may pass again: the answer lies below the lowest that fails (RFC 9971, relevant
// bounds).
TEST(LoadSearch, NothingAboveAFailingLoadIsTheAnswer) {
  const load_search s = run({.from = 1, .to = 1000}, [](double load, double) {
    return load < 30 || (load > 40 && load < 1000) ? good : bad;
  });
  ASSERT_TRUE(s.passed());
  ASSERT_TRUE(s.failed());
  EXPECT_LT(s.passed()->load, s.failed()->load);
}

double uniform(seeded_random& random) {
  return static_cast<double>(random.next() >> 11) / 9007199254740992.0;
}

// A system that meets its goals up to 1,000: near it by chance, the more so the shorter the trial,
// and one trial in twenty is spoilt by something else whatever the load.
std::function<trial_outcome(double, double)> noisy(seeded_random& random) {
  return [&random](double load, double share) {
    const double chance = 1 / (1 + std::exp(std::log(load / 1000) * 60 * std::sqrt(share)));
    const bool spoilt = uniform(random) < 0.05;
    return uniform(random) < chance && !spoilt ? good : bad;
  };
}

// One full trial a load, as RFC 2544 searches.
double bisect(double low, double high, double width, seeded_random& random) {
  const auto outcome = noisy(random);
  while (high > low * (1 + width)) {
    const double middle = std::sqrt(low * high);
    (outcome(middle, 1) == good ? low : high) = middle;
  }
  return low;
}

TEST(LoadSearch, NoiseMovesTheAnswerLessThanThatOfBisection) {
  constexpr std::size_t seeds = 1000;
  std::vector<double> ours;
  std::vector<double> plain;
  double cost = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    seeded_random random(seed);
    const load_search s = run({.from = 100, .to = 10000, .width_pct = 2}, noisy(random));
    ASSERT_TRUE(s.settled()) << seed;
    ours.push_back(std::fabs(std::log((s.passed() ? s.passed()->load : 100) / 1000)));
    cost += length(s) / seeds;
    seeded_random again(seed);
    plain.push_back(std::fabs(std::log(bisect(100, 10000, 0.02, again) / 1000)));
  }
  std::sort(ours.begin(), ours.end());
  std::sort(plain.begin(), plain.end());
  RecordProperty("ours_p90", std::to_string(ours[seeds * 9 / 10]));
  RecordProperty("ours_p99", std::to_string(ours[seeds * 99 / 100]));
  RecordProperty("plain_p90", std::to_string(plain[seeds * 9 / 10]));
  RecordProperty("plain_p99", std::to_string(plain[seeds * 99 / 100]));
  RecordProperty("full_trials", std::to_string(cost));
  EXPECT_LT(ours[seeds * 9 / 10], 0.05);
  EXPECT_GT(plain[seeds * 9 / 10], 3 * ours[seeds * 9 / 10]);
}

}  // namespace
}  // namespace mdp::cli
