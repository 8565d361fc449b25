// A run in virtual time, driven by the simulator's next event.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <stdexcept>

#include "mdp/base/thread_crew.hpp"
#include "peer_processes.hpp"
#include "repetition.hpp"

namespace mdp::scenario {
namespace {

class virtual_run final : public transport::turns {
 public:
  virtual_run(const point_spec& point, std::uint64_t seed, const run_callbacks& callbacks,
              transport::fabric& fabric, run_trace* trace, run_record& record)
      : point_(point),
        callbacks_(callbacks),
        fabric_(fabric),
        trace_(trace),
        record_(record),
        peers_(point, seed, fabric) {
    if (callbacks.threads > 1) threads_ = std::make_unique<thread_crew>(callbacks.threads);
  }

  // Runs events up to `until`, on as many threads as the fabric has.
  void run_to(time_point until) {
    begin_to(until);
    do {
      fabric_.run(std::min(until, peers_.next_change()), *this, threads_.get());
      check();
    } while (change_by(until));
  }
  // Runs events up to `until`, or until `stop` says so after any of them.
  template <class Stop>
  void run_to(time_point until, Stop&& stop) {
    begin_to(until);
    while (!stop()) {
      if (!go_on()) check();
      const std::int64_t ready = fabric_.advance(std::min(until, peers_.next_change()));
      if (ready >= 0) {
        take_turn(ready);
      } else if (!change_by(until)) {
        return;
      }
    }
  }

  [[nodiscard]] peer_processes& peers() noexcept { return peers_; }

 private:
  void take_turn(std::int64_t number) noexcept override {
    agent& a = *peers_.at(static_cast<std::size_t>(number));
    settle(a, until_);
    if (trace_ != nullptr) trace_->after_turn(a);
    if (!a.lost().empty()) lost_.store(true, std::memory_order_relaxed);
  }
  bool go_on() noexcept override {
    if (lost_.load(std::memory_order_relaxed)) return false;
    return (++asked_ & 63) != 0 || (in_time() && !stop_requested());
  }
  void begin_to(time_point until) {
    until_ = until;
    peers_.each([&](agent& a) { settle(a, until); });
  }
  // The clock stands at the next change, or at `until`. False: no change comes by then.
  bool change_by(time_point until) {
    if (peers_.next_change() > until) return false;
    for (const std::size_t begun : peers_.change(record_)) settle(*peers_.at(begun), until);
    return true;
  }
  // What an agent submits must be flushed by another turn; the last one registers its next wake-up.
  static void settle(agent& a, time_point until) {
    while (a.turn(until)) {
    }
  }
  [[nodiscard]] bool in_time() const noexcept {
    const auto real = std::chrono::steady_clock::now() - begun_;
    return real <= std::chrono::duration<double>(point_.run.time_limit_s);
  }
  [[nodiscard]] bool stop_requested() const {
    return callbacks_.stop_requested && callbacks_.stop_requested();
  }
  // Throws what made go_on() say no.
  void check() {
    peers_.each([](agent& a) {
      if (!a.lost().empty()) throw std::runtime_error(a.lost());
    });
    if (!in_time())
      throw std::runtime_error(
          fmt::format("/run/time_limit_s: still running after {} s", point_.run.time_limit_s));
    if (stop_requested()) throw std::runtime_error("interrupted");
  }

  const point_spec& point_;
  const run_callbacks& callbacks_;
  transport::fabric& fabric_;
  run_trace* trace_;
  run_record& record_;
  peer_processes peers_;
  time_point until_;
  std::atomic<bool> lost_{false};
  std::unique_ptr<thread_crew> threads_;
  std::uint64_t asked_ = 0;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

using packet_counts = std::map<std::string, std::uint64_t>;

// The simulator's own counts of packets, from its facts.
packet_counts counted_by(const transport::fabric& fabric) {
  packet_counts out;
  for (const auto& [name, value] : fabric.facts()) {
    constexpr std::string_view prefix = "packets_";
    if (!name.starts_with(prefix)) continue;
    std::uint64_t count = 0;
    std::from_chars(value.data(), value.data() + value.size(), count);
    out[name.substr(prefix.size())] = count;
  }
  return out;
}

}  // namespace

void run_virtual(const point_spec& point, std::uint64_t seed, const run_callbacks& callbacks,
                 transport::fabric& fabric, run_trace* trace, run_record& record) {
  for (const flow_spec& flow : point.flows) {
    // Nothing holds such a sender back: at one instant of virtual time it would send for ever.
    if (point.protocol.name == "raw" && flow.pattern == flow_pattern::stream &&
        flow.load.mode == load_mode::closed)
      throw std::runtime_error(
          "/flows: a closed stream over raw has no rate of its own in virtual time; use "
          "\"mode\": \"open\" with rate_per_s, or protocol mdp");
  }
  std::size_t nodes = 0;
  for (const peer_group& group : point.peers) nodes += group.count;
  fabric.divide({callbacks.partitions, nodes});
  virtual_run run(point, seed, callbacks, fabric, trace, record);
  peer_processes& peers = run.peers();
  // From the one on that was waited for: asked after each event, of very many agents.
  auto all = [&, at = std::size_t{0}](auto&& test) mutable {
    for (std::size_t passed = 0; passed < peers.size(); ++passed) {
      if (peers.at(at) != nullptr && !test(*peers.at(at))) return false;
      at = at + 1 < peers.size() ? at + 1 : 0;
    }
    return true;
  };
  run.run_to(peers.now() + seconds(60),
             [&] { return all([](agent& a) { return a.connected(); }); });
  if (!all([](agent& a) { return a.connected(); }))
    throw std::runtime_error("not every peer was connected within 60 s of virtual time");

  workload::phases p;
  p.start = peers.now() + std::chrono::milliseconds(1);
  p.measure_from = p.start + seconds(point.run.warmup_s);
  p.measure_until = p.measure_from + seconds(point.run.measure_s);
  p.drain_until = p.measure_until + seconds(point.run.drain_s);
  if (trace != nullptr) trace->measured(p.measure_from, p.measure_until);
  peers.begin(p);
  run.run_to(p.measure_from);
  peers.snapshot(false);
  const packet_counts before = counted_by(fabric);
  run.run_to(p.measure_until);
  peers.snapshot(true);
  record.network = counted_by(fabric);
  for (const auto& [name, count] : before) record.network[name] -= count;
  run.run_to(p.drain_until, [&] { return all([](agent& a) { return a.done(); }); });
  peers.finish(record);
  record.measured_s = point.run.measure_s;
}

}  // namespace mdp::scenario
