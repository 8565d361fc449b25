// Results in the JSON form of Google Benchmark, so that its compare.py works on them.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "figures.hpp"
#include "mdp/reports/reports.hpp"

namespace mdp::reports {
namespace {

using json = nlohmann::ordered_json;

// One run is one repetition; its time is the median latency, its CPU time that of one message.
// Figures that a run lacks are left out; a run without a latency is no benchmark.
json benchmark(const result_document& r, std::size_t index) {
  const run_record& run = r.runs[index];
  const std::string kind = main_kind(r);
  figure time;
  std::uint64_t samples = 0;
  for (const latency_record& l : run.latencies) {
    if (l.kind != kind) continue;
    time = percentile_us(l, 50);
    samples = l.count;
  }
  if (!time) return nullptr;
  const std::string point = point_text(r);
  const std::string name =
      r.scenario + (point.empty() || point == dash ? "" : "/" + point) + "/" + kind;
  json out{{"name", name},
           {"run_name", name},
           {"run_type", "iteration"},
           {"repetitions", r.runs.size()},
           {"repetition_index", index},
           {"threads", 1},
           {"iterations", samples},
           {"real_time", *time},
           {"cpu_time", run.cpu_us_per_message.value_or(0)},
           {"time_unit", "us"}};
  if (run.messages_per_s) out["items_per_second"] = *run.messages_per_s;
  if (run.payload_per_s) out["bytes_per_second"] = *run.payload_per_s;
  return out;
}

}  // namespace

std::string gbench_text(const std::vector<std::string>& result_json_texts) {
  const std::vector<result_document> results = parse_documents(result_json_texts);
  json context = json::object();
  context["executable"] = "mdp";
  for (const auto& [key, value] : results.front().host) {
    if (key == "cpu") context["cpu"] = value;
  }
  json list = json::array();
  for (const result_document& r : results) {
    for (std::size_t i = 0; i < r.runs.size(); ++i) {
      json one = benchmark(r, i);
      if (!one.is_null()) list.push_back(std::move(one));
    }
  }
  return json{{"context", context}, {"benchmarks", list}}.dump(1) + "\n";
}

}  // namespace mdp::reports
