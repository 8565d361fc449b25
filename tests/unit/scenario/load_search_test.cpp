#include "load_search.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "mdp/base/random.hpp"

namespace mdp::cli {
namespace {

template <class Passes>
load_search run(load_search s, Passes&& passes) {
  while (const auto load = s.next()) s.tell(passes(*load));
  return s;
}

TEST(LoadSearch, FindsAThresholdToItsPrecision) {
  for (const double limit : {101.0, 1234.0, 9876.0, 54321.0, 99000.0}) {
    const load_search s =
        run({100, 100000, 2, false}, [limit](double load) { return load <= limit; });
    ASSERT_TRUE(s.passed());
    ASSERT_TRUE(s.failed());
    EXPECT_LE(*s.passed(), limit);
    EXPECT_GT(*s.failed(), limit);
    EXPECT_LE(*s.failed(), *s.passed() * 1.02);
    EXPECT_LE(s.trials().size(), 16u);
  }
}

TEST(LoadSearch, SaysWhenNothingPassesAndWhenEverythingDoes) {
  const load_search none = run({10, 100, 5, false}, [](double) { return false; });
  EXPECT_FALSE(none.passed());
  EXPECT_EQ(none.trials().size(), 1u);
  const load_search all = run({10, 100, 5, false}, [](double) { return true; });
  EXPECT_EQ(all.passed(), 100);
  EXPECT_FALSE(all.failed());
}

TEST(LoadSearch, WholeLoadsStayWholeAndEnd) {
  const load_search s = run({1, 10, 1, true}, [](double load) { return load <= 6; });
  EXPECT_EQ(s.passed(), 6);
  EXPECT_EQ(s.failed(), 7);
  for (const load_trial& t : s.trials()) EXPECT_EQ(t.load, std::floor(t.load));
}

TEST(LoadSearch, ALoadThatPassedOnceByLuckIsTakenBack) {
  int at_60 = 0;
  const load_search s = run({10, 100, 5, true}, [&](double load) {
    if (load > 55 && load < 65) return ++at_60 == 1;
    return load <= 50;
  });
  ASSERT_TRUE(s.passed());
  EXPECT_LE(*s.passed(), 50);
  EXPECT_GE(*s.passed(), 44);
}

// Near the limit trials pass by chance: half of them at 1,000, one in eight at 1,050.
TEST(LoadSearch, NoiseMovesTheAnswerLittle) {
  int near = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    seeded_random random(seed);
    const load_search s = run({100, 10000, 2, false}, [&](double load) {
      const double chance = 1 / (1 + std::exp((load / 1000 - 1) * 40));
      return static_cast<double>(random.next() >> 11) / 9007199254740992.0 < chance;
    });
    ASSERT_LE(s.trials().size(), load_search::trials_max);
    near += s.passed() && *s.passed() > 900 && *s.passed() < 1060 ? 1 : 0;
  }
  EXPECT_GE(near, 190);
}

}  // namespace
}  // namespace mdp::cli
