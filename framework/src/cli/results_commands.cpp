// compare and report: what works on results already measured.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "commands.hpp"
#include "comparison.hpp"
#include "mdp/reports/reports.hpp"
#include "output.hpp"

namespace mdp::cli {
namespace {

std::vector<scenario::json_value> documents_of(const std::string& path) {
  std::vector<scenario::json_value> out;
  for (result_text& r : read_results({path})) out.push_back(std::move(r.document));
  return out;
}

}  // namespace

int compare(const compare_arguments& arguments) {
  const comparison_request request{arguments.var, arguments.baseline, arguments.min_effect_pct};
  const std::vector<scenario::json_value> first = documents_of(arguments.paths.front());
  comparison result;
  if (arguments.paths.size() == 2) {
    result = compare_sets(first, documents_of(arguments.paths.back()), request);
    if (result.empty()) throw std::runtime_error("the two sets of results have no point in common");
  } else {
    result = compare_variable(first, request);
    if (result.empty()) {
      throw std::runtime_error(
          "nothing to compare: name a variable with --var, or give two directories");
    }
  }
  fmt::print("{}", text_of(result));
  if (!arguments.gate) return exit_pass;
  if (result.any(verdict::worse)) return exit_gate_failed;
  return result.conclusive() ? exit_pass : exit_inconclusive;
}

int report(const report_arguments& arguments) {
  const std::vector<result_text> results = read_results(arguments.paths);
  std::vector<std::string> texts;
  for (const result_text& r : results) texts.push_back(r.text);
  reports::report_options options;
  namespace fs = std::filesystem;
  const fs::path first(arguments.paths.front());
  const fs::path beside = fs::is_directory(first) ? first : first.parent_path();
  options.output_dir = arguments.output_dir.empty() ? beside.string() : arguments.output_dir;
  if (options.output_dir.empty()) options.output_dir = ".";
  prepare_output_dir(options.output_dir);
  const scenario::json_value* name = results.front().document.find("scenario");
  options.title = !arguments.title.empty() ? arguments.title
                  : name != nullptr        ? name->text
                                           : "results";
  const reports::report_outcome outcome = reports::write_report(texts, options);
  for (const std::string& w : outcome.warnings) say(fmt::format("mdp: warning: {}\n", w));
  fmt::print("{}", reports::table_text(texts, colour_wanted()));
  say(fmt::format("report: {}\n", outcome.html_path));
  return exit_pass;
}

}  // namespace mdp::cli
