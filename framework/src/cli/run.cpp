// run: measures every point, writes each result at once, then one report over all of them.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <system_error>

#include "commands.hpp"
#include "documents.hpp"
#include "drops.hpp"
#include "ends.hpp"
#include "load_search.hpp"
#include "mdp/reports/reports.hpp"
#include "mdp/scenario/runner.hpp"
#include "output.hpp"
#include "run_plan.hpp"
#include "trace_files.hpp"

namespace mdp::cli {
namespace {

namespace fs = std::filesystem;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

// The first interrupt ends the measurement in good order, the second ends the process.
extern "C" void on_interrupt(int) {
  if (interrupted.exchange(true)) ::_exit(exit_interrupted);
}

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

// What the points said, in one number: a failed run outweighs a failed gate.
struct tally {
  std::size_t failed = 0;
  std::size_t gates = 0;
  std::size_t inconclusive = 0;
  [[nodiscard]] int code() const noexcept {
    if (failed > 0) return exit_run_failed;
    if (gates > 0) return exit_gate_failed;
    return inconclusive > 0 ? exit_inconclusive : exit_pass;
  }
};

// Seeds of trials lie further apart than the repetitions of one.
constexpr std::uint64_t seed_stride = 1'000'003;

// "load-curve size=64: rate passes at 9,200, fails at 9,500 (9 trials)"
std::string describe_search(const std::string& name, const std::map<std::string, std::string>& vars,
                            const std::string& var, const load_search& search) {
  std::string out = name;
  for (const auto& [key, value] : vars) out += fmt::format(" {}={}", key, value);
  out += search.passed() ? fmt::format(": {} passes at {:g}", var, *search.passed())
                         : fmt::format(": {} passes nowhere", var);
  if (search.failed()) out += fmt::format(", fails at {:g}", *search.failed());
  return out + fmt::format(" ({} trials)\n", search.trials().size());
}

struct session {
  explicit session(const run_arguments& a) : arguments(a), progress(a.quiet) {}
  const run_arguments& arguments;
  progress_printer progress;
  fs::path folder;
  std::map<std::string, std::string> kept;  // from an earlier run: point id -> result
  std::map<std::string, std::string> done;  // of the scenario that runs: point id -> result
  std::vector<std::string> texts;           // all results, in the order of the scenarios' points
  tally count;
  std::string write_error;
  std::string found;    // what searches found, for people
  bool trying = false;  // a search: a point whose assertions fail is an answer, not a failed gate
};

// Why a simulation that was to run on several threads ran on one; empty: it did not.
std::string one_thread_because(const std::string& result) {
  const scenario::json_value document = scenario::parse_json(result, "result");
  const scenario::json_value* runs = document.find("runs");
  if (runs == nullptr || runs->items.empty()) return {};
  const scenario::json_value* facts = runs->items.front().find("facts");
  const scenario::json_value* why = facts ? facts->find("one_thread_because") : nullptr;
  return why != nullptr ? why->text : std::string();
}

void point_done(session& s, const scenario::point_result& result) {
  try {
    write_file_atomically(s.folder / (result.id + ".json"), result.json);
  } catch (const std::runtime_error& e) {
    s.write_error = e.what();
  }
  s.done[result.id] = result.json;
  if (result.status == "failed") {
    ++s.count.failed;
  } else if (result.status == "inconclusive") {
    ++s.count.inconclusive;
  }
  if (result.status != "failed" && !result.asserts_passed && !s.trying) ++s.count.gates;
  std::string line = fmt::format("point {}: {}", result.id, result.status);
  if (!result.asserts_passed && result.status != "failed") line += ", an assertion failed";
  for (const std::string& reason : result.reasons) line += "; " + reason;
  if (s.arguments.threads > 1 || s.arguments.partitions) {
    const std::string why = one_thread_because(result.json);
    if (!why.empty()) line += "; simulated on one thread: " + why;
  }
  s.progress.keep(line, result.status == "failed" || (!result.asserts_passed && !s.trying));
}

scenario::run_callbacks callbacks_of(session& s) {
  scenario::run_callbacks callbacks;
  callbacks.progress = [&s](const std::string& line) { s.progress.line(line); };
  callbacks.stop_requested = [&s] { return interrupted.load() || !s.write_error.empty(); };
  callbacks.worker_command = {"/proc/self/exe", "worker"};
  const unsigned threads = s.arguments.threads;
  callbacks.threads = threads;
  callbacks.partitions = s.arguments.partitions.value_or(threads > 1 ? threads * 2 : 1);
  callbacks.observe = [&s](const scenario::point_spec& p, std::uint32_t run, std::uint64_t seed) {
    return trace_writer(s.folder, s.arguments.trace, p, run, seed);
  };
  return callbacks;
}

// The point with the searched variable at `value`, made anew from the file. Each trial has a seed
// of its own: a load that is tried again shall not have the same luck again.
scenario::scenario_spec trial_of(const session& s, const scenario::scenario_spec& spec,
                                 std::size_t point, double value, std::size_t trial) {
  load_arguments load = s.arguments.load;
  load.set.push_back(fmt::format("vars.{}={:.15g}", spec.search.var, value));
  load.seed = spec.points[point].seed + trial * seed_stride;
  scenario::scenario_spec one = scenario::load_scenario(spec.file, make_load_options(load));
  one.points = {one.points.at(point)};
  one.points[0].vars[spec.search.var] = fmt::format("{:.15g}", value);
  return one;
}

void search_point(session& s, const scenario::scenario_spec& spec, std::size_t point) {
  const scenario::search_spec& wanted = spec.search;
  load_search search(wanted.from, wanted.to, wanted.precision_pct, wanted.whole);
  s.trying = true;
  while (const auto value = search.next()) {
    const scenario::scenario_spec trial = trial_of(s, spec, point, *value, search.trials().size());
    bool pass = true;
    static_cast<void>(
        scenario::run_points(trial, callbacks_of(s), [&](const scenario::point_result& r) {
          point_done(s, r);
          s.texts.push_back(r.json);
          pass = pass && r.status == "ok" && r.asserts_passed;
        }));
    if (interrupted || !s.write_error.empty() || s.count.failed > 0) break;
    search.tell(pass);
    s.progress.keep(fmt::format("{} = {:g}: {}", wanted.var, *value,
                                pass ? "every assertion holds" : "an assertion fails"));
  }
  s.trying = false;
  s.found += describe_search(spec.name, spec.points[point].vars, wanted.var, search);
  if (!search.passed() && !interrupted) ++s.count.gates;
}

// A result from before counts for the exit code as it did then.
void take_over(session& s, const std::string& id, const std::string& text) {
  s.done[id] = text;
  const scenario::json_value document = parse_result(text, id);
  const scenario::json_value* asserts = document.find("asserts");
  if (asserts != nullptr &&
      std::any_of(asserts->items.begin(), asserts->items.end(), [](const auto& a) {
        const scenario::json_value* pass = a.find("pass");
        return pass == nullptr || !pass->boolean;
      })) {
    ++s.count.gates;
  }
  s.progress.keep(fmt::format("point {}: kept", id));
}

void run_one(session& s, const scenario::scenario_spec& spec) {
  s.progress.keep(headline(spec));
  if (!spec.search.var.empty()) {
    for (std::size_t i = 0; i < spec.points.size() && !interrupted; ++i) search_point(s, spec, i);
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

void write_report(session& s, const std::vector<scenario::scenario_spec>& specs) {
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
void publish(session& s) {
  std::string drops;
  std::string ends;
  try {
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
    if (s.arguments.format == "text" && !s.found.empty()) fmt::print("\n{}", s.found);
    if (s.arguments.format == "text" && !ends.empty()) fmt::print("\n{}", ends);
    if (s.arguments.format == "text" && !drops.empty()) fmt::print("\n{}", drops);
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
  session s(arguments);
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
    if (!interrupted && s.write_error.empty()) run_one(s, spec);
  }
  if (!s.write_error.empty()) {
    s.progress.keep("mdp: " + s.write_error, true);
    return exit_run_failed;
  }
  if (!s.texts.empty()) {
    publish(s);
    if (arguments.report && !interrupted) write_report(s, specs);
  }
  if (interrupted && s.texts.empty()) {
    s.progress.keep("mdp: interrupted before the first repetition was complete; nothing is kept",
                    true);
    return exit_interrupted;
  }
  s.progress.keep(fmt::format("results: {}", s.folder.string()), true);
  if (interrupted) {
    s.progress.keep(fmt::format("mdp: interrupted; {} point(s) were measured and are kept; "
                                "`mdp report {}` makes a report of them",
                                s.texts.size(), s.folder.string()),
                    true);
    return exit_interrupted;
  }
  return s.count.code();
}

}  // namespace mdp::cli
