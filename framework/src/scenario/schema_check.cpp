#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "schema.hpp"

namespace mdp::scenario {
namespace {

std::string quoted_list(std::span<const char* const> names) {
  std::string out;
  for (const char* name : names) out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", name);
  return out;
}

[[noreturn]] void wrong_type(const json_value& value, const std::string& pointer,
                             std::string_view wanted) {
  std::string found = to_string(value.kind);
  if (value.is(json_kind::string)) {
    found = fmt::format("the string \"{}\"", value.text.substr(0, 40));
  }
  if (value.is_number()) found += " " + value.text;
  fail(value, pointer, fmt::format("must be {}, not {}", wanted, found));
}

void check_range(const json_value& value, double min, double max, const std::string& pointer) {
  if (value.number >= min && value.number <= max) return;
  const char* const bound = value.number < min ? "at least" : "at most";
  const std::string limit = make_number(value.number < min ? min : max).text;
  fail(value, pointer, fmt::format("must be {} {}, not {}", bound, limit, value.text));
}

void check_sizes(const json_value& value, const type_def& type, const std::string& pointer) {
  if (value.is(json_kind::integer)) {
    check_range(value, type.min, type.max, pointer);
    return;
  }
  if (!value.is(json_kind::object)) {
    wrong_type(value, pointer, "a number of bytes or an object {\"bytes\": weight}");
  }
  if (value.members.empty() || value.members.size() > 64) {
    fail(value, pointer, "a distribution has 1 to 64 sizes");
  }
  double sum = 0;
  for (const json_member& m : value.members) {
    const std::string at = pointer_child(pointer, m.name);
    std::uint32_t bytes = 0;
    const char* end = m.name.data() + m.name.size();
    const auto [stop, error] = std::from_chars(m.name.data(), end, bytes);
    if (error != std::errc{} || stop != end || bytes < type.min || bytes > type.max) {
      throw scenario_error(
          locate(m.where, at,
                 fmt::format("a size is a whole number of bytes from {} to {}",
                             make_number(type.min).text, make_number(type.max).text)));
    }
    if (!m.value.is_number()) wrong_type(m.value, at, "a weight (a number)");
    check_range(m.value, 0, 1e9, at);
    sum += m.value.number;
  }
  if (sum <= 0) fail(value, pointer, "the weights of the sizes add up to 0");
}

void check_record(const json_value& value, const type_def& type, const std::string& pointer,
                  required_keys required) {
  if (!value.is(json_kind::object)) wrong_type(value, pointer, "an object");
  for (const json_member& m : value.members) {
    const auto field = std::find_if(type.fields.begin(), type.fields.end(),
                                    [&](const field_def& f) { return m.name == f.name; });
    const std::string at = pointer_child(pointer, m.name);
    if (field == type.fields.end()) {
      std::vector<std::string> names;
      for (const field_def& f : type.fields) names.emplace_back(f.name);
      std::string hint = did_you_mean(m.name, names);
      if (hint.empty()) {
        hint = "; known here:";
        for (const std::string& n : names) hint += " " + n;
      }
      throw scenario_error(locate(m.where, at, fmt::format("unknown key \"{}\"{}", m.name, hint)));
    }
    check(m.value, *field->type, at, required);
  }
  if (required == required_keys::ignore) return;
  for (const field_def& f : type.fields) {
    if (f.required && value.find(f.name) == nullptr) {
      fail(value, pointer.empty() ? "/" : pointer,
           fmt::format("the key \"{}\" is missing: {}", f.name, f.help));
    }
  }
}

void check_list(const json_value& value, const type_def& type, const std::string& pointer,
                required_keys required) {
  if (!value.is(json_kind::array)) wrong_type(value, pointer, "a list");
  const auto n = static_cast<double>(value.items.size());
  if (n < type.min || n > type.max) {
    fail(value, pointer,
         fmt::format("must have {} to {} items, not {}", type.min, type.max, value.items.size()));
  }
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    check(value.items[i], *type.element, fmt::format("{}/{}", pointer, i), required);
  }
}

void check_map(const json_value& value, const type_def& type, const std::string& pointer,
               required_keys required) {
  if (!value.is(json_kind::object)) wrong_type(value, pointer, "an object");
  for (const json_member& m : value.members) {
    const std::string at = pointer_child(pointer, m.name);
    if (m.name.empty() || m.name.size() > 64) {
      throw scenario_error(locate(m.where, at, "a name has 1 to 64 characters"));
    }
    check(m.value, *type.element, at, required);
  }
}

void check_choice(const json_value& value, const type_def& type, const std::string& pointer) {
  if (!value.is(json_kind::string))
    wrong_type(value, pointer, "one of " + quoted_list(type.choices));
  if (std::find(type.choices.begin(), type.choices.end(), value.text) != type.choices.end()) return;
  const std::vector<std::string> known(type.choices.begin(), type.choices.end());
  fail(value, pointer,
       fmt::format("must be one of {}, not \"{}\"{}", quoted_list(type.choices), value.text,
                   did_you_mean(value.text, known)));
}

bool has_json_type(const json_value& value, std::string_view type) {
  if (type == "integer") return value.is(json_kind::integer);
  if (type == "number") return value.is_number();
  if (type == "string") return value.is(json_kind::string);
  if (type == "boolean") return value.is(json_kind::boolean);
  if (type == "array") return value.is(json_kind::array);
  if (type == "object") return value.is(json_kind::object);
  return type != "null" || value.is(json_kind::null);
}

void check_option(const json_value& value, const json_value& rule, const std::string& at) {
  const json_value* type = rule.find("type");
  if (type != nullptr && type->is(json_kind::string) && !has_json_type(value, type->text)) {
    wrong_type(value, at, fmt::format("of type {}", type->text));
  }
  if (value.is_number()) {
    const json_value* min = rule.find("minimum");
    const json_value* max = rule.find("maximum");
    const double inf = std::numeric_limits<double>::infinity();
    check_range(value, min != nullptr ? min->number : -inf, max != nullptr ? max->number : inf, at);
  }
  if (const json_value* allowed = rule.find("enum"); allowed != nullptr) {
    const std::string text = dump(value);
    std::string all;
    for (const json_value& v : allowed->items) {
      if (dump(v) == text) return;
      all += (all.empty() ? "" : ", ") + dump(v);
    }
    fail(value, at, fmt::format("must be one of {}, not {}", all, text));
  }
}

}  // namespace

