// Loads a scenario: parses, merges `extends`, applies overrides, fills `${vars}`, takes the cross
// product of `sweep`, validates every point against the table-driven schema and returns plain typed
// values.
//
// No state, no threads. Every error is a scenario_error with one line
// `file:line:column: /json/pointer: message; did you mean "x"?`.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mdp/scenario/json_value.hpp"
#include "mdp/scenario/spec.hpp"

namespace mdp::scenario {

// A key of `protocol.config`, with its range.
struct protocol_key {
  std::string name;
  std::string unit;
  std::string description;
  double min = 0;
  double max = 0;
  double preset = 0;
  std::vector<std::string> choices;  // not empty: the value is one of these words
};

// What the loader must know of the rest of the program; without it that check is left out.
struct load_context {
  // Names of the transport plugins that exist (usable or not).
  std::function<std::vector<std::string>()> plugin_names;
  // JSON Schema of a plugin's options; nullopt: unknown.
  std::function<std::optional<std::string>(const std::string& plugin)> plugin_options_schema;
  std::function<std::vector<protocol_key>(const std::string& protocol)> protocol_keys;
  // Why the simulator refuses these options, in one line that begins with the JSON pointer of the
  // culprit and ": "; empty: it takes them.
  std::function<std::string(const std::string& plugin, const std::string& options_json)>
      options_refusal;
  // Of this machine, for what runs in one process; asked for simulations only.
  std::function<std::uint64_t()> memory_bytes;
};

struct load_options {
  std::vector<std::string> set;  // "path=value": dots or a JSON pointer; value is JSON, else text
  std::optional<std::uint64_t> seed;    // replaces the scenario's
  std::vector<std::string> transports;  // restricts or replaces the transports compared
  load_context context;
};

[[nodiscard]] scenario_spec load_scenario(const std::string& path_or_dash,
                                          const load_options& options = {});

// A point as results keep it (member `config` of mdp-result/1), to run it again. `name` stands for
// the file in messages.
[[nodiscard]] scenario_spec load_expanded(const json_value& config, const std::string& name,
                                          const load_options& options = {});

// Checks a file: a runnable scenario, or one without `flows` that others extend.
struct check_outcome {
  std::string name;
  std::string description;
  std::size_t points = 0;  // 0: a base for others
};
[[nodiscard]] check_outcome check_scenario(const std::string& path_or_dash,
                                           const load_options& options = {});

// The JSON Schema (draft 2020-12) of a scenario file, from the same tables that validate.
[[nodiscard]] std::string scenario_json_schema();

}  // namespace mdp::scenario
