#include <sys/stat.h>
#include <unistd.h>

#include "commands.hpp"
#include "mdp/messaging/factory.hpp"
#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/scenario/worker.hpp"
#include "search_result.hpp"

namespace mdp::cli {
namespace {

// Loaded once: a plugin stays loaded anyway.
const std::vector<plugin::plugin_info>& plugins() {
  static const std::vector<plugin::plugin_info> found = plugin::list_plugins();
  return found;
}

std::vector<scenario::protocol_key> keys_of(const std::string& protocol) {
  std::vector<scenario::protocol_key> out;
  if (protocol == "mdp") {
    for (const messaging::config_key& k : messaging::mdp_config_keys()) {
      out.push_back({k.name,
                     k.unit,
                     k.description,
                     k.min,
                     k.max,
                     k.preset,
                     {k.choices.begin(), k.choices.end()}});
    }
  }
  return out;
}

}  // namespace

scenario::load_context program_context() {
  scenario::load_context context;
  context.plugin_names = [] {
    std::vector<std::string> names;
    for (const plugin::plugin_info& p : plugins()) names.push_back(p.name);
    return names;
  };
  context.plugin_options_schema = [](const std::string& name) -> std::optional<std::string> {
    for (const plugin::plugin_info& p : plugins()) {
      if (p.name == name && !p.options_schema.empty()) return p.options_schema;
    }
    return std::nullopt;
  };
  context.protocol_keys = keys_of;
  context.options_refusal = plugin::options_refusal;
  context.memory_bytes = [] {
    return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
           static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  };
  return context;
}

scenario::load_options make_load_options(const load_arguments& arguments) {
  return {arguments.set, arguments.seed, arguments.transports, program_context()};
}

int worker() {
  struct stat input {};
  if (::fstat(STDIN_FILENO, &input) != 0 || !S_ISSOCK(input.st_mode))
    throw scenario::scenario_error("worker: `mdp run` starts it, with a socket as its input");
  return scenario::serve_worker(STDIN_FILENO, make_load_options({}));
}

double estimated_seconds(const scenario::scenario_spec& spec) {
  double sum = 0;
  for (const scenario::point_spec& p : spec.points) {
    if (p.transport.plugin == "netsim") continue;
    const double repetitions = p.run.repetitions;
    if (spec.search.var.empty()) {
      sum += (p.run.warmup_s + p.run.measure_s) * repetitions;
      continue;
    }
    const search_effort effort = expected_effort(spec.search);
    sum += (p.run.warmup_s * static_cast<double>(effort.trials) + p.run.measure_s * effort.length) *
           repetitions;
  }
  return sum;
}

}  // namespace mdp::cli
