// The only file here that reads JSON.
#include "document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "figures.hpp"
#include "mdp/reports/reports.hpp"

namespace mdp::reports {
namespace {

using json = nlohmann::ordered_json;

// Deeper nesting than this is no result document; dumping it could overflow the stack.
constexpr int max_depth = 64;

const json& member(const json& object, const char* key) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto it = object.find(key);
  return it == object.end() ? nothing : *it;
}

figure number_of(const json& value) {
  if (!value.is_number()) return std::nullopt;
  const double x = value.get<double>();
  return std::isfinite(x) ? figure(x) : std::nullopt;
}

std::string dump(const json& value, int indent = -1) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? std::string() : dump(value);
}

// 1405696.0 reads better without its fraction.
std::string actual_of(const json& value) {
  const figure number = number_of(value);
  return number ? fmt::format("{:.10g}", *number) : text_of(value);
}

std::vector<figure> numbers_of(const json& list) {
  std::vector<figure> out;
  if (list.is_array()) {
    for (const json& v : list) out.push_back(number_of(v));
  }
  return out;
}

// Nested objects become "outer.inner".
void flatten(const json& value, const std::string& prefix, std::vector<named_text>& out) {
  if (!value.is_object()) return;
  for (const auto& [key, inner] : value.items()) {
    if (inner.is_object()) {
      flatten(inner, prefix + key + ".", out);
    } else {
      out.emplace_back(prefix + key, text_of(inner));
    }
  }
}

std::vector<named_text> flat(const json& value) {
  std::vector<named_text> out;
  flatten(value, "", out);
  return out;
}

void read_percentiles(const json& value, latency_record& out) {
  for (const auto& [key, inner] : value.items()) {
    if (key.size() < 5 || key.front() != 'p' || !key.ends_with("_us")) continue;
    const std::string digits = key.substr(1, key.size() - 4);
    if (digits.find_first_not_of("0123456789.") != std::string::npos) continue;
    out.percentiles_us.emplace_back(std::stod("0" + digits), number_of(inner));
  }
}

latency_record read_latency(const std::string& kind, const json& value) {
  latency_record out;
  out.kind = kind;
  out.min_us = number_of(member(value, "min_us"));
  out.mean_us = number_of(member(value, "mean_us"));
  out.max_us = number_of(member(value, "max_us"));
  read_percentiles(value, out);
  const json& counts = member(member(value, "hdr"), "counts");
  std::uint64_t total = 0;
  if (counts.is_array()) {
    for (const json& pair : counts) {
      if (!pair.is_array() || pair.size() != 2) continue;
      const figure ns = number_of(pair[0]);
      const figure n = number_of(pair[1]);
      if (!ns || !n || *ns < 0 || *ns > 9e18 || *n < 1 || *n > 9e18) continue;
      out.buckets.emplace_back(static_cast<std::int64_t>(*ns), static_cast<std::uint64_t>(*n));
      total += out.buckets.back().second;
    }
  }
  std::sort(out.buckets.begin(), out.buckets.end());
  const figure count = number_of(member(value, "count"));
  out.count = total > 0 ? total : count && *count > 0 ? static_cast<std::uint64_t>(*count) : 0;
  return out;
}

time_series read_series(const json& value) {
  time_series out;
  out.interval_s = number_of(member(value, "interval_s")).value_or(0);
  out.delivered = numbers_of(member(value, "delivered"));
  out.retransmitted = numbers_of(member(value, "retransmitted"));
  out.p99_us = numbers_of(member(value, "p99_us"));
  return out;
}

// Columns of equal length; what is longer than the first is left.
std::vector<std::vector<figure>> columns_of(const json& table,
                                            std::initializer_list<const char*> names) {
  std::vector<std::vector<figure>> out;
  for (const char* name : names) {
    out.push_back(numbers_of(member(table, name)));
    out.back().resize(out.front().size());
  }
  return out;
}

