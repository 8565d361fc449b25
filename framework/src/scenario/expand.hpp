// The steps from a file to the JSON of each point: extends, overrides, sweep, variables.
// Pure but for reading the files that `extends` names. All throw scenario_error.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "mdp/scenario/json_value.hpp"

namespace mdp::scenario {

// The file with everything that it extends merged below it (RFC 7396); positions stay those of the
// file where a value stands.
[[nodiscard]] json_value read_with_bases(const std::string& path_or_dash);

// "run.measure_s=0.2", "flows.0.load.in_flight=4" or "/run/measure_s=0.2". Setting a swept variable
// ("vars.rate=100") ends its sweep.
void apply_setting(json_value& document, const std::string& setting);

// Makes the document compare (or use) these transports, through the variable `transport`.
void choose_transports(json_value& document, const std::vector<std::string>& names);

struct sweep_axis {
  std::string var;
  std::vector<json_value> values;
};
[[nodiscard]] std::vector<sweep_axis> read_sweep(const json_value& document);

// A copy of `value` in which every "${name}" is replaced; a string that is nothing but "${name}"
// takes the variable's type. `used` collects the names.
[[nodiscard]] json_value fill_variables(const json_value& value, const json_value& vars,
                                        const std::string& pointer, std::vector<std::string>& used);

}  // namespace mdp::scenario
