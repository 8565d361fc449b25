// The page: well formed, complete, ids unique, nothing loaded from elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "document.hpp"
#include "gnuplot.hpp"
#include "mdp/reports/reports.hpp"
#include "plots.hpp"
#include "samples.hpp"
#include "svg.hpp"

namespace mdp::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string page_of(const std::vector<std::string>& samples, report_options options = {}) {
  const test::scratch_folder folder;
  options.output_dir = folder.path().string();
  options.title = "A <title> & more";
  options.percentiles = {50, 99};
  const report_outcome outcome = write_report(samples, options);
  return test::text_of_file(outcome.html_path);
}

// The first element that is closed by another's tag, or never; empty when all match.
std::string first_mismatch(const std::string& html) {
  static const std::set<std::string> empty_elements{"meta", "!doctype"};
  static const std::regex element("<(/?)([!a-zA-Z][a-zA-Z0-9]*)((\"[^\"]*\"|'[^']*'|[^>\"'])*)>");
  const std::size_t style = html.find("<style>");
  const std::size_t style_end = html.find("</style>");
  const std::string text = html.substr(0, style) + html.substr(style_end + 8);
  std::vector<std::string> open;
  for (std::sregex_iterator it(text.begin(), text.end(), element), end; it != end; ++it) {
    const std::string name = (*it)[2];
    const std::string rest = (*it)[3];
    if (empty_elements.count(name) > 0 || (!rest.empty() && rest.back() == '/')) continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return "</" + name + "> closes " + (open.empty() ? "nothing" : open.back());
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back() + " is never closed";
}

TEST(page, is_well_formed_with_unique_ids_and_under_a_megabyte) {
  const std::string page = page_of(test::all_samples());
  EXPECT_EQ(first_mismatch(page), "");
  static const std::regex id("[ <]id=[\"']([^\"']*)[\"']");
  std::set<std::string> ids;
  for (std::sregex_iterator it(page.begin(), page.end(), id), end; it != end; ++it) {
    EXPECT_TRUE(ids.insert((*it)[1]).second) << "id twice: " << (*it)[1];
  }
  EXPECT_GE(ids.size(), 6U);
  EXPECT_LE(page.size(), 1000000U);
}

TEST(page, the_checker_of_elements_finds_faults) {
  EXPECT_EQ(first_mismatch("<style></style><p><b>x</b></p>"), "");
  EXPECT_NE(first_mismatch("<style></style><p><b>x</p></b>"), "");
  EXPECT_NE(first_mismatch("<style></style><p>"), "");
}

TEST(page, loads_nothing_and_runs_nothing) {
  const std::string page = page_of(test::all_samples());
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
}

TEST(page, text_of_results_cannot_become_markup) {
  const std::string page = page_of({test::golden("few-figures.json")});
  EXPECT_THAT(page, HasSubstr("A &lt;title&gt; &amp; more"));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;&amp;&lt;/b&gt;"));
  EXPECT_THAT(page, HasSubstr("Sample CPU &lt;invented&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<b>&")));
}

TEST(page, states_verdict_reasons_asserts_and_digests) {
  const std::string page = page_of(test::all_samples());
  EXPECT_THAT(page, HasSubstr("5 of 7 points passed, 2 failed"));
  EXPECT_THAT(page, HasSubstr("port 7000 is in use"));
  EXPECT_THAT(page, HasSubstr("packets.retransmitted &gt;= 1"));
  EXPECT_THAT(page, HasSubstr("9c1f03a2b7d45e60"));
  EXPECT_THAT(page, HasSubstr("run twice: equal"));
}

TEST(page, says_when_a_repeat_differs) {
  const auto with_digests = [](const std::string& repeat) {
    return page_of({test::small_result(R"("runs":[{"facts":{"digest":"aa11","digest_repeat":")" +
                                       repeat + R"("}}])")});
  };
  EXPECT_THAT(with_digests("aa11"), HasSubstr("run twice: equal"));
  EXPECT_THAT(with_digests("aa12"), HasSubstr("run twice: different"));
}