void check(const json_value& value, const type_def& type, const std::string& pointer,
           required_keys required) {
  switch (type.kind) {
    case type_kind::any:
      return;
    case type_kind::boolean:
      if (!value.is(json_kind::boolean)) wrong_type(value, pointer, "true or false");
      return;
    case type_kind::integer:
      if (!value.is(json_kind::integer)) wrong_type(value, pointer, "a whole number");
      check_range(value, type.min, type.max, pointer);
      return;
    case type_kind::number:
      if (!value.is_number()) wrong_type(value, pointer, "a number");
      check_range(value, type.min, type.max, pointer);
      return;
    case type_kind::text:
      if (!value.is(json_kind::string)) wrong_type(value, pointer, "a string");
      if (value.text.size() > 4096) fail(value, pointer, "longer than 4096 bytes");
      return;
    case type_kind::choice:
      check_choice(value, type, pointer);
      return;
    case type_kind::record:
      check_record(value, type, pointer, required);
      return;
    case type_kind::map:
      check_map(value, type, pointer, required);
      return;
    case type_kind::list:
      check_list(value, type, pointer, required);
      return;
    case type_kind::sizes:
      check_sizes(value, type, pointer);
      return;
  }
}

void check_options(const json_value& options, const json_value& schema, const std::string& pointer,
                   const std::string& whose) {
  const json_value* properties = schema.find("properties");
  std::vector<std::string> names;
  if (properties != nullptr) {
    for (const json_member& m : properties->members) names.push_back(m.name);
  }
  for (const json_member& m : options.members) {
    const std::string at = pointer_child(pointer, m.name);
    const json_value* rule = properties == nullptr ? nullptr : properties->find(m.name);
    if (rule == nullptr) {
      throw scenario_error(locate(
          m.where, at,
          fmt::format("{} has no option \"{}\"{}", whose, m.name, did_you_mean(m.name, names))));
    }
    check_option(m.value, *rule, at);
  }
}

}  // namespace mdp::scenario
