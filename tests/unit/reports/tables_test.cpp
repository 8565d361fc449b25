// The text table, CSV and percentile lists, against golden files: to accept a change, look at it
// and copy what the failure prints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mdp/reports/reports.hpp"
#include "samples.hpp"

namespace mdp::reports {
namespace {

using test::complaint_of;
using testing::HasSubstr;
using testing::Not;

TEST(table, equals_the_golden_text) {
  EXPECT_EQ(table_text(test::all_samples()), test::golden("table.txt"));
}

TEST(table, shows_missing_figures_as_dashes_and_never_as_zero) {
  const std::string table = table_text({test::small_result(
      R"("status":"ok","runs":[{"messages":{"rate_per_s":null},"packets":{"retransmitted":null},)"
      R"("latency":{"response":{"count":20,"p50_us":7.5,"p99_us":null}}}])")});
  const std::string row = table.substr(table.find('\n') + 1);
  EXPECT_THAT(row, HasSubstr("7.50"));
  EXPECT_THAT(row, HasSubstr("–"));
  EXPECT_THAT(row, Not(HasSubstr(" 0 ")));
}

TEST(table, colour_adds_only_escape_sequences) {
  const std::vector<std::string> samples = test::all_samples();
  std::string coloured = table_text(samples, true);
  EXPECT_THAT(coloured, HasSubstr("\x1b[32mok"));
  for (const std::string code : {"\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m"}) {
    for (std::size_t at = 0; (at = coloured.find(code)) != std::string::npos;) {
      coloured.erase(at, code.size());
    }
  }
  EXPECT_EQ(coloured, table_text(samples, false));
}

TEST(table, percentiles_of_several_runs_are_of_all_samples_together) {
  // Run 1: 30 samples of 1 µs. Run 2: 10 of 1 µs and 60 of 9 µs. Together the median is 9 µs; the
  // mean of the two medians would be 5.
  const std::string run1 =
      R"({"latency":{"response":{"count":30,"p50_us":1,"hdr":{"counts":[[1000,30]]}}}})";
  const std::string run2 =
      R"({"latency":{"response":{"count":70,"p50_us":9,"hdr":{"counts":[[1000,10],[9000,60]]}}}})";
  const std::string both = table_text({test::small_result("\"runs\":[" + run1 + "," + run2 + "]")});
  EXPECT_THAT(both, HasSubstr(" 9.00 "));
  EXPECT_THAT(both, Not(HasSubstr("5.00")));
}

TEST(table, stated_percentiles_of_several_runs_without_histograms_are_not_combined) {
  const std::string run = R"({"latency":{"response":{"count":30,"p50_us":4.25}}})";
  EXPECT_THAT(table_text({test::small_result("\"runs\":[" + run + "]")}), HasSubstr("4.25"));
  EXPECT_THAT(table_text({test::small_result("\"runs\":[" + run + "," + run + "]")}),
              Not(HasSubstr("4.25")));
}

TEST(csv, equals_the_golden_text) {
  EXPECT_EQ(csv_text(test::all_samples()), test::golden("table.csv"));
}

TEST(csv, quotes_what_would_break_a_row) {
  const std::string csv = csv_text({test::small_result(R"("point":{"note":"a,\"b\"\nc"})")});
  EXPECT_THAT(csv, HasSubstr("\"a,\"\"b\"\"\nc\""));
}

TEST(hgrm, lists_each_bucket_and_ends_at_all_samples) {
  const std::string text = hgrm_text(
      test::small_result(R"("runs":[{"latency":{"response":{"count":4,"mean_us":2.5,"max_us":4,)"
                         R"("hdr":{"counts":[[1000,1],[2000,1],[3000,1],[4000,1]]}}}}])"),
      "response");
  EXPECT_EQ(text,
            "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
            "       1.000 0.250000000000          1           1.33\n"
            "       2.000 0.500000000000          2           2.00\n"
            "       3.000 0.750000000000          3           4.00\n"
            "       4.000 1.000000000000          4\n"
            "#[Mean    =        2.500, StdDeviation   =        1.118]\n"
            "#[Max     =        4.000, Total count    =            4]\n"
            "#[Buckets =           34, SubBuckets     =         2048]\n");
}

TEST(hgrm, names_the_kinds_there_are_when_asked_for_another) {
  const std::string sample = test::golden("lossy-wan.json");
  EXPECT_THAT(complaint_of([&] { (void)hgrm_text(sample, "response"); }),
              testing::AllOf(HasSubstr("'response'"), HasSubstr("delivered")));
}

// What Google Benchmark's compare.py reads of each benchmark.
TEST(gbench, has_one_benchmark_for_each_run_with_the_keys_that_compare_reads) {
  const std::string text = gbench_text({test::golden("quickstart-stream-socket.json")});
  for (const char* key : {"\"benchmarks\"", "\"name\"", "\"run_type\": \"iteration\"",
                          "\"real_time\"", "\"cpu_time\"", "\"time_unit\": \"us\"",
                          "\"repetition_index\": 0", "\"items_per_second\""}) {
    EXPECT_NE(text.find(key), std::string::npos) << key << text;
  }
  EXPECT_NE(text.find("quickstart/"), std::string::npos) << text;
  // A result without a latency is no benchmark.
  EXPECT_EQ(gbench_text({test::golden("no-figures.json")}).find("real_time"), std::string::npos);
}

}  // namespace
}  // namespace mdp::reports
