// run: measures every point, writes each result at once, then one report over all of them.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <system_error>

#include "commands.hpp"
#include "documents.hpp"
#include "drops.hpp"
#include "ends.hpp"
#include "mdp/reports/reports.hpp"
#include "mdp/scenario/runner.hpp"
#include "output.hpp"
#include "run_plan.hpp"
#include "search_run.hpp"
#include "trace_files.hpp"

namespace mdp::cli {
namespace {

namespace fs = std::filesystem;

void run_one(run_session& s, const scenario::scenario_spec& spec) {
  s.progress.keep(headline(spec));
  if (!spec.search.var.empty()) {
    for (std::size_t i = 0; i < spec.points.size() && !over(s); ++i)
      s.found.push_back(search_point(s, spec, i));
    return;
  }
  scenario::scenario_spec left = spec;
  for (const scenario::point_spec& p : spec.points) {
    const auto found = s.kept.find(p.id);
    if (found != s.kept.end()) take_over(s, p.id, found->second);
  }
  std::erase_if(left.points, [&](const auto& p) { return s.kept.contains(p.id); });
  static_cast<void>(scenario::run_points(
      left, callbacks_of(s), [&s](const scenario::point_result& r) { point_done(s, r); }));
  for (const scenario::point_spec& p : spec.points) {
    const auto found = s.done.find(p.id);
    if (found != s.done.end()) s.texts.push_back(std::move(found->second));
  }
  s.done.clear();
}

void write_report(run_session& s, const std::vector<scenario::scenario_spec>& specs) {
  reports::report_options options;
  options.output_dir = s.folder.string();
  for (const scenario::scenario_spec& spec : specs) {
    options.title += (options.title.empty() ? "" : ", ") + spec.name;
    for (const std::string& plot : spec.report.plots) {
      if (std::find(options.plots.begin(), options.plots.end(), plot) == options.plots.end()) {
        options.plots.push_back(plot);
      }
    }
  }
  options.percentiles = specs.front().report.percentiles;
  try {
    add_comparison(s.texts, options);
    const reports::report_outcome outcome = reports::write_report(s.texts, options);
    for (const std::string& w : outcome.warnings) {
      s.progress.keep(fmt::format("mdp: warning: {}", w), true);
    }
    s.progress.keep(fmt::format("report: {}", outcome.html_path), true);
  } catch (const std::runtime_error& e) {
    // The measurements are on disk; a report can be made of them later.
    s.progress.keep(fmt::format("mdp: no report: {}; the results are kept, try `mdp report {}`",
                                e.what(), s.folder.string()),
                    true);
    s.count.failed += 1;
  }
}

// A longer list of dropped packets is only named on stdout.
constexpr std::ptrdiff_t drop_lines_max = 100;

// The table of all points and the document for stdout. The points themselves are on disk: what
// fails here costs neither them nor the report.
void publish(run_session& s) {
  std::string drops;
  std::string ends;
  std::string found;
  for (const search_outcome& o : s.found) found += text_of(o);
  try {
    if (!s.found.empty()) write_file_atomically(s.folder / "searches.json", json_of(s.found));
    write_file_atomically(s.folder / "results.csv", reports::csv_text(s.texts));
    ends = ends_text(s.texts);
    drops = drops_text(s.texts);
    const fs::path file = s.folder / "drops.txt";
    if (!drops.empty()) write_file_atomically(file, drops);
    if (std::count(drops.begin(), drops.end(), '\n') > drop_lines_max) {
      drops = fmt::format("dropped packets: {}\n", file.string());
    }
  } catch (const std::runtime_error& e) {
    s.progress.keep(fmt::format("mdp: {}", e.what()), true);
    s.count.failed += 1;
  }
  try {
    fmt::print("{}", document_of(s.texts, s.arguments.format));
    if (s.arguments.format == "text" && !ends.empty()) fmt::print("\n{}", ends);
    if (s.arguments.format == "text" && !drops.empty()) fmt::print("\n{}", drops);
    if (s.arguments.format == "text" && !found.empty()) fmt::print("\n{}", found);
  } catch (const std::system_error&) {
    s.count.failed += 1;
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    s.progress.keep("mdp: cannot write to standard output; the results are kept", true);
    s.count.failed += 1;
  }
}

}  // namespace

int run(const run_arguments& arguments) {
  std::vector<scenario::scenario_spec> specs;
  for (const std::string& file : arguments.files) {
    specs.push_back(scenario::load_scenario(file, make_load_options(arguments.load)));
    if (file == "-" && !specs.back().search.var.empty()) {
      throw scenario::scenario_error(
          "a search reads its scenario again for each trial: give a file");
    }
  }
  require_simulation(specs, arguments);
  if (arguments.dry_run) return dry_run(specs);
  require_usable_plugin(specs);
  run_session s(arguments);
  s.folder = arguments.output_dir.empty() ? default_folder(specs) : arguments.output_dir;
  s.kept = earlier_results(s.folder, specs, arguments);
  prepare_output_dir(s.folder);
  for (const scenario::scenario_spec& spec : specs) {
    for (const scenario::point_spec& p : spec.points) {
      if (!s.kept.contains(p.id)) remove_traces(s.folder, p.id);
    }
  }
  catch_interrupts();
  for (const scenario::scenario_spec& spec : specs) {
    if (!over(s)) run_one(s, spec);
  }
  if (!s.write_error.empty()) {
    s.progress.keep("mdp: " + s.write_error, true);
    return exit_run_failed;
  }
  if (!s.texts.empty()) {
    publish(s);
    if (arguments.report && !interrupted()) write_report(s, specs);
  }
  if (interrupted() && s.texts.empty()) {
    s.progress.keep("mdp: interrupted before the first repetition was complete; nothing is kept",
                    true);
    return exit_interrupted;
  }
  s.progress.keep(fmt::format("results: {}", s.folder.string()), true);
  if (interrupted()) {
    s.progress.keep(fmt::format("mdp: interrupted; {} point(s) were measured and are kept; "
                                "`mdp report {}` makes a report of them",
                                s.texts.size(), s.folder.string()),
                    true);
    return exit_interrupted;
  }
  return s.count.code();
}

}  // namespace mdp::cli
