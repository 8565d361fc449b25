// Of many causes the few that suffice are found, in few tests.
#include "trace/ddmin.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace mdp::trace::test {
namespace {

using list = std::vector<int>;

minimised<int> search(int count, const std::set<int>& needed, std::size_t tests_max = 10'000) {
  list all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return ddmin<int>(
      all,
      [&](const list& subset) {
        const std::set<int> given(subset.begin(), subset.end());
        return std::includes(given.begin(), given.end(), needed.begin(), needed.end());
      },
      tests_max);
}

TEST(Ddmin, FindsExactlyTheCauses) {
  for (const std::set<int>& needed :
       {std::set<int>{}, {0}, {999}, {500}, {3, 700}, {0, 1, 2}, {1, 400, 401, 998}}) {
    const auto found = search(1000, needed);
    EXPECT_EQ(found.items, list(needed.begin(), needed.end()));
    EXPECT_TRUE(found.minimal);
    EXPECT_LE(found.tests, 300u);
  }
}

TEST(Ddmin, OneOfTwoCausesIsEnough) {
  const auto found = ddmin<int>(
      {1, 2, 3, 4, 5, 6, 7, 8},
      [](const list& l) {
        return std::count(l.begin(), l.end(), 2) + std::count(l.begin(), l.end(), 7) > 0;
      },
      100);
  EXPECT_EQ(found.items.size(), 1u);
}

// A failure that needs a number of items, whichever.
TEST(Ddmin, EveryItemLeftIsNeeded) {
  const auto found = ddmin<int>(
      list(64, 1), [](const list& l) { return l.size() >= 5; }, 1000);
  EXPECT_EQ(found.items.size(), 5u);
  EXPECT_TRUE(found.minimal);
}

TEST(Ddmin, SaysWhenItGaveUp) {
  const auto found = search(1000, {1, 400, 401, 998}, 10);
  EXPECT_FALSE(found.minimal);
  EXPECT_LE(found.tests, 10u);
  EXPECT_GE(found.items.size(), 4u);
}

}  // namespace
}  // namespace mdp::trace::test
