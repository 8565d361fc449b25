#include "search_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace mdp::cli {
namespace {

using nlohmann::json;
using scenario::json_value;

// A run that is known not to have come to rest; one too short to tell says null.
bool unsteady(const json_value& run) {
  const json_value* reached = run.at("steady", "reached");
  return reached != nullptr && reached->is(scenario::json_kind::boolean) && !reached->boolean;
}

bool holds(const json_value& assertion) {
  const json_value* pass = assertion.find("pass");
  return pass != nullptr && pass->boolean;
}

bool has_figure(const json_value& assertion) {
  const json_value* actual = assertion.find("actual");
  return actual != nullptr && actual->is_number();
}

std::string text_of(const load_search::bound& bound, unsigned counted) {
  return fmt::format("{:g} ({} of {} trials", bound.load, counted, bound.good + bound.bad);
}

json json_of(const std::optional<load_search::bound>& bound) {
  if (!bound) return nullptr;
  return {{"value", bound->load}, {"good_trials", bound->good}, {"bad_trials", bound->bad}};
}

}  // namespace

search_goal goal_of(const scenario::search_spec& search) {
  return {.from = search.from,
          .to = search.to,
          .whole = search.whole,
          .width_pct = search.precision_pct,
          .trials = search.trials,
          .exceed_pct = search.exceed_pct,
          .shortest_pct = search.shortest_pct};
}

trial_outcome judge_trial(const json_value& result) {
  const json_value* status = result.find("status");
  const std::string said = status == nullptr ? "" : status->text;
  if (said == "inconclusive") {
    const json_value* runs = result.find("runs");
    const bool overloaded =
        runs != nullptr && std::any_of(runs->items.begin(), runs->items.end(), unsteady);
    return overloaded ? trial_outcome::bad : trial_outcome::unknown;
  }
  if (said != "ok") return trial_outcome::bad;
  trial_outcome outcome = trial_outcome::good;
  const json_value* asserts = result.find("asserts");
  if (asserts == nullptr) return outcome;
  for (const json_value& a : asserts->items) {
    if (holds(a)) continue;
    if (has_figure(a)) return trial_outcome::bad;
    outcome = trial_outcome::unknown;
  }
  return outcome;
}

std::string searched_point(const json_value& result) {
  const json_value* of = result.at("search", "of");
  return of == nullptr ? std::string() : of->text;
}

search_effort expected_effort(const scenario::search_spec& search) {
  load_search s(goal_of(search));
  const double midway = std::sqrt(search.from * search.to);
  search_effort effort{0, 0};
  while (const auto trial = s.next()) {
    effort.length += trial->share;
    ++effort.trials;
    s.tell(trial->load <= midway ? trial_outcome::good : trial_outcome::bad);
  }
  return effort;
}

std::optional<double> conditional_throughput(std::vector<double> rates, double exceed_pct) {
  if (rates.empty()) return std::nullopt;
  std::sort(rates.begin(), rates.end(), std::greater<>());
  const double kept = std::ceil((1 - exceed_pct / 100) * static_cast<double>(rates.size()));
  return rates[static_cast<std::size_t>(std::max(kept, 1.0)) - 1];
}

std::string text_of(const search_outcome& o) {
  std::string out = o.scenario;
  for (const auto& [key, value] : o.vars) out += fmt::format(" {}={}", key, value);
  if (o.passed) {
    out += fmt::format(": {} passes at {}", o.var, text_of(*o.passed, o.passed->good));
    if (o.throughput_per_s) out += fmt::format("; {:.1f} messages/s", *o.throughput_per_s);
    out += ")";
  } else {
    out += fmt::format(": {} passes nowhere", o.var);
  }
  if (o.failed) out += fmt::format(", fails at {})", text_of(*o.failed, o.failed->bad));
  out += fmt::format("; {} trials", o.trials);
  if (!o.settled) out += ", ended before the bounds were as close as asked";
  return out + "\n";
}

std::string json_of(const std::vector<search_outcome>& outcomes) {
  json list = json::array();
  for (const search_outcome& o : outcomes) {
    json vars = json::object();
    for (const auto& [key, value] : o.vars) vars[key] = json::parse(value, nullptr, false);
    list.push_back({{"scenario", o.scenario},
                    {"of", o.of},
                    {"point", vars},
                    {"var", o.var},
                    {"passes", json_of(o.passed)},
                    {"fails", json_of(o.failed)},
                    {"conditional_throughput_per_s",
                     o.throughput_per_s ? json(*o.throughput_per_s) : json(nullptr)},
                    {"settled", o.settled},
                    {"trials", o.trials}});
  }
  return list.dump(1) + "\n";
}

}  // namespace mdp::cli
