// Files of the plots, and what happens without gnuplot or without a folder to write to.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "gnuplot.hpp"
#include "mdp/reports/reports.hpp"
#include "plot_data.hpp"
#include "samples.hpp"

namespace mdp::reports {
namespace {

namespace fs = std::filesystem;
using test::complaint_of;
using testing::HasSubstr;

// PATH is `value` while this lives.
class path_override {
 public:
  explicit path_override(const std::string& value) {
    const char* now = getenv("PATH");
    before_ = now == nullptr ? "" : now;
    setenv("PATH", value.c_str(), 1);
  }
  ~path_override() { setenv("PATH", before_.c_str(), 1); }
  path_override(const path_override&) = delete;
  path_override& operator=(const path_override&) = delete;

 private:
  std::string before_;
};

TEST(plots, every_picture_exists_with_its_script_and_data) {
  if (!gnuplot_problem().empty()) GTEST_SKIP() << gnuplot_problem();
  const test::scratch_folder folder;
  const report_outcome outcome =
      write_report(test::all_samples(), {folder.path().string(), "", {}, {}});
  EXPECT_TRUE(outcome.warnings.empty()) << outcome.warnings.front();
  // 3 groups with all three kinds, and one that has no throughput; two formats each.
  EXPECT_EQ(outcome.plot_paths.size(), 22U);
  for (const std::string& file : outcome.plot_paths) {
    EXPECT_GT(fs::file_size(file), 1000U) << file;
    EXPECT_GT(fs::file_size(fs::path(file).replace_extension(".gp")), 100U) << file;
    EXPECT_GT(fs::file_size(fs::path(file).replace_extension(".dat")), 30U) << file;
  }
}

TEST(plots, are_drawn_with_characters_when_asked_for) {
  if (!gnuplot_problem().empty()) GTEST_SKIP() << gnuplot_problem();
  const test::scratch_folder folder;
  const report_outcome outcome =
      write_report({test::golden("quickstart-stream-socket.json")},
                   {folder.path().string(), "", {"percentiles"}, {}, true});
  EXPECT_TRUE(outcome.warnings.empty()) << outcome.warnings.front();
  EXPECT_THAT(outcome.console, HasSubstr("Latency by percentile"));
  EXPECT_THAT(outcome.console, HasSubstr("percentile of messages"));
  EXPECT_THAT(outcome.console, HasSubstr("99.9 %"));
  // Without a grid the curve and its sample in the legend are all that is drawn inside.
  EXPECT_LT(std::count(outcome.console.begin(), outcome.console.end(), '*'), 200);
  EXPECT_FALSE(fs::exists(folder.path() / "plots/quickstart-stream-percentiles.dumb"));
}

TEST(plots, without_gnuplot_the_page_is_written_and_the_remedy_named) {
  const test::scratch_folder folder;
  const test::scratch_folder empty;
  report_outcome outcome;
  {
    const path_override nothing(empty.path().string());
    outcome = write_report(test::all_samples(), {folder.path().string(), "Plain", {}, {}});
  }
  ASSERT_EQ(outcome.warnings.size(), 1U);
  EXPECT_THAT(outcome.warnings[0], HasSubstr("apt-get install gnuplot-nox"));
  EXPECT_TRUE(outcome.plot_paths.empty());
  const std::string page = test::text_of_file(outcome.html_path);
  EXPECT_THAT(page, HasSubstr("84,000"));
  EXPECT_THAT(page, HasSubstr("apt-get install gnuplot-nox"));
  EXPECT_TRUE(fs::exists(folder.path() / "plots/lossy-wan-stream-percentiles.gp"));
}

TEST(plots, a_gnuplot_that_fails_is_a_warning_with_its_words) {
  const test::scratch_folder folder;
  const test::scratch_folder tools;
  const fs::path fake = tools.path() / "gnuplot";
  std::ofstream(fake) << "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\n"
                         "echo 'no terminal of that name' >&2\nexit 3\n";
  fs::permissions(fake, fs::perms::owner_all);
  report_outcome outcome;
  {
    const path_override only(tools.path().string());
    outcome = write_report({test::golden("lossy-wan.json")},
                           {folder.path().string(), "", {"percentiles"}, {}});
  }
  ASSERT_EQ(outcome.warnings.size(), 2U);
  EXPECT_THAT(outcome.warnings[0], HasSubstr("status 3: no terminal of that name"));
  EXPECT_TRUE(outcome.plot_paths.empty());
  EXPECT_TRUE(fs::exists(outcome.html_path));
}

TEST(plots, a_gnuplot_that_cannot_even_start_is_told_from_a_missing_one) {
  const test::scratch_folder tools;
  const fs::path fake = tools.path() / "gnuplot";
  const path_override only(tools.path().string());
  EXPECT_THAT(gnuplot_problem(), HasSubstr("not installed"));
  std::ofstream(fake) << "#!/bin/sh\nexit 7\n";
  fs::permissions(fake, fs::perms::owner_all);
  EXPECT_THAT(gnuplot_problem(), HasSubstr("is installed but fails (status 7)"));
  std::ofstream(fake) << "#!/bin/sh\nexit 0\n";
  EXPECT_EQ(gnuplot_problem(), "");
}

TEST(plots, an_output_folder_that_cannot_be_made_is_named) {
  const test::scratch_folder folder;
  const fs::path blocked = folder.path() / "a-file";
  std::ofstream(blocked) << "in the way";
  const std::string target = (blocked / "report").string();
  EXPECT_THAT(complaint_of([&] {
                write_report(test::all_samples(), {target, "", {}, {}});
              }),
              testing::AllOf(HasSubstr(target), HasSubstr("-o"), testing::Not(HasSubstr("\n"))));
}

TEST(plots, an_output_folder_that_is_read_only_is_named) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write to every folder";
  const test::scratch_folder folder;
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_THAT(complaint_of([&] {
                write_report(test::all_samples(), {folder.path().string(), "", {}, {}});
              }),
              HasSubstr(folder.path().string()));
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST(plots, a_page_that_cannot_be_written_is_named) {
  const test::scratch_folder folder;
  // A folder stands where the page should: rename refuses it, for root too.
  fs::create_directories(folder.path() / "report.html" / "occupied");
  EXPECT_THAT(
      complaint_of([&] {
        write_report({test::golden("no-figures.json")}, {folder.path().string(), "", {}, {}});
      }),
      HasSubstr("report.html"));
}

TEST(plots, an_unknown_kind_is_refused_with_the_known_ones) {
  EXPECT_THAT(complaint_of([] {
                write_report(test::all_samples(), {"", "", {"pie"}, {}});
              }),
              testing::AllOf(HasSubstr("'pie'"), HasSubstr("throughput_bars")));
}

TEST(plots, results_share_an_axis_only_within_scenario_and_pattern) {
  const std::vector<result_document> results = parse_documents(test::all_samples());
  const std::vector<result_group> groups = group_results(results);
  ASSERT_EQ(groups.size(), 4U);
  EXPECT_EQ(groups[0].labels, (std::vector<std::string>{"socket", "io_uring"}));
  EXPECT_EQ(groups[1].name, "quickstart, stream");
  EXPECT_EQ(groups[3].labels,
            (std::vector<std::string>{"size=64", "size=9000"}));  // one measured nothing
  for (const result_group& g : groups) {
    for (const result_document* r : g.results) EXPECT_EQ(r->scenario, g.results[0]->scenario);
  }
}

TEST(plots, files_of_groups_never_share_a_name) {
  const std::string a = R"({"schema":"mdp-result/1","id":"1","scenario":"a b"})";
  const std::string b = R"({"schema":"mdp-result/1","id":"2","scenario":"a/b"})";
  const std::string c = R"({"schema":"mdp-result/1","id":"3","scenario":"a-b"})";
  const std::vector<result_document> results = parse_documents({a, b, c});
  std::vector<std::string> stems;
  for (const result_group& g : group_results(results)) stems.push_back(g.file_stem);
  std::sort(stems.begin(), stems.end());
  ASSERT_EQ(stems.size(), 3U);
  EXPECT_EQ(std::unique(stems.begin(), stems.end()), stems.end());
}

TEST(plots, one_value_for_every_message_is_a_level_line) {
  const std::vector<result_document> results = parse_documents({test::small_result(
      R"("runs":[{"latency":{"response":{"hdr":{"counts":[[270000,5000]]}}}}])")});
  const std::vector<result_group> groups = group_results(results);
  const percentile_curves c = percentile_curves_of(groups.at(0));
  EXPECT_THAT(c.data, HasSubstr("\n1 270\n500 270\n"));  // ends with 10 samples beyond
  EXPECT_EQ(c.x_max, 500);
}

// A point of a load sweep: what was offered and delivered each second, and one latency for all.
std::string load_result(int offered, int delivered, int us, int size) {
  return fmt::format(R"({{"schema":"mdp-result/1","id":"{0}-{3}","scenario":"s",)"
                     R"("point":{{"rate":{0},"size":{3}}},)"
                     R"("config":{{"flows":[{{"size_bytes":{3},"load":{{"rate_per_s":{0}}}}}]}},)"
                     R"("runs":[{{"offered":{{"rate_per_s":{0}}},"messages":{{"rate_per_s":{1}}},)"
                     R"("bytes":{{"payload_per_s":{4}}},)"
                     R"("latency":{{"response":{{"hdr":{{"counts":[[{2}000,5000]]}}}}}}}}]}})",
                     offered, delivered, us, size, delivered * size);
}

load_curves load_curves_of_texts(const std::vector<std::string>& texts) {
  const std::vector<result_document> results = parse_documents(texts);
  return load_curves_of(group_results(results).at(0));
}

TEST(plots, results_that_differ_in_their_load_only_are_a_load_curve) {
  const load_curves c =
      load_curves_of_texts({load_result(9000, 8000, 900, 100), load_result(1000, 1000, 20, 100),
                            load_result(4000, 4000, 30, 100)});
  ASSERT_EQ(c.blocks, std::vector<std::string>{""});
  EXPECT_THAT(c.data, HasSubstr("1000 1000 100000 20 20\n4000 4000 400000 30 30\n"
                                "9000 8000 800000 900 900\n"));
  EXPECT_EQ(c.bytes_per_message, 100);
  EXPECT_GE(c.offered.high, 9000);
  EXPECT_LE(c.y.low, 20);
  EXPECT_GE(c.y.high, 900);
}

TEST(plots, two_loads_or_other_sizes_are_no_load_curve) {
  const std::string first = load_result(1000, 1000, 20, 100);
  const std::string second = load_result(4000, 4000, 30, 100);
  EXPECT_TRUE(load_curves_of_texts({first, second}).blocks.empty());
  EXPECT_TRUE(
      load_curves_of_texts({first, second, load_result(9000, 8000, 900, 64)}).blocks.empty());
  // The same load again says nothing of other loads.
  EXPECT_TRUE(load_curves_of_texts({first, first, first}).blocks.empty());
}

TEST(plots, load_curves_of_several_sizes_are_told_apart) {
  std::vector<std::string> texts;
  for (const int size : {64, 100}) {
    for (const int rate : {1000, 2000, 3000}) texts.push_back(load_result(rate, rate, 20, size));
  }
  const load_curves c = load_curves_of_texts(texts);
  EXPECT_EQ(c.blocks, (std::vector<std::string>{"size=64", "size=100"}));
  EXPECT_EQ(c.bytes_per_message, 0);  // no one scale of bytes fits both
}

TEST(plots, a_load_curve_is_drawn) {
  if (!gnuplot_problem().empty()) GTEST_SKIP() << gnuplot_problem();
  const test::scratch_folder folder;
  const report_outcome outcome =
      write_report({load_result(1000, 1000, 20, 100), load_result(4000, 4000, 30, 100),
                    load_result(9000, 8000, 900, 100)},
                   {folder.path().string(), "", {"load_curve"}, {}});
  EXPECT_TRUE(outcome.warnings.empty()) << outcome.warnings.front();
  EXPECT_EQ(outcome.plot_paths.size(), 2U);
  EXPECT_THAT(test::text_of_file(outcome.html_path), HasSubstr("all that was offered"));
}

TEST(plots, the_latency_axis_covers_what_is_shown) {
  for (const auto& [low, high] : {std::pair(18.0, 640.0), {50000.0, 50001.0}, {0.3, 9e6}}) {
    const axis a = latency_axis(low, high);
    EXPECT_LE(a.low, low);
    EXPECT_GE(a.high, high);
    EXPECT_GE(a.tics.size(), 2U);
    EXPECT_LE(a.tics.size(), 16U);
  }
  EXPECT_EQ(latency_axis(18, 640).tics.front().second, "10 µs");
  EXPECT_EQ(latency_axis(18, 640).tics.back().second, "1 ms");
}

}  // namespace
}  // namespace mdp::reports
