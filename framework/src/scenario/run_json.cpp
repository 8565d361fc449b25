#include "run_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "run_trace.hpp"
#include "steady_state.hpp"

namespace mdp::scenario {
namespace {

using json = nlohmann::ordered_json;

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
  j["timed_out"] = f.timed_out;
  j["refused"] = f.refused;
  j["orphaned"] = f.orphaned;
  j["duplicated"] = f.duplicated;
  j["corrupted"] = f.corrupted;
  // Without replies or confirmations nobody can tell what became of a message.
  const bool tracked = f.completed + f.expired + f.unknown + f.timed_out + f.orphaned > 0;
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
  j["rate_per_s"] = nullptr;
  j["affected"] = stat_or_null(r.stats, "packets_affected");
  j["retry_max"] = stat_or_null(r.stats, "retry_max");
  j["retry_mean"] = nullptr;
  if (j["sent"].is_number()) {
    const auto sent = j["sent"].get<std::uint64_t>();
    j["rate_per_s"] = rounded(static_cast<double>(sent) / (r.measured_s > 0 ? r.measured_s : 1), 1);
    // Of those that were sent for the first time.
    if (j["retransmitted"].is_number() && sent > j["retransmitted"].get<std::uint64_t>())
      j["retry_mean"] = j["retransmitted"].get<double>() /
                        static_cast<double>(sent - j["retransmitted"].get<std::uint64_t>());
  }
  j["spurious"] = stat_or_null(r.stats, "packets_spurious");
  json ratio = nullptr;
  if (r.stats.contains("packets_spurious") && r.stats.at("packets_sent") > 0)
    ratio = static_cast<double>(r.stats.at("packets_spurious")) /
            static_cast<double>(r.stats.at("packets_sent"));
  j["spurious_retransmit_ratio"] = ratio;
  j["kernel_drops"] = stat_or_null(r.transport, "rx_kernel_drops");
  return j;
}

json peers_json(const run_record& r) {
  json j;
  for (const char* name : {"ups", "downs", "crashes", "restarts"}) {
    const auto found = r.peers.find(name);
    j[name] = found == r.peers.end() ? 0 : found->second;
  }
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

}  // namespace

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
  j["peers"] = peers_json(r);
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
  j["trace"] = r.trace ? trace_json(*r.trace) : json(nullptr);
  j["network"] = r.network.empty() ? json(nullptr) : json(r.network);
  j["protocol"] = r.stats;
  j["transport"] = r.transport;
  j["real_s"] = rounded(r.real_s, 0.001);
  j["facts"] = r.facts;
  return j;
}

}  // namespace mdp::scenario