void read_traced_packets(const json& table, trace_record& out) {
  const auto columns = columns_of(table, {"number", "sent_us", "harmed_us", "confirmed_us"});
  const json& again = member(table, "retransmission");
  const auto s = [](figure us) { return us ? figure(*us / 1e6) : us; };
  for (std::size_t i = 0; i < columns[0].size(); ++i) {
    if (!columns[0][i] || !columns[1][i]) continue;
    const bool repeats = again.is_array() && i < again.size() && again[i] == json(true);
    out.packets.push_back(
        {*columns[0][i], *s(columns[1][i]), repeats, s(columns[2][i]), s(columns[3][i])});
  }
}

trace_record read_trace(const json& value) {
  trace_record out;
  out.peer = text_of(member(value, "peer"));
  out.to = text_of(member(value, "to"));
  const json& totals = member(value, "totals");
  out.sent = number_of(member(totals, "sent"));
  out.retransmissions = number_of(member(totals, "retransmissions"));
  const figure dropped = number_of(member(totals, "dropped"));
  const figure damaged = number_of(member(totals, "damaged"));
  if (dropped && damaged) out.harmed = *dropped + *damaged;
  out.confirmed = number_of(member(totals, "confirmed"));
  read_traced_packets(member(value, "packets"), out);
  for (const json& q : member(value, "queues")) {
    const figure interval = number_of(member(q, "interval_us"));
    if (interval)
      out.queues.push_back(
          {text_of(member(q, "link")), *interval / 1e6, numbers_of(member(q, "most"))});
  }
  const auto c = columns_of(member(value, "congestion"),
                            {"time_us", "window_bytes", "in_flight_bytes", "rtt_us"});
  for (std::size_t i = 0; i < c[0].size(); ++i) {
    if (c[0][i] && c[1][i] && c[2][i])
      out.congestion.push_back({*c[0][i] / 1e6, *c[1][i], *c[2][i], c[3][i]});
  }
  return out;
}

run_record read_run(const json& value) {
  run_record out;
  const json& messages = member(value, "messages");
  const json& packets = member(value, "packets");
  const json& bytes = member(value, "bytes");
  out.seed = number_of(member(value, "seed"));
  out.offered_per_s = number_of(member(member(value, "offered"), "rate_per_s"));
  out.messages_per_s = number_of(member(messages, "rate_per_s"));
  out.sent = number_of(member(messages, "sent"));
  out.delivered = number_of(member(messages, "delivered"));
  if (!out.delivered) out.delivered = number_of(member(messages, "arrived"));
  out.expired = number_of(member(messages, "expired"));
  out.duplicated = number_of(member(messages, "duplicated"));
  out.retransmitted = number_of(member(packets, "retransmitted"));
  out.dropped = number_of(member(packets, "dropped"));
  out.payload_per_s = number_of(member(bytes, "payload_per_s"));
  out.wire_per_s = number_of(member(bytes, "wire_per_s"));
  out.cpu_us_per_message = number_of(member(member(value, "cpu"), "us_per_message"));
  const json& latency = member(value, "latency");
  if (latency.is_object()) {
    for (const auto& [kind, inner] : latency.items()) {
      if (!inner.is_object()) continue;
      latency_record record = read_latency(kind, inner);
      if (record.count > 0) out.latencies.push_back(std::move(record));
    }
  }
  out.series = read_series(member(value, "series"));
  out.trace = read_trace(member(value, "trace"));
  out.facts = flat(member(value, "facts"));
  return out;
}

std::vector<summary_record> read_summary(const json& value) {
  std::vector<summary_record> out;
  if (!value.is_object()) return out;
  for (const auto& [metric, inner] : value.items()) {
    summary_record s;
    s.metric = metric;
    s.median = number_of(member(inner, "median"));
    s.samples = number_of(member(inner, "n"));
    s.cv_pct = number_of(member(inner, "cv_pct"));
    const std::vector<figure> ends = numbers_of(member(inner, "ci95"));
    if (ends.size() == 2) {
      s.low = ends[0];
      s.high = ends[1];
    }
    out.push_back(std::move(s));
  }
  return out;
}

std::string pattern_of(const json& document) {
  std::string varied = text_of(member(member(document, "point"), "pattern"));
  if (!varied.empty()) return varied;
  const json& flows = member(member(document, "config"), "flows");
  return flows.is_array() && !flows.empty() ? text_of(member(flows[0], "pattern")) : "";
}

