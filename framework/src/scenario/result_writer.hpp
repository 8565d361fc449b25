// The mdp-result/1 document of one point.
#pragma once
#include <string>
#include <vector>

#include "mdp/scenario/runner.hpp"
#include "run_record.hpp"

namespace mdp::scenario {

// Status, reasons and asserts are decided here: failed when any run failed. `vague`: the runs did
// not reach the precision asked for.
[[nodiscard]] point_result write_result(const scenario_spec& scenario, const point_spec& point,
                                        const std::vector<run_record>& runs,
                                        std::optional<double> steal_pct, bool vague);

}  // namespace mdp::scenario
