#include "comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <stdexcept>

namespace mdp::cli {
namespace {

using scenario::json_value;

struct metric {
  const char* name;
  bool more_is_better;
  std::array<const char*, 3> path;  // below a run
};
constexpr double runs_max = 1e6;  // an index beyond it is damage
constexpr std::array<metric, 7> metrics{{
    {"messages/s", true, {"messages", "rate_per_s", nullptr}},
    {"payload bytes/s", true, {"bytes", "payload_per_s", nullptr}},
    {"response p50", false, {"latency", "response", "p50_us"}},
    {"response p99", false, {"latency", "response", "p99_us"}},
    {"delivered p50", false, {"latency", "delivered", "p50_us"}},
    {"delivered p99", false, {"latency", "delivered", "p99_us"}},
    {"CPU us/message", false, {"cpu", "us_per_message", nullptr}},
}};

// One value a run, by the run's index; NaN where a run has none or was never made.
std::vector<double> values_of(const json_value& result, const metric& m) {
  std::vector<double> out;
  const json_value* runs = result.find("runs");
  if (runs == nullptr) return out;
  for (const json_value& run : runs->items) {
    const json_value* index = run.find("index");
    const auto place = index != nullptr && index->is_number() && index->number < runs_max
                           ? static_cast<std::size_t>(index->number)
                           : out.size();
    const json_value* at = &run;
    for (const char* key : m.path) {
      if (key != nullptr && at != nullptr) at = at->find(key);
    }
    if (place >= out.size()) out.resize(place + 1, std::nan(""));
    if (at != nullptr && at->is_number()) out[place] = at->number;
  }
  return out;
}

bool any_number(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double v) { return !std::isnan(v); });
}

std::string text_value(const json_value& v) {
  return v.is(scenario::json_kind::string) ? v.text : scenario::dump(v);
}

// "quickstart pattern=stream", leaving out one variable.
std::string label(const json_value& result, const std::string& without) {
  const json_value* name = result.find("scenario");
  std::string out = name == nullptr ? "?" : name->text;
  if (const json_value* point = result.find("point"); point != nullptr) {
    std::vector<std::string> parts;
    for (const scenario::json_member& m : point->members) {
      if (m.name != without) parts.push_back(fmt::format("{}={}", m.name, text_value(m.value)));
    }
    std::sort(parts.begin(), parts.end());
    for (const std::string& p : parts) out += " " + p;
  }
  return out;
}

point_comparison compare_pair(std::string heading, const json_value& baseline,
                              const json_value& candidate, double min_effect_pct) {
  point_comparison out{std::move(heading), min_effect_pct, {}};
  for (const metric& m : metrics) {
    const std::vector<double> before = values_of(baseline, m);
    const std::vector<double> after = values_of(candidate, m);
    if (!any_number(before) && !any_number(after)) continue;
    out.metrics.push_back({m.name, m.more_is_better,
                           estimate_ratio(before, after).value_or(ratio_estimate{}),
                           control_ratio(before, after)});
  }
  return out;
}

double min_effect(const comparison_request& request, const json_value& result) {
  const json_value* own = result.at("config", "compare", "min_effect_pct");
  return request.min_effect_pct.value_or(own != nullptr ? own->number : 5.0);
}

const json_value* point_value(const json_value& result, const std::string& var) {
  return result.at("point", var);
}

// Results in the order of the variable's value: numbers by size, other text by letter.
std::vector<const json_value*> by_value(const std::vector<json_value>& results,
                                        const comparison_request& request) {
  const auto key = [&](const json_value& result) {
    const json_value* own = result.at("config", "compare", "var");
    const std::string var = !request.var.empty() ? request.var : own != nullptr ? own->text : "";
    const json_value* value = var.empty() ? nullptr : point_value(result, var);
    const std::string text = value == nullptr ? "" : text_value(*value);
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return std::pair(number, text);
  };
  std::vector<const json_value*> ordered;
  for (const json_value& result : results) ordered.push_back(&result);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [&](const json_value* a, const json_value* b) { return key(*a) < key(*b); });
  return ordered;
}