// What two results must share to be points of one load curve.
std::string all_but_load(json config) {
  if (!config.is_object()) return "";
  config.erase("vars");
  config.erase("sweep");
  if (config.contains("flows") && config["flows"].is_array()) {
    for (json& flow : config["flows"]) {
      if (flow.is_object()) flow.erase("load");
    }
  }
  return config.dump();
}

// Lists of thousands of packet numbers belong in the result file.
void shorten_facts(json& facts) {
  if (!facts.is_object()) return;
  for (auto& [name, value] : facts.items()) {
    if (value.is_string()) value = shortened(value.get<std::string>());
  }
}

// A link's delivery trace has thousands of numbers: the result file has them.
void shorten_lists(json& value) {
  constexpr std::size_t longest = 200;
  if (!value.is_structured()) return;
  for (auto& [key, inner] : value.items()) {
    if (inner.is_array() && inner.size() > longest) {
      inner = fmt::format("{} items", inner.size());
    } else {
      shorten_lists(inner);
    }
  }
}

void remove_bulk(json& document) {
  if (!document.contains("runs") || !document["runs"].is_array()) return;
  for (json& run : document["runs"]) {
    if (!run.is_object()) continue;
    run.erase("series");
    run.erase("trace");
    if (run.contains("facts")) shorten_facts(run["facts"]);
    if (!run.contains("latency") || !run["latency"].is_object()) continue;
    for (auto& [kind, inner] : run["latency"].items()) {
      if (inner.is_object()) inner.erase("hdr");
    }
  }
}

json parse_json(const std::string& text, const std::string& name) {
  const auto guard = [&name](int depth, json::parse_event_t, json&) {
    if (depth > max_depth) {
      throw report_error(
          fmt::format("{}: nested deeper than {} levels; no result is", name, max_depth));
    }
    return true;
  };
  try {
    return json::parse(text, guard);
  } catch (const json::parse_error& e) {
    throw report_error(fmt::format(
        "{}: not JSON (at byte {}); the file is damaged: run the scenario again", name, e.byte));
  } catch (const json::exception& e) {
    throw report_error(fmt::format("{}: {}", name, e.what()));
  }
}

}  // namespace

result_document parse_document(const std::string& json_text, const std::string& name) {
  json document = parse_json(json_text, name);
  const std::string schema = text_of(member(document, "schema"));
  if (schema != "mdp-result/1") {
    throw report_error(fmt::format("{}: {}; give files that `mdp run` wrote", name,
                                   schema.empty() ? "not a result (it has no schema)"
                                                  : "schema '" + schema + "' is not mdp-result/1"));
  }
  result_document out;
  out.id = text_of(member(document, "id"));
  out.scenario = text_of(member(document, "scenario"));
  out.status = text_of(member(document, "status"));
  out.pattern = pattern_of(document);
  out.point = flat(member(document, "point"));
  out.build = flat(member(document, "build"));
  out.host = flat(member(document, "host"));
  for (const json& r : member(document, "reasons")) out.reasons.push_back(text_of(r));
  const json& runs = member(document, "runs");
  if (!runs.is_null() && !runs.is_array()) {
    throw report_error(fmt::format("{}: its runs are no list; the file is damaged", name));
  }
  for (const json& r : runs) out.runs.push_back(read_run(r));
  out.summary = read_summary(member(document, "summary"));
  for (const json& a : member(document, "asserts")) {
    out.asserts.push_back({text_of(member(a, "expect")), actual_of(member(a, "actual")),
                           member(a, "pass") == json(true)});
  }
  json config = member(document, "config");
  shorten_lists(config);
  out.config_json = dump(config, 2);
  out.all_but_load = all_but_load(member(document, "config"));
  document.erase("config");
  remove_bulk(document);
  out.abridged_json = dump(document, 2);
  return out;
}

std::vector<result_document> parse_documents(const std::vector<std::string>& texts) {
  if (texts.empty()) throw report_error("no result to report; run a scenario first");
  std::vector<result_document> out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    out.push_back(parse_document(texts[i], fmt::format("result {}", i + 1)));
  }
  return out;
}

}  // namespace mdp::reports
