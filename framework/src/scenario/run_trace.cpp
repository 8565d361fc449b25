#include "run_trace.hpp"

#include <algorithm>

namespace mdp::scenario {
namespace {

using json = nlohmann::ordered_json;

// More marks than this make a plot no clearer, and the page too large.
constexpr std::size_t packets_max = 2000;
constexpr double intervals = 1000;
constexpr std::size_t queues_max = 4;

std::int64_t interval_of(const run_spec& run) {
  // A second more: peers connect before the run begins.
  const double whole_s = run.warmup_s + run.measure_s + run.drain_s + 1;
  return std::max(static_cast<std::int64_t>(whole_s * 1e9 / intervals), std::int64_t{1});
}

trace::timeline_options options_of(const point_spec& point) {
  return {point.run.trace.peer, static_cast<std::int64_t>(point.run.trace.from_s * 1e9),
          packets_max, interval_of(point.run), static_cast<std::size_t>(intervals) + 1};
}

double us(std::int64_t ns) {
  return static_cast<double>(ns) / 1000;
}

json us_or_null(std::int64_t ns) {
  return ns < 0 ? json(nullptr) : json(us(ns));
}

json packets_json(const std::vector<trace::traced_packet>& packets) {
  json j;
  for (const char* column :
       {"number", "sent_us", "bytes", "retransmission", "harmed_us", "fate", "confirmed_us"})
    j[column] = json::array();
  for (const trace::traced_packet& p : packets) {
    j["number"].push_back(p.number);
    j["sent_us"].push_back(us(p.sent_ns));
    j["bytes"].push_back(p.bytes);
    j["retransmission"].push_back(p.retransmission);
    j["harmed_us"].push_back(us_or_null(p.harmed_ns));
    j["fate"].push_back(transport::to_string(p.fate));
    j["confirmed_us"].push_back(us_or_null(p.confirmed_ns));
  }
  return j;
}

json queues_json(const trace_record& r) {
  json list = json::array();
  for (const trace::queue_series& q : r.queues) {
    json most = json::array();
    for (const std::int64_t n : q.most) most.push_back(n < 0 ? json(nullptr) : json(n));
    list.push_back({{"link", q.link}, {"interval_us", us(r.interval_ns)}, {"most", most}});
  }
  return list;
}

json congestion_json(const trace_record& r) {
  if (r.congestion.empty()) return nullptr;
  json j;
  for (const trace_record::sample& s : r.congestion) {
    j["time_us"].push_back(us(s.time_ns));
    j["window_bytes"].push_back(s.window_bytes);
    j["in_flight_bytes"].push_back(s.in_flight_bytes);
    j["rtt_us"].push_back(s.rtt_ns == 0 ? json(nullptr)
                                        : json(us(static_cast<std::int64_t>(s.rtt_ns))));
  }
  return j;
}

std::uint64_t value_of(const messaging::statistics& stats, std::string_view name) {
  for (const auto& [key, value] : stats)
    if (key == name) return value;
  return 0;
}

}  // namespace

bool is_traced(const point_spec& point, std::uint32_t repetition) noexcept {
  return !point.run.trace.peer.empty() && repetition == 0 && point.transport.plugin == "netsim";
}

run_trace::run_trace(const point_spec& point, std::unique_ptr<run_observer> also)
    : also_(std::move(also)), timeline_(options_of(point)) {
  record_.peer = point.run.trace.peer;
  record_.interval_ns = interval_of(point.run);
}

void run_trace::on_place(std::uint32_t place, std::string_view name) noexcept {
  timeline_.on_place(place, name);
  if (also_) also_->on_place(place, name);
}

void run_trace::on_packet(const transport::packet_event& event, std::span<const std::byte> first,
                          std::span<const buffer::slice> rest) noexcept {
  timeline_.on_packet(event, first, rest);
  if (also_) also_->on_packet(event, first, rest);
}

void run_trace::on_end(const transport::fabric_facts& facts) {
  if (also_) also_->on_end(facts);
}

void run_trace::measured(time_point from, time_point until) noexcept {
  record_.measured_from_ns = from.time_since_epoch().count();
  record_.measured_until_ns = until.time_since_epoch().count();
}

void run_trace::after_turn(agent& a) {
  if (a.name() != record_.peer) return;
  const std::int64_t now = a.messenger().now().time_since_epoch().count();
  if (now < next_sample_ns_) return;
  const messaging::statistics stats = a.messenger().peer_stats(a.first_target());
  if (stats.empty()) return;
  next_sample_ns_ = now + record_.interval_ns;
  // Before anything was confirmed the round trip is an assumption.
  const bool rtt_known = timeline_.totals().confirmed > 0;
  record_.congestion.push_back({now, value_of(stats, "congestion_window_bytes"),
                                value_of(stats, "bytes_in_flight"),
                                rtt_known ? value_of(stats, "rtt_ns") : 0});
}

trace_record run_trace::take() {
  record_.to = timeline_.to();
  record_.packets = timeline_.packets();
  record_.totals = timeline_.totals();
  record_.queues = timeline_.queues();
  // The fullest queues; where never two packets met there is nothing to see.
  const auto fullest = [](const trace::queue_series& q) {
    return *std::max_element(q.most.begin(), q.most.end());
  };
  std::erase_if(record_.queues, [&](const auto& q) { return fullest(q) < 2; });
  std::stable_sort(record_.queues.begin(), record_.queues.end(),
                   [&](const auto& a, const auto& b) { return fullest(a) > fullest(b); });
  if (record_.queues.size() > queues_max) record_.queues.resize(queues_max);
  return std::move(record_);
}

json trace_json(const trace_record& r) {
  return {{"peer", r.peer},
          {"to", r.to},
          {"measured_from_us", us(r.measured_from_ns)},
          {"measured_until_us", us(r.measured_until_ns)},
          {"totals",
           {{"sent", r.totals.sent},
            {"retransmissions", r.totals.retransmissions},
            {"dropped", r.totals.dropped},
            {"damaged", r.totals.damaged},
            {"confirmed", r.totals.confirmed}}},
          {"packets", packets_json(r.packets)},
          {"queues", queues_json(r)},
          {"congestion", congestion_json(r)}};
}

}  // namespace mdp::scenario
