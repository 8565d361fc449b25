#include "mdp/scenario/runner.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host_info.hpp"
#include "mdp/base/random.hpp"
#include "repetition.hpp"
#include "result_writer.hpp"

namespace mdp::scenario {
namespace {

struct step {
  std::size_t point;
  std::uint32_t repetition;
};

// Interleaved: every round runs each point once, in an order drawn from the seed, so that a slow
// drift of the machine hits all alike.
std::vector<step> plan(const scenario_spec& scenario) {
  std::vector<step> steps;
  if (scenario.points.empty()) return steps;
  const bool interleaved = scenario.points[0].run.order == "interleaved";
  std::uint32_t rounds = 0;
  for (const point_spec& p : scenario.points) rounds = std::max(rounds, p.run.repetitions);
  if (!interleaved) {
    for (std::size_t i = 0; i < scenario.points.size(); ++i)
      for (std::uint32_t r = 0; r < scenario.points[i].run.repetitions; ++r)
        steps.push_back({i, r});
    return steps;
  }
  seeded_random random(scenario.points[0].seed);
  for (std::uint32_t r = 0; r < rounds; ++r) {
    const std::size_t first = steps.size();
    for (std::size_t i = 0; i < scenario.points.size(); ++i)
      if (r < scenario.points[i].run.repetitions) steps.push_back({i, r});
    for (std::size_t i = first; i < steps.size(); ++i)  // Fisher and Yates
      std::swap(steps[i], steps[i + random.next() % (steps.size() - i)]);
  }
  return steps;
}

std::string label(const scenario_spec& scenario, const point_spec& point) {
  std::string text = scenario.name;
  for (const auto& [name, value] : point.vars) text += fmt::format(" {}={}", name, value);
  return text;
}

}  // namespace

std::vector<point_result> run_points(
    const scenario_spec& scenario, const run_callbacks& callbacks,
    const std::function<void(const point_result&)>& on_point_done) {
  const std::vector<step> steps = plan(scenario);
  const auto ticks_before = read_cpu_ticks();
  std::vector<std::vector<run_record>> records(scenario.points.size());
  std::vector<point_result> results;
  const auto stopped = [&] { return callbacks.stop_requested && callbacks.stop_requested(); };
  const auto report = [&](std::size_t i) {
    std::optional<double> steal;
    if (const auto now = read_cpu_ticks(); now && ticks_before && now->all > ticks_before->all)
      steal = 100 * (now->stolen - ticks_before->stolen) / (now->all - ticks_before->all);
    std::sort(records[i].begin(), records[i].end(),
              [](const run_record& a, const run_record& b) { return a.index < b.index; });
    results.push_back(write_result(scenario, scenario.points[i], records[i], steal));
    records[i].clear();
    if (on_point_done) on_point_done(results.back());
  };
  for (std::size_t n = 0; n < steps.size() && !stopped(); ++n) {
    const point_spec& point = scenario.points[steps[n].point];
    if (callbacks.progress)
      callbacks.progress(fmt::format("[{}/{}] {} (run {} of {})", n + 1, steps.size(),
                                     label(scenario, point), steps[n].repetition + 1,
                                     point.run.repetitions));
    const std::uint64_t seed =
        point.run.repeat_changes == "seed" ? point.seed + steps[n].repetition : point.seed;
    run_record record = run_repetition(point, seed, callbacks);
    // A repetition that was cut short says nothing about the point.
    if (!record.error.empty() && stopped()) break;
    record.index = steps[n].repetition;
    record.order = static_cast<std::uint32_t>(n);
    auto& done = records[steps[n].point];
    done.push_back(std::move(record));
    if (done.size() == point.run.repetitions) report(steps[n].point);
  }
  // Interrupted: what was measured of unfinished points is kept.
  for (std::size_t i = 0; i < records.size(); ++i)
    if (!records[i].empty()) report(i);
  return results;
}

}  // namespace mdp::scenario
