#include "mdp/scenario/json_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace mdp::scenario {

const char* to_string(json_kind kind) noexcept {
  switch (kind) {
    case json_kind::null:
      return "null";
    case json_kind::boolean:
      return "a boolean";
    case json_kind::integer:
      return "an integer";
    case json_kind::real:
      return "a number";
    case json_kind::string:
      return "a string";
    case json_kind::array:
      return "a list";
    case json_kind::object:
      return "an object";
  }
  return "?";
}

const json_value* json_value::find(std::string_view name) const noexcept {
  for (const json_member& m : members) {
    if (m.name == name) return &m.value;
  }
  return nullptr;
}

json_value* json_value::find(std::string_view name) noexcept {
  for (json_member& m : members) {
    if (m.name == name) return &m.value;
  }
  return nullptr;
}

json_value& json_value::set(std::string_view name, json_value value) {
  kind = json_kind::object;
  if (json_value* old = find(name); old != nullptr) {
    *old = std::move(value);
    return *old;
  }
  source_position at = value.where;
  members.push_back({std::string(name), std::move(at), std::move(value)});
  return members.back().value;
}

void json_value::erase(std::string_view name) {
  std::erase_if(members, [&](const json_member& m) { return m.name == name; });
}

std::optional<std::uint64_t> json_value::as_unsigned() const noexcept {
  if (kind != json_kind::integer) return std::nullopt;
  std::uint64_t out = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || at != end) return std::nullopt;
  return out;
}

json_value make_string(std::string_view text) {
  json_value v;
  v.kind = json_kind::string;
  v.text = text;
  return v;
}

json_value make_number(double number) {
  json_value v;
  const bool whole = std::floor(number) == number && std::fabs(number) < 9e15;
  v.kind = whole ? json_kind::integer : json_kind::real;
  v.number = number;
  v.text = whole ? fmt::format("{}", static_cast<std::int64_t>(number)) : fmt::format("{}", number);
  return v;
}

json_value make_unsigned(std::uint64_t number) {
  json_value v;
  v.kind = json_kind::integer;
  v.number = static_cast<double>(number);
  v.text = std::to_string(number);
  return v;
}

json_value make_boolean(bool value) {
  json_value v;
  v.kind = json_kind::boolean;
  v.boolean = value;
  return v;
}

json_value make_object() {
  json_value v;
  v.kind = json_kind::object;
  return v;
}

json_value make_array() {
  json_value v;
  v.kind = json_kind::array;
  return v;
}

namespace {

void dump_string(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

void new_line(int indent, int level, std::string& out) {
  if (indent < 0) return;
  out += '\n';
  out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(level), ' ');
}

// Depth is bounded by the parser, so recursion is safe.
void dump_to(const json_value& value, int indent, int level, std::string& out) {
  const char* const separator = indent < 0 ? "," : ", ";
  switch (value.kind) {
    case json_kind::null:
      out += "null";
      return;
    case json_kind::boolean:
      out += value.boolean ? "true" : "false";
      return;
    case json_kind::integer:
    case json_kind::real:
      out += value.text;
      return;
    case json_kind::string:
      dump_string(value.text, out);
      return;
    case json_kind::array: {
      out += '[';
      const bool flat = std::none_of(value.items.begin(), value.items.end(), [](const auto& v) {
        return v.is(json_kind::array) || v.is(json_kind::object);
      });
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        if (i > 0) out += flat ? separator : ",";
        if (!flat) new_line(indent, level + 1, out);
        dump_to(value.items[i], indent, level + 1, out);
      }
      if (!flat) new_line(indent, level, out);
      out += ']';
      return;
    }
    case json_kind::object: {
      out += '{';
      for (std::size_t i = 0; i < value.members.size(); ++i) {
        if (i > 0) out += ',';
        new_line(indent, level + 1, out);
        dump_string(value.members[i].name, out);
        out += indent < 0 ? ":" : ": ";
        dump_to(value.members[i].value, indent, level + 1, out);
      }
      if (!value.members.empty()) new_line(indent, level, out);
      out += '}';
      return;
    }
  }
}

// Levenshtein distance where a swap of neighbours counts one.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0u : 1u;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string dump(const json_value& value, int indent) {
  std::string out;
  dump_to(value, indent, 0, out);
  return out;
}

std::string locate(const source_position& where, std::string_view pointer,
                   std::string_view message) {
  std::string out;
  if (where.file != nullptr) {
    out += *where.file;
    if (where.line > 0) out += fmt::format(":{}:{}", where.line, where.column);
    out += ": ";
  }
  if (!pointer.empty()) out += fmt::format("{}: ", pointer);
  out += message;
  return out;
}

void fail(const json_value& at, std::string_view pointer, std::string_view message) {
  std::string text(message);
  if (!at.note.empty()) text += fmt::format(" ({})", at.note);
  throw scenario_error(locate(at.where, pointer, text));
}

std::string pointer_child(std::string_view pointer, std::string_view name) {
  std::string out(pointer);
  out += '/';
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& known) {
  if (wrong.size() > 64) return "";
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(2, wrong.size() / 3) + 1;
  for (const std::string& name : known) {
    // A name that the wrong one merely shortens ("rate" for "rate_per_s") is near as well.
    const bool prefix = wrong.size() >= 3 && name.starts_with(wrong);
    const std::size_t d = prefix ? 1 : distance(wrong, name);
    if (d < best_distance && d < std::max(wrong.size(), name.size())) {
      best = &name;
      best_distance = d;
    }
  }
  return best == nullptr ? "" : fmt::format("; did you mean \"{}\"?", *best);
}

}  // namespace mdp::scenario
