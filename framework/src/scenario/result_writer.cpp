#include "result_writer.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "host_info.hpp"
#include "mdp/base/number.hpp"
#include "mdp/transport/plugin_abi.hpp"
#include "statistics.hpp"
#include "steady_state.hpp"

#ifndef MDP_VERSION
#define MDP_VERSION "unknown"
#endif
#ifndef MDP_BUILD_FLAGS
#define MDP_BUILD_FLAGS ""
#endif

namespace mdp::scenario {
namespace {

using json = nlohmann::ordered_json;

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

double rounded(double value, double unit) {
  return std::round(value / unit) * unit;
}
json us(std::int64_t ns) {
  return rounded(static_cast<double>(ns) / 1000.0, 0.001);
}

json latency_json(const metrics::histogram& h) {
  if (h.count() == 0) return json(nullptr);
  json j;
  j["count"] = h.count();
  j["min_us"] = us(h.min());
  j["mean_us"] = rounded(h.mean() / 1000.0, 0.001);
  j["max_us"] = us(h.max());
  for (const double p : {50.0, 90.0, 99.0, 99.9, 99.99}) {
    const auto value = h.percentile(p);
    j[fmt::format("p{}_us", p)] = value ? us(*value) : json(nullptr);
  }
  json counts = json::array();
  h.for_each_bucket([&](std::int64_t value, std::uint64_t n) { counts.push_back({value, n}); });
  j["hdr"] = {{"unit", "ns"}, {"digits", 3}, {"saturated", h.saturated()}, {"counts", counts}};
  return j;
}

double jain(const std::vector<double>& shares) {
  double sum = 0;
  double squares = 0;
  for (const double x : shares) {
    sum += x;
    squares += x * x;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(shares.size()) * squares) : 0;
}

json stat_or_null(const std::map<std::string, std::uint64_t>& stats, const char* name) {
  const auto found = stats.find(name);
  return found == stats.end() ? json(nullptr) : json(found->second);
}

json messages_json(const run_record& r) {
  const workload::flow_metrics& f = r.flows;
  const double s = r.measured_s > 0 ? r.measured_s : 1;
  json j;
  j["sent"] = f.sent;
  j["completed"] = f.completed;
  j["arrived"] = f.arrived;
  j["expired"] = f.expired;
  j["unknown"] = f.unknown;
  j["duplicated"] = f.duplicated;
  j["corrupted"] = f.corrupted;
  // Without replies or confirmations nobody can tell what became of a message.
  const bool tracked = f.completed + f.expired + f.unknown > 0;
  j["delivered_ratio"] = tracked && f.sent > 0
                             ? json(static_cast<double>(f.completed) / static_cast<double>(f.sent))
                             : json(nullptr);
  j["rate_per_s"] = rounded(static_cast<double>(f.arrived) / s, 0.1);
  j["delayed_by_loss"] = stat_or_null(r.stats, "messages_delayed");
  return j;
}

json packets_json(const run_record& r) {
  json j;
  j["sent"] = stat_or_null(r.stats, "packets_sent");
  j["received"] = stat_or_null(r.stats, "packets_received");
  json dropped = nullptr;  // known to a simulator only
  if (!r.network.empty()) {
    std::uint64_t sum = 0;
    for (const auto& [name, count] : r.network)
      if (name.starts_with("dropped_")) sum += count;
    dropped = sum;
  }
  j["dropped"] = dropped;
  j["lost"] = stat_or_null(r.stats, "packets_lost");
  j["retransmitted"] = stat_or_null(r.stats, "packets_retransmitted");
  j["retry_max"] = stat_or_null(r.stats, "retry_max");
  j["spurious"] = stat_or_null(r.stats, "packets_spurious");
  json ratio = nullptr;
  if (r.stats.contains("packets_spurious") && r.stats.at("packets_sent") > 0)
    ratio = static_cast<double>(r.stats.at("packets_spurious")) /
            static_cast<double>(r.stats.at("packets_sent"));
  j["spurious_retransmit_ratio"] = ratio;
  j["kernel_drops"] = stat_or_null(r.transport, "rx_kernel_drops");
  return j;
}

json series_json(const run_record& r) {
  json p99 = json::array();
  for (const std::int64_t ns : r.flows.series.p99_ns)
    p99.push_back(ns < 0 ? json(nullptr) : us(ns));
  return {{"interval_s", r.flows.series.interval_s()},
          {"delivered", r.flows.series.delivered},
          {"retransmitted", r.retransmitted.empty() ? json(nullptr) : json(r.retransmitted)},
          {"p99_us", p99}};
}

// Both what arrived and how late must have come to rest. Null: too short to tell, or nothing
// measured.
json steady_json(const run_record& r) {
  const workload::time_series& series = r.flows.series;
  const auto arrived = judge_steadiness({series.delivered.begin(), series.delivered.end()});
  std::vector<double> late;
  for (const std::int64_t ns : series.p99_ns)
    if (ns >= 0) late.push_back(static_cast<double>(ns));
  const auto delay = judge_steadiness(late);
  // An interval without a latency would shift the others: then the latencies do not count.
  const bool both = delay && late.size() == series.p99_ns.size();
  if (!arrived) return {{"reached", nullptr}, {"from_s", nullptr}};
  const std::size_t from = both ? std::max(arrived->from, delay->from) : arrived->from;
  return {{"reached", arrived->reached && (!both || delay->reached)},
          {"from_s", rounded(static_cast<double>(from) * series.interval_s(), 0.001)}};
}

// Null: all ran in one.
json processes_json(const run_record& r) {
  json list = json::array();
  for (const process_usage& p : r.processes)
    list.push_back(
        {{"name", p.name}, {"cpu_us", p.cpu_us}, {"context_switches", p.context_switches}});
  return list.empty() ? json(nullptr) : list;
}

json run_json(const run_record& r, bool virtual_time) {
  const workload::flow_metrics& f = r.flows;
  const double s = r.measured_s > 0 ? r.measured_s : 1;
  json j;
  j["index"] = r.index;
  j["order"] = r.order;
  j["seed"] = r.seed;
  j["started"] = r.started;
  j["error"] = r.error.empty() ? json(nullptr) : json(r.error);
  j["placement"] = r.placement;
  j["offered"] = {{"messages", f.offered},
                  {"rate_per_s", rounded(static_cast<double>(f.offered) / s, 0.1)},
                  {"achieved_ratio", f.offered > 0 ? json(static_cast<double>(f.sent) /
                                                          static_cast<double>(f.offered))
                                                   : json(nullptr)}};
  j["messages"] = messages_json(r);
  j["packets"] = packets_json(r);
  json wire = nullptr;
  if (r.stats.contains("wire_bytes_sent"))
    wire = rounded(static_cast<double>(r.stats.at("wire_bytes_sent")) / s, 1);
  j["bytes"] = {{"payload_per_s", rounded(static_cast<double>(f.arrived_bytes) / s, 1)},
                {"wire_per_s", wire}};
  j["latency"] = {
      {"response", latency_json(f.response)},     {"service", latency_json(f.service)},
      {"received", latency_json(f.received)},     {"delivered", latency_json(f.delivered)},
      {"round_trip", latency_json(f.round_trip)}, {"one_way", latency_json(f.one_way)}};
  // Sender and receiver read the same clock: one machine's, or one virtual time.
  if (!j["latency"]["one_way"].is_null()) j["latency"]["one_way"]["clock_error_us"] = 0;
  const bool cpu_known = !virtual_time && r.cpu_us >= 0 && f.arrived > 0;
  const auto per_message = [&](double total) {
    return cpu_known ? json(total / static_cast<double>(f.arrived)) : json(nullptr);
  };
  const auto found = r.transport.find("tx_calls");
  const double calls = found == r.transport.end()
                           ? 0
                           : static_cast<double>(found->second + r.transport.at("rx_calls"));
  j["cpu"] = {{"us_per_message", per_message(r.cpu_us)},
              {"context_switches_per_message", per_message(r.context_switches)},
              {"syscalls_per_message", per_message(calls)},
              {"instructions_per_message", nullptr}};
  j["processes"] = processes_json(r);
  j["fairness"] = {{"jain", r.per_sender.size() > 1 ? json(jain(r.per_sender)) : json(nullptr)}};
  j["series"] = series_json(r);
  j["steady"] = steady_json(r);
  j["network"] = r.network.empty() ? json(nullptr) : json(r.network);
  j["protocol"] = r.stats;
  j["transport"] = r.transport;
  j["real_s"] = rounded(r.real_s, 0.001);
  j["facts"] = r.facts;
  return j;
}

// The number at a dotted path such as "latency.response.p99.9_us"; key names may contain dots.
std::optional<double> number_at(const json& j, std::string_view path) {
  if (j.is_number() && path.empty()) return j.get<double>();
  if (!j.is_object()) return std::nullopt;
  for (auto it = j.begin(); it != j.end(); ++it) {
    const std::string& key = it.key();
    if (!path.starts_with(key)) continue;
    if (path.size() == key.size()) return number_at(it.value(), {});
    if (path[key.size()] != '.') continue;
    if (auto value = number_at(it.value(), path.substr(key.size() + 1))) return value;
  }
  return std::nullopt;
}

void collect_paths(const json& j, const std::string& prefix, std::vector<std::string>& paths) {
  for (auto it = j.begin(); it != j.end(); ++it) {
    const std::string path = prefix.empty() ? it.key() : prefix + "." + it.key();
    if (it.value().is_object() && it.key() != "hdr") collect_paths(it.value(), path, paths);
    if (it.value().is_number()) paths.push_back(path);
  }
}

json summary_json(const json& runs) {
  json summary = json::object();
  for (const char* section :
       {"offered", "messages", "packets", "bytes", "latency", "cpu", "fairness"}) {
    std::vector<std::string> paths;
    for (const json& run : runs) {
      if (run["error"].is_null()) {
        collect_paths(run[section], section, paths);
        break;
      }
    }
    for (const std::string& path : paths) {
      std::vector<double> values;
      for (const json& run : runs)
        if (const auto value = number_at(run, path); value && run["error"].is_null())
          values.push_back(*value);
      const auto interval = median_interval(values);
      summary[path] = {
          {"median", median(values)},
          {"ci95", interval ? json({interval->first, interval->second}) : json(nullptr)},
          {"n", values.size()},
          {"cv_pct", rounded(variation_pct(values), 0.01)}};
    }
  }
  return summary;
}

bool holds(double actual, std::string_view op, double bound) {
  if (op == "<=") return actual <= bound;
  if (op == ">=") return actual >= bound;
  if (op == "<") return actual < bound;
  if (op == ">") return actual > bound;
  if (op == "==") return actual == bound;
  return op == "!=" && actual != bound;
}

json check_assert(const assert_spec& a, const json& runs) {
  json outcome{{"expect", a.expect}, {"actual", nullptr}, {"pass", false}};
  // The loader lets blanks be anywhere between the three parts, or nowhere.
  std::string text = a.expect;
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
  const std::size_t op_at = std::min(text.find_first_of("<>=!"), text.size());
  const std::size_t bound_at = std::min(text.find_first_not_of("<>=!", op_at), text.size());
  const std::string path = text.substr(0, op_at);
  double bound = 0;
  const bool plus = bound_at < text.size() && text[bound_at] == '+';
  const std::string_view digits = std::string_view(text).substr(bound_at + (plus ? 1 : 0));
  if (op_at == bound_at || !parse_number(digits, bound)) {
    outcome["reason"] = "not of the form '<metric> <op> <number>'";
    return outcome;
  }
  std::vector<double> values;
  for (const json& run : runs)
    if (const auto value = number_at(run, path)) values.push_back(*value);
  if (values.empty()) {
    outcome["reason"] = "no run has a number there";
    return outcome;
  }
  if (values.size() < runs.size()) {
    outcome["reason"] =
        fmt::format("only {} of {} runs have a number there", values.size(), runs.size());
    return outcome;
  }
  // Gates look at the median of the runs; an exact one (== or !=) must hold in every run.
  const std::string op = text.substr(op_at, bound_at - op_at);
  outcome["actual"] = median(values);
  const bool exact = op == "==" || op == "!=";
  outcome["pass"] = exact ? std::all_of(values.begin(), values.end(),
                                        [&](double v) { return holds(v, op, bound); })
                          : holds(median(values), op, bound);
  return outcome;
}

json host_json(std::optional<double> steal_pct) {
  const host_facts h = read_host_facts();
  json sysctls;
  for (const auto& [key, value] : h.sysctls) sysctls[key] = or_null(value);
  return {{"cpu", h.cpu},
          {"cores", h.cores},
          {"virtual", or_null(h.hypervisor)},
          {"kernel", h.kernel},
          {"governor", or_null(h.governor)},
          {"clocksource", or_null(h.clocksource)},
          {"load", or_null(h.load)},
          {"steal_pct", or_null(steal_pct)},
          {"sysctl", sysctls}};
}

json build_json() {
  return {{"version", MDP_VERSION},
          {"compiler", MDP_ABI_COMPILER},
          {"abi_tag", MDP_ABI_TAG},
          {"flags", MDP_BUILD_FLAGS},
          {"plugin_abi", transport::plugin_abi_version}};
}

bool applies(const assert_spec& a, const point_spec& point) {
  return std::all_of(a.where.begin(), a.where.end(), [&](const auto& condition) {
    const auto found = point.vars.find(condition.first);
    return found != point.vars.end() && found->second == condition.second;
  });
}

// What was not measured in the steady state does not tell how the system is.
void require_steadiness(const json& runs, point_result& result) {
  std::size_t unsteady = 0;
  for (const json& run : runs) unsteady += run["steady"]["reached"] == json(true) ? 0u : 1u;
  if (unsteady == 0 || result.status == "failed") return;
  result.status = "inconclusive";
  result.reasons.push_back(
      fmt::format("{} of {} runs were not shown to be in a steady state; lengthen /run/warmup_s or "
                  "/run/measure_s, or lower the load",
                  unsteady, runs.size()));
}

}  // namespace

std::string build_text() {
  return build_json().dump();
}

point_result write_result(const scenario_spec& scenario, const point_spec& point,
                          const std::vector<run_record>& runs, std::optional<double> steal_pct,
                          bool vague) {
  point_result result;
  result.id = point.id;
  result.status = "ok";
  json list = json::array();
  for (const run_record& r : runs) {
    list.push_back(run_json(r, r.facts.contains("virtual_time_ns")));
    if (r.error.empty()) continue;
    result.status = "failed";
    result.reasons.push_back(
        fmt::format("run {} of {}: {}", r.index + 1, point.run.repetitions, r.error));
  }
  if (result.status == "ok" && runs.size() < point.run.repetitions) {
    result.status = "inconclusive";
    result.reasons.push_back(
        fmt::format("stopped after {} of {} repetitions", runs.size(), point.run.repetitions));
  }
  if (result.status == "ok" && vague) {
    result.status = "inconclusive";
    result.reasons.push_back(fmt::format("{} runs do not tell rate and p99 to {:g} %", runs.size(),
                                         point.run.precision_pct));
  }
  if (point.run.steady_state == "require") require_steadiness(list, result);
  json vars = json::object();
  for (const auto& [name, value] : point.vars) vars[name] = json::parse(value, nullptr, false);
  json asserts = json::array();
  for (const assert_spec& a : point.asserts) {
    if (!applies(a, point)) continue;
    asserts.push_back(check_assert(a, list));
    result.asserts_passed = result.asserts_passed && asserts.back()["pass"].get<bool>();
  }
  json j;
  j["schema"] = "mdp-result/1";
  j["id"] = point.id;
  j["scenario"] = scenario.name;
  j["description"] = scenario.description;
  j["point"] = vars;
  j["status"] = result.status;
  j["reasons"] = result.reasons;
  j["build"] = build_json();
  j["host"] = host_json(steal_pct);
  j["config"] = json::parse(point.config_json, nullptr, false);
  j["report"] = {{"percentiles", scenario.report.percentiles}, {"plots", scenario.report.plots}};
  j["summary"] = summary_json(list);
  j["asserts"] = asserts;
  j["runs"] = std::move(list);
  result.json = j.dump(1, ' ', false, json::error_handler_t::replace);
  return result;
}

}  // namespace mdp::scenario
