#include "record_text.hpp"

#include <nlohmann/json.hpp>

namespace mdp {

// nlohmann/json finds these by the namespaces of the types.
namespace metrics {
using nlohmann::json;
static void to_json(json& j, const histogram& h) {
  json counts = json::array();
  h.for_each_bucket([&](std::int64_t value, std::uint64_t n) { counts.push_back({value, n}); });
  const histogram::exact_figures e = h.exact();
  j = {{"counts", counts},
       {"min", e.min},
       {"max", e.max},
       {"sum", e.sum},
       {"saturated", e.saturated}};
}
static void from_json(const json& j, histogram& h) {
  h.clear();
  for (const json& bucket : j.at("counts"))
    h.record(bucket.at(0).get<std::int64_t>(), bucket.at(1).get<std::uint64_t>());
  h.restore({j.at("min"), j.at("max"), j.at("sum"), j.at("saturated")});
}
}  // namespace metrics

namespace workload {
using nlohmann::json;
static void to_json(json& j, const time_series& s) {
  j = {{"interval_ns", s.interval().count()}, {"delivered", s.delivered}, {"p99_ns", s.p99_ns}};
}
static void from_json(const json& j, time_series& s) {
  s = time_series::measured(duration(j.at("interval_ns").get<std::int64_t>()), j.at("delivered"),
                            j.at("p99_ns"));
}
// The structured bindings below name every member: one that is added does not compile until it is
// carried over too.
template <class Metrics, class Visit>
static void each_member(Metrics& m, Visit&& visit) {
  auto& [response, service, received, delivered, one_way, round_trip, offered, sent, completed,
         expired, unknown, timed_out, refused, orphaned, arrived, arrived_bytes, duplicated,
         corrupted, series] = m;
  visit("response", response);
  visit("service", service);
  visit("received", received);
  visit("delivered", delivered);
  visit("one_way", one_way);
  visit("round_trip", round_trip);
  visit("offered", offered);
  visit("sent", sent);
  visit("completed", completed);
  visit("expired", expired);
  visit("unknown", unknown);
  visit("timed_out", timed_out);
  visit("refused", refused);
  visit("orphaned", orphaned);
  visit("arrived", arrived);
  visit("arrived_bytes", arrived_bytes);
  visit("duplicated", duplicated);
  visit("corrupted", corrupted);
  visit("series", series);
}
static void to_json(json& j, const flow_metrics& m) {
  each_member(m, [&](const char* name, const auto& member) { j[name] = member; });
}
static void from_json(const json& j, flow_metrics& m) {
  each_member(m, [&](const char* name, auto& member) { j.at(name).get_to(member); });
}
}  // namespace workload

namespace scenario {
using nlohmann::json;
static void to_json(json& j, const process_usage& p) {
  j = {{"name", p.name}, {"cpu_us", p.cpu_us}, {"context_switches", p.context_switches}};
}
static void from_json(const json& j, process_usage& p) {
  p = {j.at("name"), j.at("cpu_us"), j.at("context_switches")};
}
template <class Record, class Visit>
static void each_member(Record& r, Visit&& visit) {
  auto& [index, order, seed, started, placement, flows, measured_s, reliable, stats, transport,
         peers, retransmitted, cpu_us, context_switches, real_s, facts, per_sender, network,
         processes, trace, error] = r;
  static_cast<void>(trace);  // of simulations only, which are one process
  visit("index", index);
  visit("order", order);
  visit("seed", seed);
  visit("started", started);
  visit("placement", placement);
  visit("flows", flows);
  visit("measured_s", measured_s);
  visit("reliable", reliable);
  visit("stats", stats);
  visit("transport", transport);
  visit("peers", peers);
  visit("retransmitted", retransmitted);
  visit("cpu_us", cpu_us);
  visit("context_switches", context_switches);
  visit("real_s", real_s);
  visit("facts", facts);
  visit("per_sender", per_sender);
  visit("network", network);
  visit("processes", processes);
  visit("error", error);
}

std::string write_record(const run_record& record) {
  json j;
  each_member(record, [&](const char* name, const auto& member) { j[name] = member; });
  return j.dump();
}

run_record read_record(std::string_view text) {
  const json j = json::parse(text);
  run_record record;
  each_member(record, [&](const char* name, auto& member) { j.at(name).get_to(member); });
  return record;
}

void add_record(run_record& sum, const run_record& part) {
  sum.flows.merge(part.flows);
  sum.measured_s = part.measured_s;
  sum.reliable = part.reliable;
  for (const auto& [name, count] : part.stats) add_stat(sum.stats, name, count);
  for (const auto& [name, count] : part.transport) sum.transport[name] += count;
  for (const auto& [name, count] : part.peers) sum.peers[name] += count;
  if (sum.retransmitted.size() < part.retransmitted.size())
    sum.retransmitted.resize(part.retransmitted.size());
  for (std::size_t i = 0; i < part.retransmitted.size(); ++i)
    sum.retransmitted[i] += part.retransmitted[i];
  sum.cpu_us = std::max(sum.cpu_us, 0.0) + part.cpu_us;
  sum.context_switches = std::max(sum.context_switches, 0.0) + part.context_switches;
  sum.facts.insert(part.facts.begin(), part.facts.end());
  sum.per_sender.insert(sum.per_sender.end(), part.per_sender.begin(), part.per_sender.end());
  sum.processes.insert(sum.processes.end(), part.processes.begin(), part.processes.end());
}

}  // namespace scenario
}  // namespace mdp
