#include "comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <stdexcept>

#include "mdp/base/random.hpp"

namespace mdp::cli {
namespace {

using scenario::json_value;

struct metric {
  const char* name;
  std::array<const char*, 3> path;  // below a run
};
constexpr std::array<metric, 6> metrics{{
    {"messages/s", {"messages", "rate_per_s", nullptr}},
    {"payload bytes/s", {"bytes", "payload_per_s", nullptr}},
    {"response p50", {"latency", "response", "p50_us"}},
    {"response p99", {"latency", "response", "p99_us"}},
    {"delivered p50", {"latency", "delivered", "p50_us"}},
    {"delivered p99", {"latency", "delivered", "p99_us"}},
}};

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// One value a run, in order; NaN where the run has none.
std::vector<double> values_of(const json_value& result, const metric& m) {
  std::vector<double> out;
  const json_value* runs = result.find("runs");
  if (runs == nullptr) return out;
  for (const json_value& run : runs->items) {
    const json_value* at = &run;
    for (const char* key : m.path) {
      if (key != nullptr && at != nullptr) at = at->find(key);
    }
    out.push_back(at != nullptr && at->is_number() ? at->number : std::nan(""));
  }
  return out;
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

std::string compare_pair(const json_value& baseline, const json_value& candidate,
                         double min_effect_pct) {
  std::string out;
  for (const metric& m : metrics) {
    const auto estimate = estimate_ratio(values_of(baseline, m), values_of(candidate, m));
    if (!estimate) continue;
    out += fmt::format("  {:<16} {}\n", m.name, verdict(*estimate, min_effect_pct));
  }
  return out.empty() ? "  nothing that both measured\n" : out;
}

double min_effect(const comparison_request& request, const json_value& result) {
  const json_value* own = result.at("config", "compare", "min_effect_pct");
  return request.min_effect_pct.value_or(own != nullptr ? own->number : 5.0);
}

const json_value* point_value(const json_value& result, const std::string& var) {
  return result.at("point", var);
}

}  // namespace

std::optional<ratio_estimate> estimate_ratio(const std::vector<double>& baseline,
                                             const std::vector<double>& candidate) {
  std::vector<double> logs;
  for (std::size_t i = 0; i < std::min(baseline.size(), candidate.size()); ++i) {
    if (baseline[i] > 0 && candidate[i] > 0) logs.push_back(std::log(candidate[i] / baseline[i]));
  }
  if (logs.empty()) return std::nullopt;
  constexpr std::size_t resamples = 4000;
  seeded_random random(20240229);
  std::vector<double> medians;
  medians.reserve(resamples);
  std::vector<double> sample(logs.size());
  for (std::size_t i = 0; i < resamples; ++i) {
    for (double& s : sample) s = logs[random.next() % logs.size()];
    medians.push_back(median_of(sample));
  }
  std::sort(medians.begin(), medians.end());
  return ratio_estimate{logs.size(), std::exp(median_of(logs)),
                        std::exp(medians[resamples * 25 / 1000]),
                        std::exp(medians[resamples * 975 / 1000 - 1])};
}

std::string verdict(const ratio_estimate& e, double min_effect_pct) {
  if (e.n < pairs_min) {
    return fmt::format(
        "median ratio {:.3f}, no difference shown: n={}, at least {} pairs are needed", e.median,
        e.n, pairs_min);
  }
  const bool excludes_1 = e.low > 1 || e.high < 1;
  const double effect_pct = std::fabs(e.median - 1) * 100;
  if (excludes_1 && effect_pct > min_effect_pct) {
    return fmt::format("{:+.1f} %, ratio {:.3f} [{:.3f}, {:.3f}], n={}", (e.median - 1) * 100,
                       e.median, e.low, e.high, e.n);
  }
  return fmt::format("no difference shown: ratio {:.3f} [{:.3f}, {:.3f}], n={}", e.median, e.low,
                     e.high, e.n);
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

std::string compare_variable(const std::vector<json_value>& results,
                             const comparison_request& request) {
  std::string out;
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
      out += fmt::format("{}: {} {} against {}\n", group, var, text_value(*other_value),
                         text_value(*value));
      out += compare_pair(base, other, min_effect(request, base));
    }
  }
  if (!seen && !request.var.empty()) {
    throw std::runtime_error(fmt::format(
        "no result has the variable \"{}\"{}", request.var,
        request.baseline.empty() ? "" : " with the value \"" + request.baseline + "\""));
  }
  return out;
}

std::string compare_sets(const std::vector<json_value>& baseline,
                         const std::vector<json_value>& candidate,
                         const comparison_request& request) {
  std::string out;
  for (const json_value& base : baseline) {
    const std::string point = label(base, "");
    for (const json_value& other : candidate) {
      if (label(other, "") != point) continue;
      out += fmt::format("{}: second against first\n", point);
      out += compare_pair(base, other, min_effect(request, base));
    }
  }
  return out;
}

}  // namespace mdp::cli
