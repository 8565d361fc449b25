#include "recorded_runs.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "commands.hpp"
#include "trace_files.hpp"

namespace mdp::cli {
namespace {

namespace fs = std::filesystem;
using scenario::json_value;

std::string text_at(const json_value* value) {
  return value == nullptr ? "" : value->text;
}

std::uint64_t number_at(const json_value* value) {
  return value == nullptr ? 0 : value->as_unsigned().value_or(0);
}

void add_runs(const result_text& result, std::vector<recorded_run>& out) {
  const json_value& document = result.document;
  const json_value* runs = document.find("runs");
  if (runs == nullptr || document.find("config") == nullptr) return;
  for (const json_value& run : runs->items) {
    if (run.at("facts", "digest") == nullptr) continue;
    recorded_run r;
    r.result = &document;
    r.file = result.file;
    r.scenario = text_at(document.find("scenario"));
    r.id = text_at(document.find("id"));
    r.repetition = number_at(run.find("index"));
    r.seed = number_at(run.find("seed"));
    r.digest = text_at(run.at("facts", "digest"));
    r.version = text_at(document.at("build", "version"));
    r.log = event_log_file(fs::path(result.file).parent_path(), r.id, r.repetition);
    if (std::error_code error; !fs::exists(r.log, error)) r.log.clear();
    out.push_back(std::move(r));
  }
}

}  // namespace

std::vector<recorded_run> recorded_runs(const result_set& results,
                                        std::optional<std::uint64_t> only) {
  std::vector<recorded_run> runs;
  for (const result_text& result : results.results) add_runs(result, runs);
  if (only) std::erase_if(runs, [&](const recorded_run& r) { return r.repetition != *only; });
  if (runs.empty()) throw std::runtime_error("no simulated run there: only those can be replayed");
  return runs;
}

json_value config_of(const recorded_run& run, const json_value& network) {
  json_value config = *run.result->find("config");
  json_value all =
      config.find("network") == nullptr ? scenario::make_object() : *config.find("network");
  for (const scenario::json_member& m : network.members) all.set(m.name, m.value);
  if (!all.members.empty()) config.set("network", all);
  config.set("seed", scenario::make_unsigned(run.seed));
  config.erase("compare");
  return config;
}

scenario::scenario_spec spec_of(const recorded_run& run, const json_value& config) {
  scenario::scenario_spec spec =
      scenario::load_expanded(config, run.file + ": /config", make_load_options({}));
  spec.points.resize(1);
  scenario::run_spec& once = spec.points[0].run;
  once.repetitions = 1;
  once.repetitions_max = 0;
  once.verify_determinism = false;
  return spec;
}

}  // namespace mdp::cli
