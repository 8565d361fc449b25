// A scenario, expanded to points: plain values, nothing left to guess. Made by the loader (JSON),
// run by the runner. Units are in the names; times in seconds or microseconds as the JSON gives
// them.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mdp/base/thread_plan.hpp"

namespace mdp::scenario {

struct transport_spec {
  std::string plugin;  // "socket"
  std::string
      options_json;  // plugin options as a JSON object, "{}" by default; for a simulator the
                     // expanded `network` section is merged in (keys "links", "topology", "seed")
  std::string bind;  // "host:port", empty: loopback of the plugin's default family, port 0
};

struct protocol_spec {
  std::string name = "mdp";  // mdp | raw
  std::vector<std::pair<std::string, std::string>> config;
  thread_plan threads;  // its cpus are each group's: peer_group::thread_cpus
  double spin_us = 50;
};

struct peer_group {
  std::string name;  // "client"
  std::uint32_t count = 1;
  std::string link;       // simulator: link of each peer to the network's centre, "" = default
  std::vector<int> cpus;  // pin; empty: as run.cpus says
  std::vector<int> thread_cpus = {};  // pin the threads of its nodes (thread_plan::cpus)
  std::uint32_t processes = 0;        // of its own; 0: one with all such groups
};

enum class flow_pattern : std::uint8_t { request_response, stream };
enum class load_mode : std::uint8_t { open, closed };
enum class arrivals : std::uint8_t { constant, poisson, bursty, ramp };

struct load_spec {
  load_mode mode = load_mode::closed;
  arrivals arrival = arrivals::constant;
  double rate_per_s = 0;             // open: messages per second of each sending peer
  std::uint32_t burst_messages = 1;  // bursty: at one instant
  double rate_end_per_s = 0;         // ramp: rate at the end of the measured time
  std::uint32_t in_flight = 1;       // closed: messages outstanding of each sending peer
};

struct flow_spec {
  std::string from;
  std::string to;
  flow_pattern pattern = flow_pattern::request_response;
  std::vector<std::pair<std::uint32_t, double>> sizes;  // bytes, weight; weights sum to 1
  std::uint32_t reply_bytes = 0;                        // request_response: 0 = as the request
  load_spec load;
  std::string confirm = "delivered";  // none | received | delivered | both
  double timeout_us = 0;              // until each confirmation asked for; 0: none
};

// The report shows what became of this peer's packets: simulations, the first repetition.
struct trace_spec {
  std::string peer;   // "client-0"; empty: no trace
  double from_s = 0;  // virtual time from which on packets are listed
};

struct run_spec {
  double warmup_s = 1;
  double measure_s = 5;
  double drain_s = 2;
  std::uint32_t repetitions = 1;
  // Runs go on, to so many at most, until the medians are known to `precision_pct`; 0: they do not.
  std::uint32_t repetitions_max = 0;
  double precision_pct = 5;
  std::string order = "interleaved";    // interleaved | sequential
  std::string cpus = "auto";            // auto (one cpu a peer group, round robin) | none
  std::string repeat_changes = "seed";  // seed | nothing
  bool verify_determinism = false;  // simulator: run each repetition twice, digests must be equal
  std::string steady_state = "report";  // report | require: without it the point is inconclusive
  std::string peer_down = "fail";       // fail | report: the run goes on, and counts it
  double time_limit_s = 300;            // of one repetition, real time
  trace_spec trace = {};
};

struct assert_spec {
  std::string expect;                        // "latency.response.p99_us <= 500"
  std::map<std::string, std::string> where;  // sweep variable -> value as JSON text
};

// Which trial of a search a point is.
struct search_trial {
  std::string of;       // the scenario's point that is searched: its id
  unsigned number = 0;  // from 0, in the order in which they were made
};

// One point of the cross product, fully expanded.
struct point_spec {
  std::string id;                           // 12 hex digits: hash of config_json
  std::map<std::string, std::string> vars;  // sweep variables of this point -> value as JSON text
  std::string config_json;                  // the expanded scenario of this point, pretty-printed
  std::uint64_t seed = 1;
  transport_spec transport;
  protocol_spec protocol;
  std::vector<peer_group> peers;
  std::vector<flow_spec> flows;
  run_spec run;
  std::vector<assert_spec> asserts;
  std::optional<search_trial> trial = {};  // empty: a point of the scenario's own
};

struct compare_spec {
  std::string var;       // empty: no comparison asked
  std::string baseline;  // value as text
  double min_effect_pct = 5;
};

// The highest value of a variable at which every assertion holds.
struct search_spec {
  std::string var;  // empty: no search asked
  double from = 0;
  double to = 0;
  double precision_pct = 5;
  bool whole = false;  // both ends are whole numbers: so is every value tried
  // RFC 9971: trials of full length that one bound rests on, share of them that may fail below it,
  // and length of the first ones.
  unsigned trials = 3;
  double exceed_pct = 50;
  double shortest_pct = 10;
};

struct report_spec {
  std::vector<double> percentiles{50, 90, 99, 99.9, 99.99};
  std::vector<std::string> plots{"load_curve", "percentiles", "throughput_bars",
                                 "latency_over_time", "trace"};
};

struct scenario_spec {
  std::string file;  // as the user named it
  std::string name;
  std::string description;
  std::vector<point_spec> points;
  compare_spec compare;
  search_spec search;
  report_spec report;
};

}  // namespace mdp::scenario
