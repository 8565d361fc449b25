// A JSON document whose every value remembers where it was written, so that a mistake found long
// after parsing (after `extends`, `vars` and `sweep`) is still reported with file, line and column.
//
// Plain values, copied freely; no threads. parse_json() throws scenario_error; nothing else throws
// anything but std::bad_alloc. Numbers keep their shortest exact decimal text beside the double.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mdp::scenario {

// what() is one line: `file:line:column: /json/pointer: message`.
class scenario_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct source_position {
  std::shared_ptr<const std::string> file;  // null: nowhere in particular
  std::uint32_t line = 0;                   // from 1; 0: the file as a whole
  std::uint32_t column = 0;
};

enum class json_kind : std::uint8_t { null, boolean, integer, real, string, array, object };
[[nodiscard]] const char* to_string(json_kind kind) noexcept;

struct json_member;

struct json_value {
  json_kind kind = json_kind::null;
  bool boolean = false;
  double number = 0;              // integer and real
  std::string text;               // string: its content; integer and real: canonical decimal text
  std::vector<json_value> items;  // array
  std::vector<json_member> members;  // object, in the order written, names unique
  source_position where;
  std::string note;  // how the value came here when not as written, e.g. "from ${size}"

  [[nodiscard]] bool is(json_kind k) const noexcept { return kind == k; }
  [[nodiscard]] bool is_number() const noexcept {
    return kind == json_kind::integer || kind == json_kind::real;
  }
  // The member, or nullptr (also when this is no object).
  [[nodiscard]] const json_value* find(std::string_view name) const noexcept;
  [[nodiscard]] json_value* find(std::string_view name) noexcept;
  // Follows object members: at("run", "measure_s") is find("run")->find("measure_s") or nullptr.
  template <class... Names>
  [[nodiscard]] const json_value* at(std::string_view first, Names... rest) const noexcept {
    const json_value* next = find(first);
    if constexpr (sizeof...(rest) == 0) {
      return next;
    } else {
      return next == nullptr ? nullptr : next->at(rest...);
    }
  }
  // Replaces or appends a member; this becomes an object.
  json_value& set(std::string_view name, json_value value);
  void erase(std::string_view name);
  // The exact unsigned value of a non-negative integer below 2^64.
  [[nodiscard]] std::optional<std::uint64_t> as_unsigned() const noexcept;
};

struct json_member {
  std::string name;
  source_position where;
  json_value value;
};

[[nodiscard]] json_value make_string(std::string_view text);
[[nodiscard]] json_value make_number(double number);
[[nodiscard]] json_value make_unsigned(std::uint64_t number);
[[nodiscard]] json_value make_boolean(bool value);
[[nodiscard]] json_value make_object();
[[nodiscard]] json_value make_array();

// indent < 0: one line. Always valid JSON.
[[nodiscard]] std::string dump(const json_value& value, int indent = -1);

struct json_limits {
  std::size_t bytes_max = std::size_t{16} << 20;
  std::size_t values_max = 1'000'000;
  std::uint32_t depth_max = 64;
};
// Comments (// and /* */) are accepted; duplicate keys, NaN, numbers beyond a double and everything
// past the limits are refused.
[[nodiscard]] json_value parse_json(std::string_view text, const std::string& file_name,
                                    const json_limits& limits = {});
// The same for a file, "-" being standard input.
[[nodiscard]] json_value parse_json_file(const std::string& path_or_dash,
                                         const json_limits& limits = {});

// "file:line:column: pointer: message", leaving out what is unknown.
[[nodiscard]] std::string locate(const source_position& where, std::string_view pointer,
                                 std::string_view message);
[[noreturn]] void fail(const json_value& at, std::string_view pointer, std::string_view message);
// `pointer` + "/" + the name with "~" and "/" escaped as RFC 6901 says.
[[nodiscard]] std::string pointer_child(std::string_view pointer, std::string_view name);

// `; did you mean "x"?` for the nearest of the known names, or "" when none is near.
[[nodiscard]] std::string did_you_mean(std::string_view wrong,
                                       const std::vector<std::string>& known);

}  // namespace mdp::scenario
