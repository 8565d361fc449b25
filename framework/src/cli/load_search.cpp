#include "load_search.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace mdp::cli {
namespace {

// Two coarser targets before the goal, as many as the authors of RFC 9971 use.
constexpr std::size_t coarse_phases = 2;

}  // namespace

load_search::load_search(const search_goal& goal) : goal_(goal) {
  const double shortest = goal.shortest_pct / 100;
  const double width = goal.width_pct / 100;
  // The lengths grow by equal ratios and the widths halve; one trial decides until the last.
  const std::size_t coarse = shortest < 1 ? coarse_phases : 0;
  for (std::size_t i = 0; i < coarse; ++i) {
    const auto left = static_cast<double>(coarse - i);
    const double share = std::pow(shortest, left / static_cast<double>(coarse));
    phases_.push_back({share, share, width * std::pow(2, left)});
  }
  phases_.push_back({1, static_cast<double>(std::max(goal.trials, 1u)), width});
}

// RFC 9971, load classification: short trials count only by what fails more often
// among them than the goal allows.
load_search::verdict load_search::classify(double load, const phase& target) const {
  double good = 0;
  double bad = 0;
  double good_short = 0;
  double bad_short = 0;
  for (const trial& t : trials_) {
    if (t.load != load) continue;
    const bool full = t.share >= target.share;
    const bool pass = t.outcome == trial_outcome::good;
    (full ? (pass ? good : bad) : (pass ? good_short : bad_short)) += t.share;
  }
  const double exceed = goal_.exceed_pct / 100;
  bad += std::max(0.0, bad_short - good_short * exceed / (1 - exceed));
  const double whole = std::max(good + bad, target.sum);
  const double missing = whole - good - bad;
  if ((bad + missing) / whole <= exceed) return verdict::lower;
  return bad / whole > exceed ? verdict::upper : verdict::undecided;
}

load_search::bound load_search::count(double load) const {
  bound out{load, 0, 0};
  for (const trial& t : trials_) {
    if (t.load != load || t.share < 1) continue;
    ++(t.outcome == trial_outcome::good ? out.good : out.bad);
  }
  return out;
}

bool load_search::touched(double load, const phase& target) const {
  return std::any_of(trials_.begin(), trials_.end(),
                     [&](const trial& t) { return t.load == load && t.share >= target.share; });
}

std::optional<double> load_search::lowest_upper(const phase& target) const {
  std::optional<double> out;
  for (const trial& t : trials_) {
    if (out && t.load >= *out) continue;
    if (classify(t.load, target) == verdict::upper) out = t.load;
  }
  return out;
}

std::optional<double> load_search::highest_lower(const phase& target,
                                                 std::optional<double> below) const {
  std::optional<double> out;
  for (const trial& t : trials_) {
    if ((out && t.load <= *out) || (below && t.load >= *below)) continue;
    if (classify(t.load, target) == verdict::lower) out = t.load;
  }
  return out;
}

// The load between the bounds that was begun last and still may be either.
std::optional<double> load_search::undecided(std::optional<double> low,
                                             std::optional<double> high) const {
  const phase& now = phases_[phase_];
  for (auto t = trials_.rbegin(); t != trials_.rend(); ++t) {
    if ((low && t->load <= *low) || (high && t->load >= *high)) continue;
    if (touched(t->load, now) && classify(t->load, now) == verdict::undecided) return t->load;
  }
  return std::nullopt;
}

// Where the coarser target before ended.
double load_search::first() const {
  if (phase_ == 0) return goal_.from;
  const phase& before = phases_[phase_ - 1];
  return highest_lower(before, lowest_upper(before)).value_or(goal_.from);
}

// Ratio of two neighbouring loads on the way out: its exponent doubles with each bound of the same
// kind that the phase has found.
double load_search::step(verdict of) const {
  std::set<double> found;
  for (const trial& t : trials_)
    if (touched(t.load, phases_[phase_]) && classify(t.load, phases_[phase_]) == of)
      found.insert(t.load);
  const auto doublings = static_cast<double>(found.empty() ? 0 : found.size() - 1);
  return std::pow(1 + phases_[phase_].width, std::pow(2, doublings));
}

double load_search::step_down(double high) const {
  double load = high / step(verdict::upper);
  if (goal_.whole) load = std::min(std::floor(load), high - 1);
  if (phase_ > 0) load = std::max(load, highest_lower(phases_[phase_ - 1], high).value_or(load));
  return std::max(load, goal_.from);
}

double load_search::step_up(double low) const {
  if (phase_ == 0) return goal_.to;
  double load = low * step(verdict::lower);
  if (goal_.whole) load = std::max(std::ceil(load), low + 1);
  const std::optional<double> known = lowest_upper(phases_[phase_ - 1]);
  if (known && *known > low) load = std::min(load, *known);
  return std::min(load, goal_.to);
}

std::optional<double> load_search::between(double low, double high) const {
  // Loads grow by ratios: the middle of two is their geometric mean.
  double middle = std::sqrt(low * high);
  if (goal_.whole) middle = std::max(std::floor(middle), low + 1);
  const bool close = high <= low * (1 + phases_[phase_].width) || middle >= high || middle <= low;
  return close ? std::nullopt : std::optional(middle);
}

// The load to try for the target at hand; nothing when that is reached.
std::optional<double> load_search::candidate() const {
  const std::optional<double> high = lowest_upper(phases_[phase_]);
  const std::optional<double> low = highest_lower(phases_[phase_], high);
  if ((low && *low >= goal_.to) || (high && *high <= goal_.from)) return std::nullopt;
  if (low && high && !between(*low, *high)) return std::nullopt;
  if (const std::optional<double> again = undecided(low, high)) return again;
  if (!low) return high ? step_down(*high) : first();
  return high ? between(*low, *high) : step_up(*low);
}

std::optional<load_search::trial> load_search::next() const {
  if (settled() || trials_.size() >= trials_max) return std::nullopt;
  return trial{*candidate(), phases_[phase_].share};
}

void load_search::tell(trial_outcome outcome) {
  std::optional<trial> made = next();
  if (!made) return;
  // What is too short to tell says nothing against the load, and a longer trial follows.
  if (outcome == trial_outcome::unknown)
    outcome = made->share < 1 ? trial_outcome::good : trial_outcome::bad;
  made->outcome = outcome;
  trials_.push_back(*made);
  while (!settled() && !candidate()) ++phase_;
}

std::optional<load_search::bound> load_search::passed() const {
  const std::optional<double> low = highest_lower(phases_.back(), lowest_upper(phases_.back()));
  return low ? std::optional(count(*low)) : std::nullopt;
}

std::optional<load_search::bound> load_search::failed() const {
  const std::optional<double> high = lowest_upper(phases_.back());
  return high ? std::optional(count(*high)) : std::nullopt;
}

}  // namespace mdp::cli