TEST(page, long_facts_are_shortened) {
  const std::string page = page_of({test::golden("lossy-wan.json")});
  EXPECT_THAT(page, HasSubstr("characters)"));
  EXPECT_THAT(page, Not(HasSubstr("8967")));
}

TEST(page, has_the_plots_inline) {
  if (!gnuplot_problem().empty()) GTEST_SKIP() << gnuplot_problem();
  const std::string page = page_of({test::golden("lossy-wan.json")});
  EXPECT_THAT(page, HasSubstr("<svg role=\"img\" aria-label=\"lossy-wan, stream: Throughput\""));
  EXPECT_THAT(page, HasSubstr(">99.9 %<"));
}

TEST(page, raw_results_have_no_histograms_in_them) {
  EXPECT_THAT(page_of(test::all_samples()), Not(HasSubstr("&quot;hdr&quot;")));
}

TEST(page, repeats_what_the_comparison_says) {
  report_options options;
  using tone = judged_metric::tone;
  options.comparisons.push_back(
      {"quickstart: transport io_uring against socket",
       {{"messages/s", "worse", "-8.4 %", "0.916 [0.910, 0.922]", "12", "0.0068", tone::bad},
        {"response p99", "one side only", "", "", "", "", tone::unsure}},
       "A/A control: ratios 0.996 to 1.016, no difference shown"});
  options.comparison_note = "p is corrected for 2 questions";
  const std::string page = page_of({test::golden("quickstart-stream-socket.json")}, options);
  EXPECT_THAT(page, HasSubstr("<h3>quickstart: transport io_uring against socket</h3>"));
  EXPECT_THAT(page, HasSubstr("<tr><td>messages/s</td><td><span class=\"tag bad\">worse</span></td>"
                              "<td class=\"n\">-8.4 %</td>"));
  EXPECT_THAT(page, HasSubstr("0.916 [0.910, 0.922]"));
  EXPECT_THAT(page, HasSubstr("<span class=\"tag unsure\">one side only</span>"));
  EXPECT_THAT(page, HasSubstr("A/A control: ratios 0.996 to 1.016, no difference shown"));
  EXPECT_THAT(page, HasSubstr("p is corrected for 2 questions"));
}

TEST(page, without_a_comparison_has_no_section_for_it) {
  EXPECT_THAT(page_of({test::golden("quickstart-stream-socket.json")}),
              Not(HasSubstr("id=\"comparison\"")));
}

TEST(groups, a_sweep_of_numbers_is_in_order) {
  const auto result = [](const char* rate) {
    return test::small_result(R"("point":{"rate":)" + std::string(rate) +
                              R"(},"runs":[{"messages":{"rate_per_s":5}}])");
  };
  const std::vector<result_document> results =
      parse_documents({result("16000"), result("1000"), result("4000")});
  const std::vector<result_group> groups = group_results(results);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].labels, (std::vector<std::string>{"rate=1000", "rate=4000", "rate=16000"}));
}

TEST(inline_svg, makes_ids_and_references_the_plots_own) {
  const std::string out = inline_svg(
      "<?xml version='1.0'?><svg viewBox='0 0 1 1'><rect x=\"0\" y=\"0\" fill='#fff'/>"
      "<defs><path id='a'/></defs><use xlink:href='#a'/><g filter='url(#a)'/></svg>",
      "p1-", "It's");
  EXPECT_EQ(out,
            "<svg role=\"img\" aria-label=\"It&#39;s\" viewBox='0 0 1 1'><defs><path id='p1-a'/>"
            "</defs><use xlink:href='#p1-a'/><g filter='url(#p1-a)'/></svg>");
  EXPECT_EQ(inline_svg("nothing", "p1-", ""), "");
}

}  // namespace
}  // namespace mdp::reports
