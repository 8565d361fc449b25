#include "comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mdp::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(comparison, equal_samples_show_no_difference) {
  const std::vector<double> a{10, 11, 9, 10, 12, 10};
  const auto e = estimate_ratio(a, a);
  ASSERT_TRUE(e);
  EXPECT_DOUBLE_EQ(e->median, 1);
  EXPECT_THAT(verdict(*e, 5), HasSubstr("no difference shown"));
}

TEST(comparison, a_clear_difference_is_shown_with_interval_and_n) {
  const auto e = estimate_ratio({100, 101, 99, 100, 102, 98}, {150, 149, 151, 152, 148, 150});
  ASSERT_TRUE(e);
  EXPECT_NEAR(e->median, 1.5, 0.05);
  EXPECT_GT(e->low, 1.4);
  EXPECT_LT(e->high, 1.6);
  EXPECT_THAT(verdict(*e, 5), HasSubstr("n=6"));
  EXPECT_THAT(verdict(*e, 5), Not(HasSubstr("no difference")));
  // The same difference is too small for a reader who asked for 60 %.
  EXPECT_THAT(verdict(*e, 60), HasSubstr("no difference shown"));
}

TEST(comparison, noise_around_one_shows_no_difference) {
  const auto e = estimate_ratio({100, 100, 100, 100, 100, 100}, {80, 125, 70, 130, 90, 115});
  ASSERT_TRUE(e);
  EXPECT_LT(e->low, 1);
  EXPECT_GT(e->high, 1);
  EXPECT_THAT(verdict(*e, 1), HasSubstr("no difference shown"));
}

TEST(comparison, too_few_pairs_never_show_a_difference) {
  const auto e = estimate_ratio({100, 100}, {300, 300});
  ASSERT_TRUE(e);
  EXPECT_THAT(verdict(*e, 5), HasSubstr("at least 5 pairs are needed"));
  EXPECT_FALSE(estimate_ratio({}, {1}));
  EXPECT_FALSE(estimate_ratio({0}, {1}));
}

scenario::json_value result(const std::string& transport, double rate) {
  std::string runs;
  for (int i = 0; i < 6; ++i) {
    if (i > 0) runs += ',';
    runs += R"({"messages": {"rate_per_s": )";
    runs += std::to_string(rate + i);
    runs += "}, \"latency\": null}";
  }
  std::string text = R"({"scenario": "s", "point": {"transport": ")";
  text += transport;
  text += R"(", "size": 64}, "config": {"compare": {"var": "transport", "baseline": "socket"}}, )";
  text += R"("runs": [)";
  text += runs;
  text += "]}";
  return scenario::parse_json(text, "t");
}

TEST(comparison, the_values_of_a_variable_are_paired_within_their_point) {
  const std::string text =
      compare_variable({result("io_uring", 2000), result("socket", 1000)}, {"", "", {}});
  EXPECT_THAT(text, HasSubstr("s size=64: transport io_uring against socket"));
  EXPECT_THAT(text, HasSubstr("messages/s"));
  EXPECT_THAT(text, HasSubstr("+99.")) << text;
  EXPECT_THROW(static_cast<void>(compare_variable({result("socket", 1)}, {"size_x", "", {}})),
               std::runtime_error);
}

TEST(comparison, two_sets_are_paired_by_point) {
  const std::string text =
      compare_sets({result("socket", 1000)}, {result("socket", 1001), result("io_uring", 1)}, {});
  EXPECT_THAT(text, HasSubstr("no difference shown"));
  EXPECT_THAT(text, Not(HasSubstr("io_uring")));
}

}  // namespace
}  // namespace mdp::cli
