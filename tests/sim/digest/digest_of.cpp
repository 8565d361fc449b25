// digest_of [--threads=N] [--partitions=N] FILE...: runs simulated scenarios and prints, for each
// point, the scenario's name, the simulator's digest and its count of events. The simulator is
// linked in, no plugin is loaded: so the program needs nothing but the C++ library, and builds for
// other machines.
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "mdp/messaging/factory.hpp"
#include "mdp/netsim/fabric.hpp"
#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/scenario/json_value.hpp"
#include "mdp/scenario/loader.hpp"
#include "mdp/scenario/runner.hpp"

namespace mdp::plugin {

std::shared_ptr<transport::fabric> create_fabric(const std::string& name,
                                                 const std::string& options_json,
                                                 const std::vector<std::string>&) {
  if (name != "netsim") throw plugin_error("only simulated scenarios have digests, not " + name);
  return netsim::make_fabric(options_json.c_str());
}

}  // namespace mdp::plugin

namespace {

std::vector<mdp::scenario::protocol_key> keys_of(const std::string& protocol) {
  std::vector<mdp::scenario::protocol_key> out;
  if (protocol != "mdp") return out;
  for (const mdp::messaging::config_key& k : mdp::messaging::mdp_config_keys()) {
    out.push_back({k.name,
                   k.unit,
                   k.description,
                   k.min,
                   k.max,
                   k.preset,
                   {k.choices.begin(), k.choices.end()}});
  }
  return out;
}

// Throws when a run of the point failed.
void print_digest(const mdp::scenario::scenario_spec& scenario,
                  const mdp::scenario::point_result& result) {
  if (result.status == "failed") throw std::runtime_error(result.reasons.front());
  const auto document = mdp::scenario::parse_json(result.json, scenario.file);
  const auto* facts = document.find("runs")->items.front().find("facts");
  fmt::print("{} {} {}\n", scenario.name, facts->find("digest")->text, facts->find("events")->text);
}

// The number behind `option`, if that is what the argument is.
bool takes(const std::string& argument, const std::string& option, std::uint32_t& into) {
  if (!argument.starts_with(option)) return false;
  into = static_cast<std::uint32_t>(std::stoul(argument.substr(option.size())));
  return true;
}

void run(const char* file, const mdp::scenario::run_callbacks& how) {
  mdp::scenario::load_options options;
  options.context.protocol_keys = keys_of;
  mdp::scenario::scenario_spec scenario = mdp::scenario::load_scenario(file, options);
  for (mdp::scenario::point_spec& p : scenario.points) {
    p.run.repetitions = 1;
    p.run.repetitions_max = 0;
    p.run.verify_determinism = false;
  }
  static_cast<void>(mdp::scenario::run_points(
      scenario, how, [&](const auto& result) { print_digest(scenario, result); }));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    mdp::scenario::run_callbacks how;
    for (int i = 1; i < argc; ++i) {
      if (!takes(argv[i], "--threads=", how.threads) &&
          !takes(argv[i], "--partitions=", how.partitions))
        run(argv[i], how);
    }
  } catch (const std::exception& e) {
    fmt::print(stderr, "digest_of: {}\n", e.what());
    return 1;
  }
  return argc > 1 ? 0 : 2;
}
