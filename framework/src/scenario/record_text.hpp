// What one process of a run measured, as text that another reads, and how such records are added.
// Exact: a record that was written and read again is the same, and adding two is as if one process
// had measured both.
#pragma once
#include <string>
#include <string_view>

#include "run_record.hpp"

namespace mdp::scenario {

[[nodiscard]] std::string write_record(const run_record& record);
// Throws std::exception for what write_record() did not write.
[[nodiscard]] run_record read_record(std::string_view text);
// Counts are summed, histograms merged. What tells of the repetition (its number, seed, placement,
// times, the simulator's counts, its error) stays as `sum` has it.
void add_record(run_record& sum, const run_record& part);

}  // namespace mdp::scenario
