// list, validate, expand: everything that runs nothing.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "commands.hpp"
#include "mdp/plugin/plugin_loader.hpp"
#include "output.hpp"

namespace mdp::cli {
namespace {

namespace fs = std::filesystem;

// Rows of cells, aligned, or as a Markdown table.
std::string layout(const std::vector<std::vector<std::string>>& rows, bool markdown) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      if (markdown) {
        line += fmt::format("| {} ", rows[r][i]);
      } else if (i + 1 == rows[r].size()) {
        line += rows[r][i];
      } else {
        line += fmt::format("{:<{}}  ", rows[r][i], widths[i]);
      }
    }
    out += line + (markdown ? "|\n" : "\n");
    if (markdown && r == 0) {
      for (std::size_t i = 0; i < widths.size(); ++i) out += "|---";
      out += "|\n";
    }
  }
  return out;
}

int list_transports(bool markdown) {
  const std::vector<plugin::plugin_info> plugins = plugin::list_plugins();
  std::vector<std::vector<std::string>> rows{
      {"NAME", "VERSION", "ABI", "USABLE", "SUMMARY", "FILE"}};
  for (const plugin::plugin_info& p : plugins) {
    rows.push_back({p.name, p.version.empty() ? "-" : p.version,
                    p.abi_version == 0 ? "-" : std::to_string(p.abi_version),
                    p.unavailable.empty() ? "yes" : "no: " + p.unavailable,
                    p.summary.empty() ? "-" : p.summary, p.path});
  }
  fmt::print("{}", layout(rows, markdown));
  if (!plugins.empty()) return exit_pass;
  say(fmt::format("mdp: no transport plugin found; looked in {} (set MDP_PLUGIN_PATH)\n",
                  fmt::join(plugin::plugin_search_path(), ":")));
  return exit_usage;
}

int list_config(bool markdown) {
  std::vector<std::vector<std::string>> rows{
      {"KEY", "UNIT", "DEFAULT", "MIN", "MAX", "DESCRIPTION"}};
  for (const scenario::protocol_key& k : program_context().protocol_keys("mdp")) {
    if (!k.choices.empty()) {
      rows.push_back({k.name, k.unit, k.choices[static_cast<std::size_t>(k.preset)],
                      fmt::format("{}", fmt::join(k.choices, ", ")), "", k.description});
      continue;
    }
    rows.push_back({k.name, k.unit, fmt::format("{:.15g}", k.preset), fmt::format("{:.15g}", k.min),
                    fmt::format("{:.15g}", k.max), k.description});
  }
  fmt::print("{}", layout(rows, markdown));
  return exit_pass;
}

// The folder given, ./scenarios, or the one of the build's source tree or the install.
std::string scenario_folder(const std::string& given) {
  if (!given.empty()) return given;
  std::error_code ignored;
  std::vector<fs::path> candidates{"scenarios"};
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  if (!program.empty()) {
    const fs::path folder = program.parent_path();
    candidates.push_back(folder / "../share/mdp/scenarios");
    candidates.push_back(folder / "../../../scenarios");
  }
  for (const fs::path& c : candidates) {
    if (fs::is_directory(c, ignored)) return c.lexically_normal().string();
  }
  throw scenario::scenario_error("no folder scenarios here; name one with --dir");
}

