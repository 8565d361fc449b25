// Simulated repetitions as results keep them, and how to run one again.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mdp/scenario/json_value.hpp"
#include "mdp/scenario/spec.hpp"
#include "output.hpp"

namespace mdp::cli {

// Refers to the result set that it was read from.
struct recorded_run {
  const scenario::json_value* result = nullptr;  // the whole document
  std::string file;                              // the result's
  std::string scenario;
  std::string id;
  std::uint64_t repetition = 0;
  std::uint64_t seed = 0;
  std::string digest;
  std::string version;
  std::filesystem::path log;  // empty: the run was not traced
};

// The simulated runs of these results, or only repetition `only` of each. Throws
// std::runtime_error when there are none.
[[nodiscard]] std::vector<recorded_run> recorded_runs(const result_set& results,
                                                      std::optional<std::uint64_t> only);

// The point's scenario as it was recorded, with further members of `network` (an object).
[[nodiscard]] scenario::json_value config_of(const recorded_run& run,
                                             const scenario::json_value& network);

// That configuration as a scenario of one point that is run once, with the run's seed. Throws
// scenario_error.
[[nodiscard]] scenario::scenario_spec spec_of(const recorded_run& run,
                                              const scenario::json_value& config);

}  // namespace mdp::cli
