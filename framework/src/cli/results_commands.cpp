// compare and report: what works on results already measured.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "commands.hpp"
#include "comparison.hpp"
#include "documents.hpp"
#include "mdp/reports/reports.hpp"
#include "output.hpp"

namespace mdp::cli {
namespace {

const std::vector<scenario::json_value> no_items;

// The results that can be used. Names the files that cannot on stderr, and counts them.
std::vector<result_text> usable_results(const std::vector<std::string>& paths,
                                        std::size_t& damaged) {
  result_set all = read_results(paths);
  std::vector<result_text> out;
  for (result_text& r : all.results) {
    const std::string complaint = reports::complaint_about(r.text);
    if (complaint.empty()) {
      out.push_back(std::move(r));
    } else {
      all.damaged.push_back(fmt::format("{}: {}", r.file, complaint));
    }
  }
  if (out.empty()) throw std::runtime_error(all.damaged.front());
  for (const std::string& line : all.damaged) say(fmt::format("mdp: left out: {}\n", line));
  damaged += all.damaged.size();
  return out;
}

std::vector<scenario::json_value> documents_of(const std::string& path, std::size_t& damaged) {
  std::vector<scenario::json_value> out;
  for (result_text& r : usable_results({path}, damaged)) out.push_back(std::move(r.document));
  return out;
}

// What the scenarios of the results ask for: every plot that any of them wants, the percentiles of
// the first that names some.
void honour_report_sections(const std::vector<result_text>& results,
                            reports::report_options& options) {
  for (const result_text& r : results) {
    const scenario::json_value* plots = r.document.at("report", "plots");
    const scenario::json_value* percentiles = r.document.at("report", "percentiles");
    for (const scenario::json_value& plot : plots == nullptr ? no_items : plots->items) {
      if (std::find(options.plots.begin(), options.plots.end(), plot.text) == options.plots.end()) {
        options.plots.push_back(plot.text);
      }
    }
    if (percentiles == nullptr || !options.percentiles.empty()) continue;
    for (const scenario::json_value& p : percentiles->items) {
      options.percentiles.push_back(p.number);
    }
  }
}

}  // namespace

int compare(const compare_arguments& arguments) {
  const comparison_request request{arguments.var, arguments.baseline, arguments.min_effect_pct};
  std::size_t damaged = 0;
  const std::vector<scenario::json_value> first = documents_of(arguments.paths.front(), damaged);
  comparison result;
  if (arguments.paths.size() == 2) {
    result = compare_sets(first, documents_of(arguments.paths.back(), damaged), request);
    if (result.empty()) throw std::runtime_error("the two sets of results have no point in common");
  } else {
    result = compare_variable(first, request);
    if (result.empty()) {
      throw std::runtime_error(
          "nothing to compare: name a variable with --var, or give two directories");
    }
  }
  fmt::print("{}", text_of(result));
  if (damaged > 0) return exit_run_failed;
  if (!arguments.gate) return exit_pass;
  if (result.any(verdict::worse)) return exit_gate_failed;
  return result.conclusive() ? exit_pass : exit_inconclusive;
}

int report(const report_arguments& arguments) {
  std::size_t damaged = 0;
  const std::vector<result_text> results = usable_results(arguments.paths, damaged);
  std::vector<std::string> texts;
  for (const result_text& r : results) texts.push_back(r.text);
  reports::report_options options;
  namespace fs = std::filesystem;
  const fs::path first(arguments.paths.front());
  const fs::path beside = fs::is_directory(first) ? first : first.parent_path();
  options.console = arguments.console;
  options.output_dir = arguments.output_dir.empty() ? beside.string() : arguments.output_dir;
  if (options.output_dir.empty()) options.output_dir = ".";
  prepare_output_dir(options.output_dir);
  const scenario::json_value* name = results.front().document.find("scenario");
  options.title = !arguments.title.empty() ? arguments.title
                  : name != nullptr        ? name->text
                                           : "results";
  honour_report_sections(results, options);
  add_comparison(texts, options);
  const reports::report_outcome outcome = reports::write_report(texts, options);
  for (const std::string& w : outcome.warnings) say(fmt::format("mdp: warning: {}\n", w));
  fmt::print("{}", arguments.format == "text" ? reports::table_text(texts, colour_wanted())
                                              : document_of(texts, arguments.format));
  fmt::print("{}", outcome.console);
  say(fmt::format("report: {}\n", outcome.html_path));
  return damaged > 0 ? exit_run_failed : exit_pass;
}

}  // namespace mdp::cli