int list_scenarios(const list_arguments& arguments) {
  const std::string folder = scenario_folder(arguments.directory);
  std::vector<std::string> files;
  std::error_code error;
  for (const fs::directory_entry& e : fs::directory_iterator(folder, error)) {
    const std::string name = e.path().filename().string();
    const bool scenario = name.ends_with(".json") && !name.ends_with(".schema.json");
    if (scenario && e.is_regular_file()) files.push_back(e.path().string());
  }
  if (error) {
    throw scenario::scenario_error(fmt::format("{}: {}", folder, error.message()));
  }
  std::sort(files.begin(), files.end());
  std::vector<std::vector<std::string>> rows{{"FILE", "POINTS", "TIME", "DESCRIPTION"}};
  bool broken = false;
  // Plugins that this machine lacks are no reason to leave a scenario out of the list.
  scenario::load_options options;
  options.context.protocol_keys = program_context().protocol_keys;
  for (const std::string& file : files) {
    try {
      const scenario::check_outcome outcome = scenario::check_scenario(file, options);
      const std::string name = fs::path(file).filename().string();
      if (outcome.points == 0) {
        rows.push_back({name, "-", "-", outcome.description});
        continue;
      }
      const double seconds = estimated_seconds(scenario::load_scenario(file, options));
      rows.push_back({name, std::to_string(outcome.points),
                      seconds > 0 ? fmt::format("{:.0f} s", seconds) : "simulated",
                      outcome.description});
    } catch (const scenario::scenario_error& e) {
      say(fmt::format("mdp: {}\n", e.what()));
      broken = true;
    }
  }
  fmt::print("{}", layout(rows, arguments.format == "markdown"));
  return broken ? exit_usage : exit_pass;
}

std::string point_label(const scenario::point_spec& point) {
  std::string out;
  for (const auto& [name, value] : point.vars) {
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", name, value);
  }
  return out;
}

}  // namespace

int list(const list_arguments& arguments) {
  const bool markdown = arguments.format == "markdown";
  if (arguments.what == "transports") return list_transports(markdown);
  if (arguments.what == "scenarios") return list_scenarios(arguments);
  if (arguments.what == "config") return list_config(markdown);
  if (arguments.what == "schema") {
    fmt::print("{}", scenario::scenario_json_schema());
    return exit_pass;
  }
  fmt::print("{}", layout({{"NAME", "SUMMARY"},
                           {"mdp", "reliable, parallel messages with confirmations"},
                           {"raw", "bare datagrams, unreliable: the limit of a transport"}},
                          markdown));
  return exit_pass;
}

namespace {

// A valid scenario may still name a plugin that does not load here.
void warn_of_unusable_plugins(const scenario::scenario_spec& spec,
                              const std::vector<plugin::plugin_info>& plugins) {
  for (const plugin::plugin_info& p : plugins) {
    const bool named = std::any_of(spec.points.begin(), spec.points.end(), [&](const auto& point) {
      return point.transport.plugin == p.name;
    });
    if (named && !p.unavailable.empty()) {
      say(fmt::format("mdp: warning: {}: transport plugin '{}' cannot be used here: {}\n",
                      spec.file, p.name, p.unavailable));
    }
  }
}

}  // namespace

int validate(const std::vector<std::string>& files, const load_arguments& load) {
  const scenario::load_options options = make_load_options(load);
  int code = exit_pass;
  for (const std::string& file : files) {
    try {
      const scenario::check_outcome outcome = scenario::check_scenario(file, options);
      if (outcome.points == 0) {
        fmt::print("{}: ok, a base for others\n", file);
      } else {
        fmt::print("{}: ok, {} point{}\n", file, outcome.points, outcome.points == 1 ? "" : "s");
        // Standard input can be read once only.
        if (file != "-") {
          warn_of_unusable_plugins(scenario::load_scenario(file, options), plugin::list_plugins());
        }
      }
    } catch (const scenario::scenario_error& e) {
      say(fmt::format("mdp: {}\n", e.what()));
      code = exit_usage;
    }
  }
  return code;
}

int expand(const std::string& file, const load_arguments& load) {
  const scenario::scenario_spec spec = scenario::load_scenario(file, make_load_options(load));
  fmt::print("[\n");
  for (std::size_t i = 0; i < spec.points.size(); ++i) {
    const scenario::point_spec& p = spec.points[i];
    say(fmt::format("point {} {}\n", p.id, point_label(p)));
    fmt::print("{}{}\n", p.config_json, i + 1 < spec.points.size() ? "," : "");
  }
  fmt::print("]\n");
  return exit_pass;
}

}  // namespace mdp::cli
