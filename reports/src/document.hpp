// A result document (schema mdp-result/1) as plain values. What is null, missing or of another type
// in the document is std::nullopt or empty here. Values only; safe to share between threads once
// read.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mdp::reports {

using figure = std::optional<double>;
using named_text = std::pair<std::string, std::string>;

struct latency_record {
  std::string kind;
  std::uint64_t count = 0;
  figure min_us, mean_us, max_us;
  std::vector<std::pair<double, figure>> percentiles_us;  // as the document states them: 99.9 -> us
  std::vector<std::pair<std::int64_t, std::uint64_t>> buckets;  // ns, count; ascending
};

struct time_series {
  double interval_s = 0;
  std::vector<figure> delivered, retransmitted, p99_us;
};

// Packets of one simulated peer; times in seconds of virtual time.
struct trace_record {
  std::string peer, to;
  figure sent, retransmissions, harmed, confirmed;  // of the whole run
  struct packet {
    double number, sent_s;
    bool retransmission;
    figure harmed_s, confirmed_s;
  };
  std::vector<packet> packets;
  struct queue {
    std::string link;
    double interval_s;
    std::vector<figure> most;
  };
  std::vector<queue> queues;
  struct sample {
    double time_s, window_bytes, in_flight_bytes;
    figure rtt_us;
  };
  std::vector<sample> congestion;
};

struct run_record {
  figure seed, offered_per_s, messages_per_s, payload_per_s, wire_per_s;
  figure sent, delivered, expired, duplicated, retransmitted, dropped, cpu_us_per_message;
  std::vector<latency_record> latencies;
  time_series series;
  trace_record trace;  // nothing sent: there is none
  std::vector<named_text> facts;
};

struct summary_record {
  std::string metric;
  figure median, low, high, samples, cv_pct;
};

struct assert_record {
  std::string expect, actual;
  bool pass = false;
};

struct result_document {
  std::string id, scenario, status, pattern;
  std::vector<std::string> reasons;
  std::vector<named_text> point, build, host;
  std::vector<run_record> runs;
  std::vector<summary_record> summary;
  std::vector<assert_record> asserts;
  std::string config_json;    // indented
  std::string all_but_load;   // the configuration without how much load is offered, one line
  std::string abridged_json;  // the document without buckets, series and config, indented
};

// Throws report_error: not JSON, nested too deeply, or not a result document. `name` starts the
// line.
[[nodiscard]] result_document parse_document(const std::string& json_text, const std::string& name);
// All of them, named "result 1" and so on.
[[nodiscard]] std::vector<result_document> parse_documents(const std::vector<std::string>& texts);

}  // namespace mdp::reports
