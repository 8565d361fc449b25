// JSON options as a small tree that keeps the raw text of every number, so that decimal fractions
// can be read exactly. Plain values. parse_option_tree() throws options_error.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "mdp/netsim/options.hpp"

namespace mdp::netsim {

enum class option_kind : std::uint8_t { null, boolean, number, string, array, object };
[[nodiscard]] const char* to_string(option_kind kind) noexcept;

struct option_member;

struct option_value {
  option_kind kind = option_kind::null;
  bool boolean = false;
  std::string text;  // a string's content, a number as written
  std::vector<option_member> members;
};

struct option_member {
  std::string name;
  option_value value;
};

[[nodiscard]] option_value parse_option_tree(const char* json_text);

// Any unsigned 64-bit number; throws options_error.
[[nodiscard]] std::uint64_t seed_of(const option_value& v, const std::string& pointer);

// The JSON pointer of the member `name` of what `parent` points at.
[[nodiscard]] std::string child(const std::string& parent, const std::string& name);

}  // namespace mdp::netsim