bool shown(const ratio_estimate& e, double p, double min_effect_pct) {
  const bool excludes_1 = e.low > 1 || e.high < 1;
  return p <= significance && excludes_1 && std::fabs(e.median - 1) * 100 > min_effect_pct;
}

verdict verdict_of(const metric_comparison& m, double min_effect_pct, std::size_t questions) {
  if (m.estimate.n == 0) return verdict::one_sided;
  if (m.estimate.identical) return verdict::identical;
  if (m.control && shown(*m.control, m.control_p, min_effect_pct)) return verdict::inconclusive;
  if (shown(m.estimate, m.p, min_effect_pct)) {
    return (m.estimate.median > 1) == m.more_is_better ? verdict::better : verdict::worse;
  }
  return m.estimate.n < pairs_needed(questions) ? verdict::too_few_pairs : verdict::no_difference;
}

// Calls `visit` with every metric of every point, in order.
template <class Visit>
void each_metric(comparison& c, Visit&& visit) {
  for (point_comparison& point : c.points)
    for (metric_comparison& m : point.metrics) visit(point, m);
}

std::string metric_line(const metric_comparison& m, std::size_t questions) {
  const ratio_estimate& e = m.estimate;
  if (e.n == 0) return fmt::format("  {:<16} {}\n", m.metric, words(m.is));
  std::string out =
      fmt::format("  {:<16} {}: {:+.1f} %, ratio {:.3f} [{:.3f}, {:.3f}], n={}", m.metric,
                  words(m.is), (e.median - 1) * 100, e.median, e.low, e.high, e.n);
  if (m.is == verdict::too_few_pairs) {
    out += fmt::format("; at least {} pairs are needed", pairs_needed(questions));
  } else if (m.is != verdict::identical) {
    out += fmt::format(", p={:.2g}", m.p);
  }
  return out + "\n";
}

std::size_t questions_of(const comparison& c) {
  std::size_t questions = 0;
  for (const point_comparison& point : c.points)
    for (const metric_comparison& m : point.metrics) questions += m.estimate.n > 0 ? 1u : 0u;
  return questions;
}

}  // namespace

const char* words(verdict v) noexcept {
  switch (v) {
    case verdict::better:
      return "better";
    case verdict::worse:
      return "worse";
    case verdict::no_difference:
      return "no difference shown";
    case verdict::identical:
      return "identical";
    case verdict::one_sided:
      return "one side only";
    case verdict::too_few_pairs:
      return "too few pairs";
    case verdict::inconclusive:
      return "inconclusive";
  }
  return "";
}

bool comparison::any(verdict v) const noexcept {
  return std::any_of(points.begin(), points.end(), [v](const point_comparison& p) {
    return std::any_of(p.metrics.begin(), p.metrics.end(),
                       [v](const metric_comparison& m) { return m.is == v; });
  });
}

bool comparison::conclusive() const noexcept {
  const bool measured =
      std::all_of(points.begin(), points.end(), [](const auto& p) { return !p.metrics.empty(); });
  return unpaired.empty() && !points.empty() && measured && !any(verdict::one_sided) &&
         !any(verdict::too_few_pairs) && !any(verdict::inconclusive);
}

void judge(comparison& c) {
  std::vector<double> differences;
  std::vector<double> controls;
  each_metric(c, [&](point_comparison&, metric_comparison& m) {
    if (m.estimate.n > 0) differences.push_back(m.estimate.p);
    if (m.control) controls.push_back(m.control->p);
  });
  const std::vector<double> p = holm_adjusted(differences);
  const std::vector<double> control_p = holm_adjusted(controls);
  std::size_t next = 0;
  std::size_t next_control = 0;
  each_metric(c, [&](point_comparison& point, metric_comparison& m) {
    if (m.estimate.n > 0) m.p = p[next++];
    if (m.control) m.control_p = control_p[next_control++];
    m.is = verdict_of(m, point.min_effect_pct, p.size());
  });
}

