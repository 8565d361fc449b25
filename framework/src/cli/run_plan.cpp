#include "run_plan.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "documents.hpp"
#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/scenario/runner.hpp"
#include "output.hpp"
#include "search_result.hpp"
#include "trace_files.hpp"

namespace mdp::cli {
namespace {

namespace fs = std::filesystem;

std::string describe(const scenario::point_spec& p) {
  std::string out = p.id;
  for (const auto& [name, value] : p.vars) out += fmt::format(" {}={}", name, value);
  return out;
}

// ", each searched: rate 1000 to 20000, about 14 trials"
std::string searched(const scenario::scenario_spec& spec) {
  const scenario::search_spec& search = spec.search;
  if (search.var.empty()) return {};
  return fmt::format(", each searched: {} {:g} to {:g}, about {} trials", search.var, search.from,
                     search.to, expected_effort(search).trials);
}

// Nothing: the file is damaged.
std::optional<result_text> whole_result(const fs::path& file) {
  try {
    return read_results({file.string()}).results.front();
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

// Which results the scenarios of this run have, and which of those need not be measured again.
class expected_results {
 public:
  explicit expected_results(const std::vector<scenario::scenario_spec>& specs) {
    for (const scenario::scenario_spec& spec : specs) {
      for (const scenario::point_spec& p : spec.points)
        (spec.search.var.empty() ? points_ : searched_)[p.id] = p.run.repetitions;
    }
  }

  // `of`: the point whose search made it, or empty.
  [[nodiscard]] bool has(const std::string& id, const std::string& of) const {
    return of.empty() ? points_.contains(id) : searched_.contains(of);
  }

  // An inconclusive trial is an answer to its search, unless it was cut short.
  [[nodiscard]] bool complete(const scenario::json_value& result, const std::string& of) const {
    const scenario::json_value* status = result.find("status");
    const scenario::json_value* built = result.find("build");
    const scenario::json_value* runs = result.find("runs");
    if (status == nullptr || built == nullptr || runs == nullptr) return false;
    if (scenario::dump(*built) != build_) return false;
    if (status->text == "ok") return true;
    return status->text == "inconclusive" && !of.empty() && runs->items.size() >= searched_.at(of);
  }

 private:
  std::map<std::string, std::size_t> points_;    // id -> repetitions
  std::map<std::string, std::size_t> searched_;  // id -> repetitions of each trial
  std::string build_ = scenario::dump(scenario::parse_json(scenario::build_text(), "build"));
};

}  // namespace

std::string headline(const scenario::scenario_spec& spec) {
  const double seconds = estimated_seconds(spec);
  return fmt::format(
             "{}: {} point{}, {}", spec.name, spec.points.size(),
             spec.points.size() == 1 ? "" : "s",
             seconds > 0 ? fmt::format("about {:.0f} s", std::max(1.0, seconds)) : "simulated") +
         searched(spec);
}

int dry_run(const std::vector<scenario::scenario_spec>& specs) {
  for (const scenario::scenario_spec& spec : specs) {
    fmt::print("{}\n", headline(spec));
    for (const scenario::point_spec& p : spec.points) {
      fmt::print("  {} plugin={} protocol={} repetitions={}\n", describe(p), p.transport.plugin,
                 p.protocol.name, p.run.repetitions);
    }
  }
  return exit_pass;
}

std::string default_folder(const std::vector<scenario::scenario_spec>& specs) {
  const std::time_t now = std::time(nullptr);
  const std::string name = specs.size() == 1 ? specs.front().name : "run";
  return fmt::format("results/{}-{:%Y%m%d-%H%M%S}", name, fmt::gmtime(now));
}

std::map<std::string, std::string> earlier_results(
    const fs::path& folder, const std::vector<scenario::scenario_spec>& specs,
    const run_arguments& arguments) {
  std::map<std::string, std::string> kept;
  std::error_code error;
  if (!fs::is_directory(folder, error)) return kept;
  const expected_results expected(specs);
  for (const fs::path& file : result_files(folder)) {
    const std::string id = file.stem().string();
    const std::optional<result_text> before = whole_result(file);
    const std::string of = before ? searched_point(before->document) : std::string();
    if (!expected.has(id, of)) {
      if (!arguments.replace) {
        throw std::runtime_error(fmt::format(
            "{} is a result of another scenario or of other settings; choose another folder "
            "with -o, or --replace it",
            file.string()));
      }
      fs::remove(file, error);
    } else if (arguments.resume && before && expected.complete(before->document, of)) {
      kept[id] = before->text;
    } else if (!of.empty()) {
      // Which trials a search makes depends on how each ends: this one may not be made again.
      fs::remove(file, error);
      remove_traces(folder, id);
    }
  }
  return kept;
}

void require_usable_plugin(const std::vector<scenario::scenario_spec>& specs) {
  std::map<std::string, std::string> unusable;
  for (const plugin::plugin_info& p : plugin::list_plugins()) {
    if (!p.unavailable.empty()) unusable[p.name] = fmt::format("{}: {}", p.path, p.unavailable);
  }
  auto first = unusable.end();
  for (const scenario::scenario_spec& spec : specs) {
    for (const scenario::point_spec& p : spec.points) {
      const auto found = unusable.find(p.transport.plugin);
      if (found == unusable.end()) return;
      if (first == unusable.end()) first = found;
    }
  }
  if (first == unusable.end()) return;
  throw scenario::scenario_error(
      fmt::format("transport plugin '{}' cannot be used: {} (see `mdp list transports`)",
                  first->first, first->second));
}

void require_simulation(const std::vector<scenario::scenario_spec>& specs,
                        const run_arguments& arguments) {
  const bool simulated = std::any_of(specs.begin(), specs.end(), [](const auto& spec) {
    return std::any_of(spec.points.begin(), spec.points.end(),
                       [](const auto& p) { return p.transport.plugin == "netsim"; });
  });
  if (simulated) return;
  if (!arguments.trace.empty())
    throw scenario::scenario_error("--trace: no point of this runs in the simulator");
  if (arguments.threads > 1 || arguments.partitions)
    throw scenario::scenario_error(
        "--threads: no point of this runs in the simulator; the threads of real peers are "
        "/protocols/<name>/threads in the scenario");
}

}  // namespace mdp::cli
