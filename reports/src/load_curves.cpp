// Which results make a load curve, and its points.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "figures.hpp"
#include "plot_data.hpp"

namespace mdp::reports {
namespace {

// Two points are a line whatever the system does.
constexpr std::size_t fewest_points = 3;

struct load_point {
  const result_document* result;
  double offered, achieved, payload;
  figure p50, p99;
};

using load_series = std::vector<load_point>;

figure offered_rate(const result_document& r) {
  // A closed loop offers what it completes.
  const figure offered = median_of(r, &run_record::offered_per_s);
  return offered ? offered : median_of(r, &run_record::messages_per_s);
}

std::vector<load_series> series_of(const result_group& group) {
  std::vector<load_series> out;
  for (const result_document* r : group.results) {
    const figure offered = offered_rate(*r);
    const figure achieved = median_of(*r, &run_record::messages_per_s);
    const latency_record latency = merged_latency(*r, group.kind);
    const figure p50 = percentile_us(latency, 50);
    if (!offered || !achieved || !p50 || r->all_but_load.empty()) continue;
    const load_point point{r,         *offered,
                           *achieved, median_of(*r, &run_record::payload_per_s).value_or(0),
                           p50,       percentile_us(latency, 99)};
    const auto same = std::find_if(out.begin(), out.end(), [r](const load_series& s) {
      return s.front().result->all_but_load == r->all_but_load;
    });
    if (same == out.end()) {
      out.push_back({point});
    } else {
      same->push_back(point);
    }
  }
  std::erase_if(out, [](load_series& s) {
    std::stable_sort(s.begin(), s.end(),
                     [](const auto& a, const auto& b) { return a.offered < b.offered; });
    // Repeats of one load are no curve.
    return s.size() < fewest_points || s.back().offered < 1.2 * s.front().offered;
  });
  return out;
}

// What tells one series from another: the variables that do not vary within it.
std::vector<std::string> labels_of(const std::vector<load_series>& series) {
  std::vector<const result_document*> first;
  for (const load_series& s : series) first.push_back(s.front().result);
  std::vector<std::string> names = varying_names(first);
  for (const load_series& s : series) {
    std::vector<const result_document*> all;
    for (const load_point& p : s) all.push_back(p.result);
    for (const std::string& loads : varying_names(all)) std::erase(names, loads);
  }
  std::vector<std::string> out;
  for (const result_document* r : first)
    out.push_back(names.empty() ? std::string() : point_text(*r, names));
  return out;
}

std::string text_of(figure value) {
  return value ? fmt::format("{:.9g}", *value) : "?";
}

}  // namespace

load_curves load_curves_of(const result_group& group) {
  load_curves out;
  const std::vector<load_series> series = series_of(group);
  if (series.empty()) return out;
  out.blocks = labels_of(series);
  out.data = "# offered messages/s  delivered messages/s  payload bytes/s  p50 us  p99 us\n";
  double offered = 0, achieved = 0, low = 1e18, high = 0, least = 1e18, most = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    out.data += i == 0 ? "\n" : "\n\n";
    for (const load_point& p : series[i]) {
      out.data += fmt::format("{:.9g} {:.9g} {:.9g} {} {}\n", p.offered, p.achieved, p.payload,
                              text_of(p.p50), text_of(p.p99));
      offered = std::max(offered, p.offered);
      achieved = std::max(achieved, p.achieved);
      low = std::min(low, *p.p50);
      high = std::max(high, p.p99.value_or(*p.p50));
      if (p.achieved <= 0) continue;
      least = std::min(least, p.payload / p.achieved);
      most = std::max(most, p.payload / p.achieved);
    }
  }
  if (achieved <= 0 || high <= 0) return {};
  if (least > 0 && most < least * 1.01) out.bytes_per_message = (least + most) / 2;
  out.offered = linear_axis(std::max(offered, achieved) * 1.05);
  out.achieved = linear_axis(achieved * 1.05);
  out.y = latency_axis(low, high);
  return out;
}

}  // namespace mdp::reports
