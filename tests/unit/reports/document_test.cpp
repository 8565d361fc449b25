// What is no result document is refused in one line that says what to do.
#include "document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "figures.hpp"
#include "mdp/reports/reports.hpp"
#include "samples.hpp"

namespace mdp::reports {
namespace {

using test::complaint_of;
using testing::HasSubstr;

std::string refusal(const std::string& text) {
  return complaint_of([&] { (void)table_text({text}); });
}

TEST(document, refuses_text_that_is_not_json) {
  const std::string cut = test::golden("lossy-wan.json").substr(0, 700);
  EXPECT_THAT(refusal(cut), testing::AllOf(HasSubstr("result 1"), HasSubstr("not JSON"),
                                           testing::Not(HasSubstr("\n"))));
}

TEST(document, refuses_other_documents) {
  EXPECT_THAT(refusal("{}"), HasSubstr("no schema"));
  EXPECT_THAT(refusal("[1, 2]"), HasSubstr("no schema"));
  EXPECT_THAT(refusal(R"({"schema":"mdp-result/2"})"), HasSubstr("mdp-result/2"));
}

TEST(document, refuses_nesting_that_could_overflow_the_stack) {
  EXPECT_THAT(refusal(std::string(2000000, '[')), HasSubstr("nested deeper"));
}

TEST(document, refuses_an_empty_list) {
  EXPECT_THAT(complaint_of([] { (void)table_text({}); }), HasSubstr("no result"));
}

TEST(document, members_of_the_wrong_type_are_missing_figures) {
  const result_document d = parse_document(
      test::small_result(
          R"("point":7,"reasons":null,"asserts":{},"runs":[3,{"messages":"none","latency":)"
          R"({"response":{"count":"many","hdr":{"counts":[[1],[-5,2],["x",1],[10,0]]}}},)"
          R"("series":{"p99_us":{}}}])"),
      "result");
  ASSERT_EQ(d.runs.size(), 2U);
  EXPECT_FALSE(d.runs[1].messages_per_s);
  EXPECT_TRUE(d.runs[1].latencies.empty());
  EXPECT_TRUE(d.runs[1].series.p99_us.empty());
}

TEST(document, percentile_needs_ten_samples_beyond_it) {
  latency_record l;
  l.count = 1000;
  l.buckets = {{1000, 990}, {5000, 10}};
  EXPECT_EQ(percentile_us(l, 99), 1.0);
  EXPECT_EQ(percentile_us(l, 99.1), std::nullopt);
}

TEST(document, merged_percentiles_agree_with_those_the_result_states) {
  const result_document d = parse_document(test::golden("lossy-wan.json"), "lossy-wan");
  ASSERT_EQ(d.runs.size(), 1U);
  const latency_record merged = merged_latency(d, "delivered");
  ASSERT_FALSE(merged.percentiles_us.empty());
  for (const auto& [p, stated] : merged.percentiles_us) {
    EXPECT_EQ(percentile_us(merged, p), stated) << p;
  }
}

TEST(document, numbers_are_written_for_people) {
  EXPECT_EQ(number_text(1234567.8), "1,234,568");
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(number_text(0.0123), "0.0123");
  EXPECT_EQ(number_text(-4321), "-4,321");
  EXPECT_EQ(number_text(std::nullopt), "–");
  EXPECT_EQ(latency_text(25.34), "25.3");
}

}  // namespace
}  // namespace mdp::reports
