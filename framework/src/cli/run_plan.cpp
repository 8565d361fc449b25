#include "run_plan.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <stdexcept>
#include <system_error>

#include "documents.hpp"
#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/scenario/runner.hpp"
#include "output.hpp"

namespace mdp::cli {
namespace {

namespace fs = std::filesystem;

std::string describe(const scenario::point_spec& p) {
  std::string out = p.id;
  for (const auto& [name, value] : p.vars) out += fmt::format(" {}={}", name, value);
  return out;
}

}  // namespace

std::string headline(const scenario::scenario_spec& spec) {
  const double seconds = estimated_seconds(spec);
  return fmt::format(
      "{}: {} point{}, {}", spec.name, spec.points.size(), spec.points.size() == 1 ? "" : "s",
      seconds > 0 ? fmt::format("about {:.0f} s", std::max(1.0, seconds)) : "simulated");
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
  std::set<std::string> ours;
  for (const scenario::scenario_spec& spec : specs) {
    for (const scenario::point_spec& p : spec.points) ours.insert(p.id);
  }
  const scenario::json_value build = scenario::parse_json(scenario::build_text(), "build");
  for (const fs::path& file : result_files(folder)) {
    const std::string id = file.stem().string();
    if (!ours.contains(id)) {
      if (!arguments.replace) {
        throw std::runtime_error(fmt::format(
            "{} is a result of another scenario or of other settings; choose another folder "
            "with -o, or --replace it",
            file.string()));
      }
      fs::remove(file, error);
      continue;
    }
    if (!arguments.resume) continue;
    try {
      const result_set one = read_results({file.string()});
      const scenario::json_value& d = one.results.front().document;
      const scenario::json_value* status = d.find("status");
      const scenario::json_value* built = d.find("build");
      if (status == nullptr || status->text != "ok" || built == nullptr) continue;
      if (scenario::dump(*built) == scenario::dump(build)) kept[id] = one.results.front().text;
    } catch (const std::runtime_error&) {
      // Damaged: measured again.
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
