// One repetition of one point, as measured.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mdp/messaging/messenger.hpp"
#include "trace/packet_timeline.hpp"
#include "workload/flow_metrics.hpp"

namespace mdp::scenario {

// What one of several processes took within the window.
struct process_usage {
  std::string name;
  double cpu_us = -1;  // < 0: unknown
  double context_switches = -1;
};

// What became of one peer's packets, and what its congestion control did. Times are virtual, from
// the simulation's start.
struct trace_record {
  std::string peer, to;
  std::int64_t measured_from_ns = 0, measured_until_ns = 0;
  std::vector<trace::traced_packet> packets;
  trace::timeline_totals totals;
  std::int64_t interval_ns = 0;  // of the queues' series
  std::vector<trace::queue_series> queues;
  struct sample {
    std::int64_t time_ns = 0;
    std::uint64_t window_bytes = 0, in_flight_bytes = 0, rtt_ns = 0;
  };
  std::vector<sample> congestion;  // empty: the protocol has none
};

struct run_record {
  std::uint32_t index = 0;
  std::uint32_t order = 0;
  std::uint64_t seed = 0;
  std::string started;                                // UTC
  std::map<std::string, std::vector<int>> placement;  // peer group -> cpus
  workload::flow_metrics flows;                       // of all peers, merged
  double measured_s = 0;
  bool reliable = true;
  std::map<std::string, std::uint64_t> stats;      // messengers' counts over the window, summed
  std::map<std::string, std::uint64_t> transport;  // transports' counts over the window, summed
  // In all the run: ups and downs reported to all peers; crashes and restarts of processes.
  std::map<std::string, std::uint64_t> peers;
  std::vector<std::uint64_t> retransmitted;  // packets, by interval; empty: unknown
  double cpu_us = -1;                        // of all threads over the window; < 0: unknown
  double context_switches = -1;
  double real_s = 0;
  std::map<std::string, std::string> facts;  // the fabric's, e.g. digest
  std::vector<double> per_sender;            // messages completed or sent by each sending peer
  // What the simulator itself counted within the window; empty: there is no simulator.
  std::map<std::string, std::uint64_t> network;
  std::vector<process_usage> processes;  // empty: all ran in one
  std::optional<trace_record> trace;
  std::string error;  // not empty: the repetition failed
};

// Adds what one node, or one process, counted. A maximum is no count: the largest of all stays.
inline void add_stat(std::map<std::string, std::uint64_t>& sums, const std::string& name,
                     std::uint64_t count) {
  std::uint64_t& sum = sums[name];
  sum = name == "retry_max" ? std::max(sum, count) : sum + count;
}

}  // namespace mdp::scenario
