// A whole report: plots, then the page. The page is written whatever becomes of the plots.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "document.hpp"
#include "files.hpp"
#include "html.hpp"
#include "mdp/reports/reports.hpp"
#include "plots.hpp"

namespace mdp::reports {
namespace {

constexpr std::array<const char*, 5> plot_kinds{"load_curve", "percentiles", "throughput_bars",
                                                "latency_over_time", "trace"};

std::vector<std::string> wanted_plots(const report_options& options) {
  if (options.plots.empty()) return {plot_kinds.begin(), plot_kinds.end()};
  for (const std::string& kind : options.plots) {
    if (std::find(plot_kinds.begin(), plot_kinds.end(), kind) == plot_kinds.end()) {
      throw report_error(
          fmt::format("no plot is called '{}'; choose from load_curve, percentiles, "
                      "throughput_bars, latency_over_time, trace",
                      kind));
    }
  }
  return options.plots;
}

}  // namespace

std::string complaint_about(const std::string& result_json_text) {
  try {
    static_cast<void>(parse_documents({result_json_text}));
  } catch (const report_error& e) {
    return e.what();
  }
  return "";
}

report_outcome write_report(const std::vector<std::string>& result_json_texts,
                            const report_options& options) {
  const std::vector<result_document> results = parse_documents(result_json_texts);
  const std::vector<std::string> kinds = wanted_plots(options);
  const std::filesystem::path folder = options.output_dir.empty() ? "." : options.output_dir;
  make_folder(folder);
  report_outcome outcome;
  const std::vector<result_group> groups = group_results(results);
  const std::vector<plot> plots =
      make_plots(groups, kinds, folder / "plots", options.console, outcome.warnings);
  for (const plot& p : plots) {
    outcome.plot_paths.push_back(p.svg_path);
    if (!p.console.empty()) outcome.console += p.group + ": " + p.title + "\n" + p.console + "\n";
    if (!p.png_path.empty()) outcome.plot_paths.push_back(p.png_path);
  }
  page_input page{options.title, options.percentiles, outcome.warnings, options.comparisons,
                  options.comparison_note};
  if (page.title.empty()) page.title = results.front().scenario;
  if (page.percentiles.empty()) page.percentiles = {50, 90, 99, 99.9, 99.99};
  const std::filesystem::path target = folder / "report.html";
  write_file(target, html_page(results, groups, plots, page));
  outcome.html_path = target.string();
  return outcome;
}

}  // namespace mdp::reports
