#include "result_writer.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "host_info.hpp"
#include "mdp/base/number.hpp"
#include "mdp/transport/plugin_abi.hpp"
#include "run_json.hpp"
#include "statistics.hpp"

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
       {"offered", "messages", "packets", "peers", "bytes", "latency", "cpu", "fairness"}) {
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
  if (point.trial) j["search"] = {{"of", point.trial->of}, {"trial", point.trial->number}};
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
