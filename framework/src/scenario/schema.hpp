// The table that describes a scenario file: it validates, and it emits the published JSON Schema.
// Constant data; every function is pure. check() throws scenario_error at the first mistake.
#pragma once
#include <limits>
#include <span>
#include <string>

#include "mdp/scenario/json_value.hpp"

namespace mdp::scenario {

enum class type_kind : std::uint8_t {
  any,
  boolean,
  integer,
  number,
  text,
  choice,  // text, one of `choices`
  record,  // object with the `fields`
  map,     // object: any name -> `element`
  list,    // array of `element`
  sizes,   // bytes, or {"bytes": weight}
};

struct type_def;

struct field_def {
  const char* name;
  const type_def* type;
  bool required;
  const char* help;
};

struct type_def {
  type_kind kind = type_kind::any;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::span<const field_def> fields{};
  const type_def* element = nullptr;
  std::span<const char* const> choices{};
};

// The whole file.
[[nodiscard]] const type_def& scenario_type() noexcept;

enum class required_keys : bool { ignore, demand };
// `pointer` is where `value` stands in the document.
void check(const json_value& value, const type_def& type, const std::string& pointer,
           required_keys required);
// An object against the JSON Schema of a plugin: property names, types, ranges, enumerations.
void check_options(const json_value& options, const json_value& schema, const std::string& pointer,
                   const std::string& whose);

}  // namespace mdp::scenario
