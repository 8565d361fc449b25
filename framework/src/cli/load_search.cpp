#include "load_search.hpp"

#include <algorithm>
#include <cmath>

namespace mdp::cli {

load_search::load_search(double from, double to, double precision_pct, bool whole)
    : from_(from), to_(to), precision_(precision_pct / 100), whole_(whole) {}

std::optional<double> load_search::next() const {
  if (trials_.size() >= trials_max) return std::nullopt;
  if (passed_.empty()) return failed_ == from_ ? std::nullopt : std::optional(from_);
  const tried& lower = passed_.back();
  if (!failed_) {
    if (lower.load < to_) return to_;
    return lower.passes < 2 ? std::optional(to_) : std::nullopt;
  }
  // Loads grow by ratios: the middle of two is their geometric mean.
  double middle = std::sqrt(lower.load * *failed_);
  if (whole_) middle = std::max(std::floor(middle), lower.load + 1);
  const bool close = *failed_ <= lower.load * (1 + precision_) || middle >= *failed_;
  if (!close) return middle;
  return lower.passes < 2 ? std::optional(lower.load) : std::nullopt;
}

void load_search::tell(bool pass) {
  const std::optional<double> load = next();
  if (!load) return;
  trials_.push_back({*load, pass});
  if (!pass) {
    failed_ = load;
    // A load that passed once and fails now has not passed.
    if (!passed_.empty() && passed_.back().load >= *load) passed_.pop_back();
  } else if (!passed_.empty() && passed_.back().load == *load) {
    ++passed_.back().passes;
  } else {
    passed_.push_back({*load, 1});
  }
}

std::optional<double> load_search::passed() const {
  if (passed_.empty() || passed_.back().passes < 2) return std::nullopt;
  return passed_.back().load;
}

}  // namespace mdp::cli