std::string control_text(const point_comparison& point) {
  double low = 0;
  double high = 0;
  std::string differing;
  for (const metric_comparison& m : point.metrics) {
    if (!m.control) continue;
    low = low == 0 ? m.control->median : std::min(low, m.control->median);
    high = std::max(high, m.control->median);
    if (m.is == verdict::inconclusive) differing += (differing.empty() ? "" : ", ") + m.metric;
  }
  if (high == 0) return "none: a second run of each side is needed";
  return fmt::format("ratios {:.3f} to {:.3f}, {}", low, high,
                     differing.empty() ? "no difference shown" : "differs: " + differing);
}

std::string correction_text(const comparison& c) {
  const std::size_t questions = questions_of(c);
  if (questions <= 1) return "";
  return fmt::format(
      "p is corrected for {} questions (Holm): at most {:.0f} % of such "
      "comparisons show a false difference",
      questions, significance * 100);
}

std::string text_of(const comparison& c) {
  std::string out;
  const std::size_t questions = questions_of(c);
  for (const point_comparison& point : c.points) {
    out += point.heading + "\n";
    if (point.metrics.empty()) {
      out += "  nothing that both measured\n";
      continue;
    }
    for (const metric_comparison& m : point.metrics) out += metric_line(m, questions);
    out += fmt::format("  A/A control      {}\n", control_text(point));
  }
  for (const std::string& point : c.unpaired) out += fmt::format("{}: no partner\n", point);
  const std::string correction = correction_text(c);
  return correction.empty() ? out : out + correction + "\n";
}

comparison compare_variable(const std::vector<json_value>& results,
                            const comparison_request& request) {
  comparison out;
  std::set<std::string> done;
  bool seen = false;
  for (const json_value* candidate : by_value(results, request)) {
    const json_value& base = *candidate;
    const json_value* own_var = base.at("config", "compare", "var");
    const json_value* own_baseline = base.at("config", "compare", "baseline");
    const std::string var = !request.var.empty() ? request.var
                            : own_var != nullptr ? own_var->text
                                                 : "";
    const std::string wanted = !request.baseline.empty() ? request.baseline
                               : own_baseline != nullptr ? text_value(*own_baseline)
                                                         : "";
    const json_value* value = var.empty() ? nullptr : point_value(base, var);
    if (value == nullptr || (!wanted.empty() && text_value(*value) != wanted)) continue;
    seen = true;
    const std::string group = label(base, var);
    // Without a baseline the least value of each group is it.
    if (!done.insert(group).second) continue;
    for (const json_value& other : results) {
      const json_value* other_value = point_value(other, var);
      if (other_value == nullptr || label(other, var) != group) continue;
      if (text_value(*other_value) == text_value(*value)) continue;
      out.points.push_back(compare_pair(fmt::format("{}: {} {} against {}", group, var,
                                                    text_value(*other_value), text_value(*value)),
                                        base, other, min_effect(request, base)));
    }
  }
  if (!seen && !request.var.empty()) {
    throw std::runtime_error(fmt::format(
        "no result has the variable \"{}\"{}", request.var,
        request.baseline.empty() ? "" : " with the value \"" + request.baseline + "\""));
  }
  judge(out);
  return out;
}

comparison compare_sets(const std::vector<json_value>& baseline,
                        const std::vector<json_value>& candidate,
                        const comparison_request& request) {
  comparison out;
  std::set<std::string> paired;
  for (const json_value& base : baseline) {
    const std::string point = label(base, "");
    for (const json_value& other : candidate) {
      if (label(other, "") != point) continue;
      paired.insert(point);
      out.points.push_back(
          compare_pair(point + ": second against first", base, other, min_effect(request, base)));
    }
  }
  for (const auto* side : {&baseline, &candidate}) {
    for (const json_value& result : *side) {
      const std::string point = label(result, "");
      if (!paired.contains(point)) out.unpaired.push_back(point);
    }
  }
  judge(out);
  return out;
}

}  // namespace mdp::cli
