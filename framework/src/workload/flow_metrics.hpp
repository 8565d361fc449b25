// What a flow measured on one thread; merged over threads when the run is over.
#pragma once
#include <cstdint>
#include <vector>

#include "actor.hpp"
#include "mdp/metrics/histogram.hpp"

namespace mdp::workload {

// Fixed intervals over the measured window.
class time_series {
 public:
  static constexpr std::size_t intervals_max = 200;
  void begin(time_point from, time_point until) {
    from_ = from;
    interval_ = std::max<duration>((until - from) / 50, std::chrono::milliseconds(100));
    const auto n = static_cast<std::size_t>((until - from + interval_ - duration(1)) / interval_);
    delivered.assign(std::min(n, intervals_max), 0);
    p99_ns.assign(delivered.size(), -1);
    current_ = 0;
    scratch_.clear();
  }
  void count(time_point at, std::uint64_t n = 1) noexcept {
    if (const std::size_t i = index(at); i < delivered.size()) delivered[i] += n;
  }
  [[nodiscard]] duration interval() const noexcept { return interval_; }
  void latency(time_point at, std::int64_t ns) noexcept {
    const std::size_t i = index(at);
    if (i >= p99_ns.size()) return;
    if (i != current_) close(i);
    scratch_.record(ns);
  }
  void finish() noexcept { close(p99_ns.size()); }
  // As measured elsewhere; takes no more measurements.
  static time_series measured(duration interval, std::vector<std::uint64_t> delivered,
                              std::vector<std::int64_t> p99_ns) {
    time_series out;
    out.interval_ = interval;
    out.delivered = std::move(delivered);
    out.p99_ns = std::move(p99_ns);
    return out;
  }
  void prefault() noexcept { scratch_.prefault(); }
  // Adds the counts of another series over the same window; of the percentiles the larger stays.
  void merge(const time_series& other);
  [[nodiscard]] double interval_s() const noexcept {
    return static_cast<double>(interval_.count()) / 1e9;
  }
  std::vector<std::uint64_t> delivered;
  std::vector<std::int64_t> p99_ns;  // -1: nothing measured

 private:
  [[nodiscard]] std::size_t index(time_point at) const noexcept {
    return at < from_ ? SIZE_MAX : static_cast<std::size_t>((at - from_) / interval_);
  }
  void close(std::size_t next) noexcept {
    if (scratch_.count() > 0 && current_ < p99_ns.size())
      p99_ns[current_] = *scratch_.percentile(99, 0);
    scratch_.clear();
    current_ = next;
  }
  time_point from_{};
  duration interval_ = std::chrono::milliseconds(100);
  std::size_t current_ = 0;
  metrics::histogram scratch_;
};

struct flow_metrics {
  metrics::histogram response, service, received, delivered, one_way, round_trip;
  std::uint64_t offered = 0;    // scheduled inside the window
  std::uint64_t sent = 0;       // of these, accepted by the messenger
  std::uint64_t completed = 0;  // of these, answered or confirmed
  std::uint64_t expired = 0;    // of these, still open at the end
  std::uint64_t unknown = 0;    // of these, lost with their session
  std::uint64_t timed_out = 0;  // of these, given up when their time was over
  std::uint64_t refused = 0;    // scheduled inside the window, to a peer that is gone for good
  std::uint64_t orphaned = 0;   // of these, open when the process that had sent them ended
  std::uint64_t arrived = 0;    // at the receiving side inside the window
  std::uint64_t arrived_bytes = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t corrupted = 0;
  time_series series;

  // Touches all memory, so that nothing measured in real time waits for a page.
  void prefault() noexcept;
  // Adds what another actor measured over the same window.
  void merge(const flow_metrics& other);
};

}  // namespace mdp::workload
