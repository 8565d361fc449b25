#include "comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace mdp::cli {
namespace {

using scenario::json_value;
using ::testing::HasSubstr;
using ::testing::Not;

json_value result(const std::string& transport, double rate) {
  std::string runs;
  for (int i = 0; i < 8; ++i) {
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

// A result of one point with a figure for each run; NaN: that run has none.
json_value rates(const std::vector<double>& per_run, const std::string& point = "64") {
  std::string runs;
  for (std::size_t i = 0; i < per_run.size(); ++i) {
    if (std::isnan(per_run[i])) continue;
    if (!runs.empty()) runs += ',';
    runs += R"({"index": )" + std::to_string(i) + R"(, "messages": {"rate_per_s": )" +
            std::to_string(per_run[i]) + "}}";
  }
  return scenario::parse_json(R"({"scenario": "s", "point": {"size": )" + point +
                                  R"(}, "config": {}, "runs": [)" + runs + "]}",
                              "t");
}

verdict only_verdict(const comparison& c) {
  EXPECT_EQ(c.points.size(), 1u);
  EXPECT_EQ(c.points.at(0).metrics.size(), 1u);
  return c.points.at(0).metrics.at(0).is;
}

TEST(comparison, the_values_of_a_variable_are_paired_within_their_point) {
  const comparison c =
      compare_variable({result("io_uring", 2000), result("socket", 1000)}, {"", "", {}});
  const std::string text = text_of(c);
  EXPECT_THAT(text, HasSubstr("s size=64: transport io_uring against socket"));
  EXPECT_THAT(text, HasSubstr("messages/s       better: +99.")) << text;
  EXPECT_THAT(text, HasSubstr("A/A control")) << text;
  EXPECT_EQ(only_verdict(c), verdict::better);
  EXPECT_THROW(static_cast<void>(compare_variable({result("socket", 1)}, {"size_x", "", {}})),
               std::runtime_error);
}

TEST(comparison, two_sets_are_paired_by_point) {
  const comparison c =
      compare_sets({result("socket", 1000)}, {result("socket", 1001), result("io_uring", 1)}, {});
  const std::string text = text_of(c);
  EXPECT_EQ(only_verdict(c), verdict::no_difference);
  EXPECT_THAT(text, Not(HasSubstr("io_uring size=64: second")));
  // A point that only one side has is no answer.
  EXPECT_THAT(text, HasSubstr("transport=io_uring: no partner"));
  EXPECT_FALSE(c.conclusive());
}

TEST(comparison, the_direction_and_the_least_effect_give_the_verdict) {
  const json_value before = rates({100, 101, 99, 100.5, 102, 98, 100.2, 99.7});
  const json_value slower = rates({80, 81, 79, 80.5, 82, 78, 80.2, 79.7});
  EXPECT_EQ(only_verdict(compare_sets({before}, {slower}, {})), verdict::worse);
  EXPECT_EQ(only_verdict(compare_sets({slower}, {before}, {})), verdict::better);
  EXPECT_EQ(only_verdict(compare_sets({before}, {slower}, {"", "", 60.0})), verdict::no_difference);
}

TEST(comparison, equal_figures_are_identical_and_conclusive_from_the_first_pair) {
  const comparison c = compare_sets({rates({100})}, {rates({100})}, {});
  EXPECT_EQ(only_verdict(c), verdict::identical);
  EXPECT_TRUE(c.conclusive());
}

TEST(comparison, too_few_pairs_never_show_a_difference) {
  const comparison c =
      compare_sets({rates({100, 101, 102, 103, 104})}, {rates({300, 301, 302, 303, 304})}, {});
  EXPECT_EQ(only_verdict(c), verdict::too_few_pairs);
  EXPECT_THAT(text_of(c), HasSubstr("n=5; at least 7 pairs are needed"));
  EXPECT_FALSE(c.conclusive());
}

TEST(comparison, runs_are_paired_by_index_and_a_missing_one_costs_its_pair) {
  const double none = std::nan("");
  const comparison c = compare_sets({rates({1, none, 4, 8})}, {rates({2, 7, 8, 16})}, {});
  const ratio_estimate& e = c.points.at(0).metrics.at(0).estimate;
  EXPECT_EQ(e.n, 3u);
  EXPECT_DOUBLE_EQ(e.median, 2);
}

TEST(comparison, what_only_one_side_measured_is_said_and_asks_no_question) {
  const comparison c = compare_sets({rates({100, 101})}, {rates({0, 0})}, {});
  EXPECT_EQ(only_verdict(c), verdict::one_sided);
  EXPECT_THAT(text_of(c), HasSubstr("one side only"));
  EXPECT_FALSE(c.conclusive());
}

// The machine was twice as fast in every second run: the sides differ, and so do they themselves.
TEST(comparison, a_control_that_differs_makes_the_comparison_inconclusive) {
  std::vector<double> before;
  std::vector<double> after;
  for (int i = 0; i < 16; ++i) {
    const bool fast = i % 4 == 1 || i % 4 == 2;
    before.push_back((fast ? 200 : 100) + i);
    after.push_back(before.back() * 1.5);
  }
  const comparison c = compare_sets({rates(before)}, {rates(after)}, {});
  EXPECT_EQ(only_verdict(c), verdict::inconclusive);
  EXPECT_THAT(text_of(c), HasSubstr("differs: messages/s"));
  EXPECT_FALSE(c.conclusive());
}

TEST(comparison, more_questions_need_more_pairs) {
  std::vector<json_value> before;
  std::vector<json_value> after;
  for (int i = 0; i < 10; ++i) {
    before.push_back(rates({100, 101, 99, 100.5, 102, 98, 100.2, 99.7}, std::to_string(i)));
    after.push_back(rates({150, 151, 149, 150.5, 152, 148, 150.2, 149.7}, std::to_string(i)));
  }
  const comparison c = compare_sets(before, after, {});
  EXPECT_TRUE(c.any(verdict::too_few_pairs));
  EXPECT_FALSE(c.any(verdict::better));
  EXPECT_THAT(text_of(c), HasSubstr("corrected for 10 questions"));
}

}  // namespace
}  // namespace mdp::cli
