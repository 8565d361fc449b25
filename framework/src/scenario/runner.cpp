#include "mdp/scenario/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host_info.hpp"
#include "mdp/base/random.hpp"
#include "repetition.hpp"
#include "result_writer.hpp"
#include "statistics.hpp"

namespace mdp::scenario {
namespace {

struct step {
  std::size_t point;
  std::uint32_t repetition;
};

// Fisher and Yates.
void shuffle(std::vector<step>& steps, std::size_t first, seeded_random& random) {
  for (std::size_t i = first; i < steps.size(); ++i)
    std::swap(steps[i], steps[i + random.next() % (steps.size() - i)]);
}

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
    shuffle(steps, first, random);
  }
  return steps;
}

std::string label(const scenario_spec& scenario, const point_spec& point) {
  std::string text = scenario.name;
  for (const auto& [name, value] : point.vars) text += fmt::format(" {}={}", name, value);
  return text;
}

// Half of the 95 % interval of the median, in percent of it; nothing for fewer than three runs.
std::optional<double> imprecision_pct(const std::vector<double>& values) {
  const auto interval = median_interval(values);
  const double middle = interval ? median(values) : 0;
  if (middle == 0) return std::nullopt;
  return 50 * (interval->second - interval->first) / std::abs(middle);
}

// Rate and p99 of the latency that counts, each over the runs, are known well enough.
bool precise(const std::vector<run_record>& runs, double precision_pct) {
  std::vector<double> rates;
  std::vector<double> tails;
  for (const run_record& r : runs) {
    if (!r.error.empty()) return true;  // more runs mend nothing
    rates.push_back(static_cast<double>(r.flows.arrived));
    const metrics::histogram& h = r.flows.response.count() > 0 ? r.flows.response : r.flows.one_way;
    if (const auto p99 = h.percentile(99)) tails.push_back(static_cast<double>(*p99));
  }
  for (const auto* values : {&rates, &tails}) {
    if (values->empty()) continue;
    const auto half = imprecision_pct(*values);
    if (!half || *half > precision_pct) return false;
  }
  return true;
}

// The points of one scenario on their way to being results.
class execution {
 public:
  execution(const scenario_spec& scenario, const run_callbacks& callbacks,
            const std::function<void(const point_result&)>& on_point_done)
      : scenario_(scenario),
        callbacks_(callbacks),
        on_point_done_(on_point_done),
        records_(scenario.points.size()) {}

  std::vector<point_result> run() {
    std::vector<step> steps = plan(scenario_);
    seeded_random random(scenario_.points.empty() ? 1 : scenario_.points[0].seed + 1);
    while (!steps.empty()) {
      planned_ += steps.size();
      for (const step& s : steps)
        if (!execute(s)) return finish();
      steps = unfinished();
      shuffle(steps, 0, random);
    }
    return finish();
  }

 private:
  [[nodiscard]] bool stopped() const {
    return callbacks_.stop_requested && callbacks_.stop_requested();
  }

  // False: the run was interrupted.
  bool execute(const step& s) {
    if (stopped()) return false;
    const point_spec& point = scenario_.points[s.point];
    if (callbacks_.progress)
      callbacks_.progress(fmt::format("[{}/{}] {} (run {} of {})", done_ + 1, planned_,
                                      label(scenario_, point), s.repetition + 1,
                                      std::max(point.run.repetitions, s.repetition + 1)));
    const std::uint64_t seed =
        point.run.repeat_changes == "seed" ? point.seed + s.repetition : point.seed;
    run_record record = run_repetition(point, s.repetition, seed, callbacks_);
    // A repetition that was cut short says nothing about the point.
    if (!record.error.empty() && stopped()) return false;
    record.index = s.repetition;
    record.order = static_cast<std::uint32_t>(done_++);
    std::vector<run_record>& runs = records_[s.point];
    runs.push_back(std::move(record));
    const bool last = runs.size() >= std::max(point.run.repetitions, point.run.repetitions_max);
    if (runs.size() < point.run.repetitions) return true;
    if (last || precise(runs, point.run.precision_pct)) report(s.point);
    return true;
  }

  // One run more of each point that is not precise yet.
  [[nodiscard]] std::vector<step> unfinished() const {
    std::vector<step> steps;
    for (std::size_t i = 0; i < records_.size(); ++i)
      if (!records_[i].empty())
        steps.push_back({i, static_cast<std::uint32_t>(records_[i].size())});
    return steps;
  }

  void report(std::size_t i) {
    std::optional<double> steal;
    if (const auto now = read_cpu_ticks(); now && ticks_before_ && now->all > ticks_before_->all)
      steal = 100 * (now->stolen - ticks_before_->stolen) / (now->all - ticks_before_->all);
    std::vector<run_record>& runs = records_[i];
    std::sort(runs.begin(), runs.end(),
              [](const run_record& a, const run_record& b) { return a.index < b.index; });
    const run_spec& asked = scenario_.points[i].run;
    const bool vague = asked.repetitions_max > 0 && !precise(runs, asked.precision_pct);
    results_.push_back(write_result(scenario_, scenario_.points[i], runs, steal, vague));
    runs.clear();
    if (on_point_done_) on_point_done_(results_.back());
  }

  // Interrupted: what was measured of unfinished points is kept.
  std::vector<point_result> finish() {
    for (std::size_t i = 0; i < records_.size(); ++i)
      if (!records_[i].empty()) report(i);
    return std::move(results_);
  }

  const scenario_spec& scenario_;
  const run_callbacks& callbacks_;
  const std::function<void(const point_result&)>& on_point_done_;
  std::optional<cpu_ticks> ticks_before_ = read_cpu_ticks();
  std::vector<std::vector<run_record>> records_;
  std::vector<point_result> results_;
  std::size_t planned_ = 0;
  std::size_t done_ = 0;
};

}  // namespace

std::vector<point_result> run_points(
    const scenario_spec& scenario, const run_callbacks& callbacks,
    const std::function<void(const point_result&)>& on_point_done) {
  return execution(scenario, callbacks, on_point_done).run();
}

}  // namespace mdp::scenario
