#include "comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "figures.hpp"

namespace mdp::reports {
namespace {

struct sample {
  figure middle, low, high;
  std::size_t runs = 0;
};

sample sample_of(const result_document& r, const figure& middle,
                 const std::function<figure(const run_record&)>& of_run) {
  sample out;
  out.middle = middle;
  for (const run_record& run : r.runs) {
    const figure value = of_run(run);
    if (!value) continue;
    out.low = std::min(out.low.value_or(*value), *value);
    out.high = std::max(out.high.value_or(*value), *value);
    ++out.runs;
  }
  return out;
}

sample rate_sample(const result_document& r, figure run_record::*member) {
  return sample_of(r, median_of(r, member),
                   [member](const run_record& run) { return run.*member; });
}

sample latency_sample(const result_document& r, const std::string& kind, double percentile) {
  return sample_of(r, percentile_us(merged_latency(r, kind), percentile),
                   [&](const run_record& run) -> figure {
                     for (const latency_record& l : run.latencies) {
                       if (l.kind == kind) return percentile_us(l, percentile);
                     }
                     return std::nullopt;
                   });
}

// Three runs a side is the least at which separate ranges say anything (1 chance in 10 by luck).
constexpr std::size_t runs_to_judge = 3;

comparison_row row_of(const std::string& metric, const sample& a, const sample& b,
                      std::string (*text)(figure)) {
  comparison_row row{metric, text(a.middle), text(b.middle), dash, dash, false};
  if (!a.middle || !b.middle || *a.middle == 0) return row;
  row.change = fmt::format("{:+.1f} %", (*b.middle / *a.middle - 1) * 100);
  if (a.runs < runs_to_judge || b.runs < runs_to_judge) {
    row.judgement = "too few runs to tell";
    return row;
  }
  row.clear = *a.low > *b.high || *b.low > *a.high;
  row.judgement = row.clear ? "runs do not overlap" : "runs overlap";
  return row;
}

// The result that the others are set against: the one that the scenario names; of two, the first. A
// longer series is a sweep, and a sweep has no baseline.
std::optional<std::size_t> baseline_of(const result_group& group, const std::string& name) {
  for (std::size_t i = 0; i < group.results.size(); ++i) {
    const result_document& r = *group.results[i];
    if (!r.baseline.empty() && value_of(r.point, name) == r.baseline) return i;
  }
  return group.results.size() == 2 ? std::optional<std::size_t>(0) : std::nullopt;
}

}  // namespace

std::vector<comparison> comparisons_of(const result_group& group) {
  std::vector<comparison> out;
  const std::vector<std::string> names = varying_names(group.results);
  if (names.size() != 1) return out;
  const std::optional<std::size_t> baseline = baseline_of(group, names.front());
  if (!baseline) return out;
  const std::size_t first = *baseline;
  const result_document& a = *group.results[first];
  for (std::size_t i = 0; i < group.results.size(); ++i) {
    if (i == first) continue;
    const result_document& b = *group.results[i];
    comparison c;
    c.baseline = group.labels[first];
    c.other = group.labels[i];
    c.heading =
        fmt::format("{}: {} against {}", names.front(), group.labels[i], group.labels[first]);
    c.rows.push_back(row_of("messages/s", rate_sample(a, &run_record::messages_per_s),
                            rate_sample(b, &run_record::messages_per_s), number_text));
    for (const double p : {50.0, 99.0, 99.9}) {
      c.rows.push_back(row_of(fmt::format("{} {} latency, µs", percentile_name(p), group.kind),
                              latency_sample(a, group.kind, p), latency_sample(b, group.kind, p),
                              latency_text));
    }
    c.rows.push_back(row_of("CPU µs/message", rate_sample(a, &run_record::cpu_us_per_message),
                            rate_sample(b, &run_record::cpu_us_per_message), number_text));
    std::erase_if(c.rows, [](const comparison_row& r) { return r.change == dash; });
    if (!c.rows.empty()) out.push_back(std::move(c));
  }
  return out;
}

}  // namespace mdp::reports
