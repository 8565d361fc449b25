#include "search_run.hpp"

#include <fmt/format.h>

namespace mdp::cli {
namespace {

// Seeds of trials lie further apart than the repetitions of one.
constexpr std::uint64_t seed_stride = 1'000'003;

// The point with the searched variable at the trial's load and its length, made anew from the file.
// Each trial has a seed of its own: a load that is tried again shall not have the same luck again.
scenario::scenario_spec trial_of(const run_session& s, const scenario::scenario_spec& spec,
                                 std::size_t point, const load_search::trial& trial,
                                 unsigned number) {
  const scenario::point_spec& searched = spec.points[point];
  load_arguments load = s.arguments.load;
  load.set.push_back(fmt::format("vars.{}={:.15g}", spec.search.var, trial.load));
  if (trial.share < 1)
    load.set.push_back(fmt::format("run.measure_s={:.6g}", searched.run.measure_s * trial.share));
  load.seed = searched.seed + number * seed_stride;
  scenario::scenario_spec one = scenario::load_scenario(spec.file, make_load_options(load));
  one.points = {one.points.at(point)};
  one.points[0].vars[spec.search.var] = fmt::format("{:.15g}", trial.load);
  one.points[0].trial = {searched.id, number};
  return one;
}

// The trial's result, measured now or before; empty: the run is over.
std::string result_of(run_session& s, const scenario::scenario_spec& trial) {
  const std::string& id = trial.points[0].id;
  if (const auto found = s.kept.find(id); found != s.kept.end()) {
    take_over(s, id, found->second);
    return found->second;
  }
  std::string text;
  static_cast<void>(
      scenario::run_points(trial, callbacks_of(s), [&](const scenario::point_result& r) {
        point_done(s, r);
        text = r.json;
      }));
  return over(s) || s.count.failed > 0 ? std::string() : text;
}

const char* words(trial_outcome outcome) {
  switch (outcome) {
    case trial_outcome::good:
      return "every assertion holds";
    case trial_outcome::bad:
      return "an assertion fails";
    case trial_outcome::unknown:
      return "too short to tell";
  }
  return "";
}

}  // namespace

search_outcome search_point(run_session& s, const scenario::scenario_spec& spec,
                            std::size_t point) {
  load_search search(goal_of(spec.search));
  std::map<double, std::vector<double>> rates;  // of trials of full length, by load
  s.trying = true;
  while (const auto trial = search.next()) {
    const auto number = static_cast<unsigned>(search.trials().size());
    const std::string text = result_of(s, trial_of(s, spec, point, *trial, number));
    if (text.empty()) break;
    s.texts.push_back(text);
    const scenario::json_value result = parse_result(text, "trial");
    const trial_outcome outcome = judge_trial(result);
    search.tell(outcome);
    const scenario::json_value* rate = result.at("summary", "messages.rate_per_s", "median");
    if (trial->share >= 1 && rate != nullptr && rate->is_number())
      rates[trial->load].push_back(rate->number);
    s.progress.keep(fmt::format("{} = {:g}, {:g} % of a trial: {}", spec.search.var, trial->load,
                                trial->share * 100, words(outcome)));
  }
  s.trying = false;
  search_outcome out{spec.name,
                     spec.points[point].id,
                     spec.points[point].vars,
                     spec.search.var,
                     search.passed(),
                     search.failed(),
                     {},
                     search.trials().size(),
                     search.settled()};
  if (out.passed)
    out.throughput_per_s = conditional_throughput(rates[out.passed->load], spec.search.exceed_pct);
  if (!out.passed && !interrupted()) ++s.count.gates;
  return out;
}

}  // namespace mdp::cli
