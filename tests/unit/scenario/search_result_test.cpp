#include "search_result.hpp"

#include <gtest/gtest.h>

namespace mdp::cli {
namespace {

trial_outcome judged(const std::string& text) {
  return judge_trial(scenario::parse_json(text, "trial"));
}

TEST(SearchResult, ATrialIsGoodWhenEveryAssertionHolds) {
  EXPECT_EQ(judged(R"({"status": "ok", "asserts": [
      {"actual": 1, "pass": true}, {"actual": 2, "pass": true}]})"),
            trial_outcome::good);
  EXPECT_EQ(judged(R"({"status": "ok", "asserts": [
      {"actual": 1, "pass": true}, {"actual": 2, "pass": false}]})"),
            trial_outcome::bad);
}

TEST(SearchResult, AFigureThatIsMissingCannotTellButOneThatFailsCan) {
  EXPECT_EQ(judged(R"({"status": "ok", "asserts": [
      {"actual": null, "pass": false}, {"actual": 2, "pass": true}]})"),
            trial_outcome::unknown);
  EXPECT_EQ(judged(R"({"status": "ok", "asserts": [
      {"actual": null, "pass": false}, {"actual": 2, "pass": false}]})"),
            trial_outcome::bad);
}

TEST(SearchResult, ARunKnownToBeUnsteadyIsBadAndOneTooShortToTellIsNot) {
  EXPECT_EQ(judged(R"({"status": "inconclusive", "asserts": [{"actual": 1, "pass": true}],
      "runs": [{"steady": {"reached": true}}, {"steady": {"reached": false}}]})"),
            trial_outcome::bad);
  EXPECT_EQ(judged(R"({"status": "inconclusive", "asserts": [{"actual": 1, "pass": true}],
      "runs": [{"steady": {"reached": null}}]})"),
            trial_outcome::unknown);
  EXPECT_EQ(judged(R"({"status": "failed", "asserts": []})"), trial_outcome::bad);
}

TEST(SearchResult, ConditionalThroughputLeavesTheShareThatMayFail) {
  EXPECT_FALSE(conditional_throughput({}, 50));
  EXPECT_EQ(conditional_throughput({7}, 50), 7);
  EXPECT_EQ(conditional_throughput({1, 3, 2}, 50), 2);
  EXPECT_EQ(conditional_throughput({1, 4, 3, 2}, 0), 1);
  EXPECT_EQ(conditional_throughput({1, 4, 3, 2}, 25), 2);
}

TEST(SearchResult, SaysWhatPassesAndWhatFailsAndWhy) {
  search_outcome o{"curve",
                   "0123456789ab",
                   {{"size", "64"}},
                   "rate",
                   load_search::bound{9200, 2, 1},
                   load_search::bound{9300, 0, 2},
                   9187.04,
                   14,
                   true};
  EXPECT_EQ(text_of(o),
            "curve size=64: rate passes at 9200 (2 of 3 trials; 9187.0 messages/s), "
            "fails at 9300 (2 of 2 trials); 14 trials\n");
  o.failed.reset();
  o.settled = false;
  EXPECT_EQ(text_of(o),
            "curve size=64: rate passes at 9200 (2 of 3 trials; 9187.0 messages/s); 14 trials, "
            "ended before the bounds were as close as asked\n");
  o.passed.reset();
  EXPECT_EQ(text_of(o),
            "curve size=64: rate passes nowhere; 14 trials, "
            "ended before the bounds were as close as asked\n");
  const std::string json = json_of({o});
  const scenario::json_value parsed = scenario::parse_json(json, "searches.json");
  EXPECT_EQ(parsed.items.at(0).at("point", "size")->number, 64);
  EXPECT_TRUE(parsed.items.at(0).find("passes")->is(scenario::json_kind::null));
}

}  // namespace
}  // namespace mdp::cli
