#include "repetition.hpp"

#include <chrono>
#include <ctime>
#include <exception>
#include <stdexcept>

#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/scenario/json_value.hpp"
#include "process_plan.hpp"

namespace mdp::scenario {
namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

void run_once(const point_spec& point, std::uint64_t seed, const run_callbacks& callbacks,
              run_observer* observer, run_trace* trace, run_record& record) {
  if (has_processes(point)) return run_processes(point, seed, callbacks, record);
  const auto fabric = plugin::create_fabric(point.transport.plugin, transport_options(point, seed),
                                            callbacks.plugin_directories);
  if (observer != nullptr && !fabric->observe(*observer)) {
    throw std::runtime_error("the transport " + point.transport.plugin +
                             " does not show its packets; only a simulator does");
  }
  if (fabric->caps().virtual_time) {
    run_virtual(point, seed, callbacks, *fabric, trace, record);
  } else {
    run_real(point, seed, callbacks, *fabric, record);
  }
  const transport::fabric_facts facts = fabric->facts();
  for (const auto& [name, value] : facts) record.facts[name] = value;
  if (observer != nullptr) observer->on_end(facts);
}

}  // namespace

std::string transport_options(const point_spec& point, std::uint64_t seed) {
  json_value options = parse_json(point.transport.options_json, "transport options");
  if (options.find("seed") == nullptr) return point.transport.options_json;
  options.set("seed", make_unsigned(seed));
  return dump(options);
}

run_record run_repetition(const point_spec& point, std::uint32_t repetition, std::uint64_t seed,
                          const run_callbacks& callbacks) noexcept {
  run_record record;
  try {
    record.seed = seed;
    record.started = utc_now();
    const auto begun = std::chrono::steady_clock::now();
    std::unique_ptr<run_observer> observer =
        callbacks.observe ? callbacks.observe(point, repetition, seed) : nullptr;
    std::unique_ptr<run_trace> trace;
    if (is_traced(point, repetition))
      trace = std::make_unique<run_trace>(point, std::move(observer));
    run_observer* const watching = trace ? trace.get() : observer.get();
    run_once(point, seed, callbacks, watching, trace.get(), record);
    if (trace) record.trace = trace->take();
    record.real_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (point.run.verify_determinism && record.facts.contains("digest")) {
      // On one thread, whatever ran first: threads must not be seen in the result.
      run_callbacks alone = callbacks;
      alone.threads = alone.partitions = 1;
      run_record again;
      run_once(point, seed, alone, nullptr, nullptr, again);
      record.facts["digest_repeat"] = again.facts["digest"];
      const bool equal = again.facts["digest"] == record.facts["digest"];
      record.facts["deterministic"] = equal ? "true" : "false";
      if (!equal)
        record.error = "the same seed gave digest " + record.facts["digest"] + " and then " +
                       again.facts["digest"];
    }
  } catch (const std::exception& e) {
    record.error = e.what();
  }
  return record;
}

}  // namespace mdp::scenario
