// One repetition as results have it: an item of `runs` in mdp-result/1.
#pragma once
#include <cmath>
#include <nlohmann/json.hpp>

#include "run_record.hpp"

namespace mdp::scenario {

// To a whole number of `unit`: digits that were not measured only make a file larger.
[[nodiscard]] inline double rounded(double value, double unit) {
  return std::round(value / unit) * unit;
}

[[nodiscard]] nlohmann::ordered_json run_json(const run_record& r, bool virtual_time);

}  // namespace mdp::scenario
