#include "plot_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "figures.hpp"

namespace mdp::reports {
namespace {

// A percentile curve keeps this many points in each tenfold of 1 / (1 - percentile).
constexpr double points_per_decade = 80;

std::string duration_text(double us) {
  if (us >= 999999) return fmt::format("{:g} s", us / 1e6);
  return us >= 999 ? fmt::format("{:g} ms", us / 1e3) : fmt::format("{:g} µs", us);
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

std::string quoted_cell(std::string text) {
  std::replace(text.begin(), text.end(), '"', '\'');
  return '"' + one_line(std::move(text)) + '"';
}

struct span {
  double low = std::numeric_limits<double>::max();
  double high = 0;
  void add(double value) {
    if (value <= 0) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

std::string cell(figure value) {
  return value ? fmt::format("{:.9g}", *value) : "?";
}

double percentile_block(const latency_record& l, std::string& data, span& covered) {
  const auto total = static_cast<double>(l.count);
  const double end = std::max(1.0, total / 10);
  const auto place = [](double at) { return std::log10(at) * points_per_decade; };
  double seen = 0;
  double last = -1;
  double x = 1;
  const auto add = [&](double at, double us) {
    data += fmt::format("{:.9g} {:.9g}\n", at, us);
    covered.add(us);
    last = place(at);
    x = at;
  };
  for (const auto& [ns, n] : l.buckets) {
    const double us = static_cast<double>(ns) / 1000.0;
    const double from = total / (total - seen);
    if (from > end) break;
    seen += static_cast<double>(n);
    const double to = seen < total ? std::min(end, total / (total - seen)) : end;
    if (place(from) - last >= 1) add(from, us);
    // One value over a wide range of percentiles is a level line.
    if (place(to) - last >= 1) add(to, us);
  }
  return x;
}

axis percentile_axis(double x_max) {
  axis out;
  out.tics = {{1, "0 %"}, {2, "50 %"}, {10, "90 %"}};
  std::string digits = "99";
  for (double x = 100; x <= x_max * 1.0001; x *= 10) {
    out.tics.emplace_back(x, digits + " %");
    digits += digits == "99" ? ".9" : "9";
  }
  return out;
}

// The step of a linear axis that makes about four tics, 1, 2 or 5 times a power of ten.
double linear_step(double end) {
  const double rough = end / 4;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

struct spread {
  figure median, low, high;
};

spread spread_of(const result_document& r, figure run_record::*member, double unit) {
  spread out;
  out.median = median_of(r, member);
  if (!out.median) return out;
  *out.median /= unit;
  for (const run_record& run : r.runs) {
    if (!(run.*member)) continue;
    const double v = *(run.*member) / unit;
    out.low = std::min(out.low.value_or(v), v);
    out.high = std::max(out.high.value_or(v), v);
  }
  return out;
}

struct bar_quantity {
  const char* title;
  figure run_record::*member;
  double unit;
};

// Room to the right of the longest bar for its figure.
bar_panel_data panel_for(const std::string& title, double highest) {
  bar_panel_data out;
  out.title = title;
  out.x.high = highest > 0 ? highest * 1.28 : 1;
  out.x = linear_axis(out.x.high);
  return out;
}

}  // namespace

axis linear_axis(double high) {
  axis out;
  out.high = high;
  const double step = linear_step(high);
  for (int i = 0; i * step < high; ++i) out.tics.emplace_back(i * step, number_text(i * step));
  return out;
}

axis latency_axis(double low_us, double high_us) {
  axis out;
  std::vector<double> marks;
  for (int exponent = -4; exponent <= 12; ++exponent) {
    for (const double factor : {1.0, 2.0, 5.0}) marks.push_back(factor * std::pow(10, exponent));
  }
  const auto above = std::lower_bound(marks.begin(), marks.end(), high_us);
  auto below = std::upper_bound(marks.begin(), marks.end(), low_us);
  if (below != marks.begin()) --below;
  out.low = *below;
  out.high = above == marks.end() ? marks.back() : *above;
  if (out.high <= out.low) out.high = out.low * 2;
  const bool sparse = out.high / out.low > 3e4;
  for (const double m : marks) {
    const double lead = m / std::pow(10, std::floor(std::log10(m) + 1e-9));
    if (m < out.low * 0.999 || m > out.high * 1.001 || (sparse && lead > 1.5)) continue;
    out.tics.emplace_back(m, duration_text(m));
  }
  return out;
}

percentile_curves percentile_curves_of(const result_group& group) {
  percentile_curves out;
  out.data = fmt::format("# {}: {} latency\n# 1/(1-percentile)  microseconds\n",
                         one_line(group.name), group.kind);
  span covered;
  for (std::size_t i = 0; i < group.results.size(); ++i) {
    const latency_record l = merged_latency(*group.results[i], group.kind);
    if (l.buckets.empty()) continue;
    out.data += (out.blocks.empty() ? "\n# " : "\n\n# ") + one_line(group.labels[i]) + "\n";
    out.x_max = std::max(out.x_max, percentile_block(l, out.data, covered));
    out.blocks.push_back(group.labels[i]);
  }
  if (covered.high <= 0) {
    out.blocks.clear();
    return out;
  }
  out.x = percentile_axis(out.x_max);
  out.y = latency_axis(covered.low, covered.high);
  return out;
}

bar_chart bar_chart_of(const result_group& group) {
  static constexpr bar_quantity quantities[] = {
      {"messages per second", &run_record::messages_per_s, 1},
      {"payload (MB/s)", &run_record::payload_per_s, 1e6}};
  bar_chart out;
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < group.results.size(); ++i) {
    if (!median_of(*group.results[i], &run_record::messages_per_s)) continue;
    rows.push_back(fmt::format("{}", out.labels.size()));
    out.labels.push_back(one_line(group.labels[i]));
  }
  if (rows.empty()) return out;
  out.data = fmt::format(
      "# {}\n# row, then for messages/s and for MB/s: median of the runs, lowest, "
      "highest, label\n",
      one_line(group.name));
  for (const bar_quantity& q : quantities) {
    double highest = 0;
    std::size_t row = 0;
    for (const result_document* r : group.results) {
      if (!median_of(*r, &run_record::messages_per_s)) continue;
      const spread s = spread_of(*r, q.member, q.unit);
      highest = std::max(highest, s.high.value_or(0));
      rows[row++] += fmt::format(" {} {} {} {}", cell(s.median), cell(s.low), cell(s.high),
                                 quoted_cell(number_text(s.median)));
    }
    out.panels.push_back(panel_for(q.title, highest));
  }
  for (const std::string& row : rows) out.data += row + "\n";
  return out;
}

time_curves time_curves_of(const result_group& group) {
  time_curves out;
  out.data = fmt::format("# {}, first run\n# seconds  p99 microseconds  retransmitted packets\n",
                         one_line(group.name));
  span covered;
  for (std::size_t i = 0; i < group.results.size(); ++i) {
    if (group.results[i]->runs.empty()) continue;
    const time_series& s = group.results[i]->runs.front().series;
    const auto known = std::count_if(s.p99_us.begin(), s.p99_us.end(),
                                     [](const figure& f) { return f.has_value(); });
    if (known < 2 || s.interval_s <= 0) continue;
    out.data += (out.blocks.empty() ? "\n# " : "\n\n# ") + one_line(group.labels[i]) + "\n";
    for (std::size_t t = 0; t < s.p99_us.size(); ++t) {
      const figure again = t < s.retransmitted.size() ? s.retransmitted[t] : figure();
      out.data += fmt::format("{:.6g} {} {}\n", s.interval_s * static_cast<double>(t + 1),
                              cell(s.p99_us[t]), cell(again));
      covered.add(s.p99_us[t].value_or(0));
      out.retransmits = out.retransmits || again.value_or(0) > 0;
    }
    out.seconds = std::max(out.blocks.empty() ? 0 : out.seconds,
                           s.interval_s * static_cast<double>(s.p99_us.size()));
    out.interval_s = s.interval_s;
    out.blocks.push_back(group.labels[i]);
  }
  if (covered.high <= 0) out.blocks.clear();
  if (!out.blocks.empty()) out.y = latency_axis(covered.low, covered.high);
  return out;
}

}  // namespace mdp::reports
