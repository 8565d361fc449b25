#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "expand.hpp"
#include "schema.hpp"

namespace mdp::scenario {
namespace {

constexpr std::size_t sweep_values_max = 1000;
constexpr int nesting_max = 16;  // variables that refer to variables

std::vector<std::string> names_of(const json_value& object) {
  std::vector<std::string> names;
  for (const json_member& m : object.members) names.push_back(m.name);
  return names;
}

struct filler {
  const json_value& vars;
  std::vector<std::string>& used;

  // NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the parser and nesting_max
  json_value fill(const json_value& value, const std::string& pointer, int nesting) {
    if (value.is(json_kind::string)) return fill_text(value, pointer, nesting);
    json_value out = value;
    for (std::size_t i = 0; i < out.items.size(); ++i) {
      out.items[i] = fill(value.items[i], fmt::format("{}/{}", pointer, i), nesting);
    }
    for (std::size_t i = 0; i < out.members.size(); ++i) {
      out.members[i].value =
          fill(value.members[i].value, pointer_child(pointer, value.members[i].name), nesting);
    }
    return out;
  }

  json_value variable(const json_value& at, const std::string& name, const std::string& pointer,
                      int nesting) {
    const json_value* found = vars.find(name);
    if (found == nullptr) {
      fail(at, pointer,
           fmt::format("there is no variable \"{}\"{}", name, did_you_mean(name, names_of(vars))));
    }
    if (nesting >= nesting_max) {
      fail(at, pointer, fmt::format("the variable \"{}\" refers to itself", name));
    }
    if (std::find(used.begin(), used.end(), name) == used.end()) used.push_back(name);
    json_value out = fill(*found, pointer, nesting + 1);
    if (out.note.empty()) out.note = fmt::format("from ${{{}}}", name);
    return out;
  }

  json_value fill_text(const json_value& value, const std::string& pointer, int nesting) {
    const std::string& text = value.text;
    json_value out = value;
    out.text.clear();
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t open = text.find("${", at);
      if (open == std::string::npos) break;
      if (open > 0 && text[open - 1] == '$') {  // "$${" is a literal "${"
        out.text += text.substr(at, open - 1 - at) + "${";
        at = open + 2;
        continue;
      }
      const std::size_t close = text.find('}', open);
      if (close == std::string::npos) {
        fail(value, pointer, fmt::format("\"${{\" without \"}}\" in \"{}\"", text));
      }
      const std::string name = text.substr(open + 2, close - open - 2);
      json_value piece = variable(value, name, pointer, nesting);
      if (open == 0 && close + 1 == text.size()) return piece;
      if (piece.is(json_kind::object) || piece.is(json_kind::array)) {
        fail(value, pointer,
             fmt::format("${{{}}} is {} and cannot stand inside a text", name,
                         to_string(piece.kind)));
      }
      out.text += text.substr(at, open - at);
      out.text += piece.is(json_kind::string) ? piece.text : dump(piece);
      if (out.text.size() > 65536) fail(value, pointer, "longer than 65536 bytes when filled in");
      at = close + 1;
    }
    if (at < text.size()) out.text += text.substr(at);
    return out;
  }
};

double range_number(const json_value& range, const char* key, const std::string& pointer) {
  const json_value* v = range.find(key);
  if (v == nullptr) {
    fail(range, pointer, fmt::format("a range needs from, to and points; \"{}\" is missing", key));
  }
  if (!v->is_number()) fail(*v, pointer + "/" + key, "must be a number");
  return v->number;
}

// Intermediate points of a range between whole numbers are rounded to whole numbers.
std::vector<json_value> range_values(const json_value& range, const std::string& pointer) {
  for (const json_member& m : range.members) {
    const std::vector<std::string> known{"from", "to", "points", "scale"};
    if (std::find(known.begin(), known.end(), m.name) == known.end()) {
      throw scenario_error(
          locate(m.where, pointer_child(pointer, m.name),
                 fmt::format("unknown key \"{}\"{}", m.name, did_you_mean(m.name, known))));
    }
  }
  const double from = range_number(range, "from", pointer);
  const double to = range_number(range, "to", pointer);
  const double points = range_number(range, "points", pointer);
  if (points != std::floor(points) || points < 1 || points > sweep_values_max) {
    fail(*range.find("points"), pointer + "/points",
         fmt::format("must be a whole number from 1 to {}", sweep_values_max));
  }
  bool log = false;
  if (const json_value* scale = range.find("scale"); scale != nullptr) {
    if (scale->text != "lin" && scale->text != "log") {
      fail(*scale, pointer + "/scale", "must be \"lin\" or \"log\"");
    }
    log = scale->text == "log";
  }
  if (log && (from <= 0 || to <= 0)) {
    fail(range, pointer, "a logarithmic range needs positive ends");
  }
  const bool whole =
      range.find("from")->is(json_kind::integer) && range.find("to")->is(json_kind::integer);
  const auto n = static_cast<std::size_t>(points);
  std::vector<json_value> out;
  for (std::size_t i = 0; i < n; ++i) {
    const double f = n == 1 ? 0 : static_cast<double>(i) / (points - 1);
    double x = log ? from * std::pow(to / from, f) : from + (to - from) * f;
    if (i + 1 == n && n > 1) x = to;
    if (whole) x = std::round(x);
    json_value v = make_number(x);
    v.where = range.where;
    if (out.empty() || out.back().text != v.text) out.push_back(std::move(v));
  }
  return out;
}

}  // namespace

json_value fill_variables(const json_value& value, const json_value& vars,
                          const std::string& pointer, std::vector<std::string>& used) {
  return filler{vars, used}.fill(value, pointer, 0);
}

std::vector<sweep_axis> read_sweep(const json_value& document) {
  std::vector<sweep_axis> axes;
  const json_value* sweep = document.find("sweep");
  if (sweep == nullptr) return axes;
  const json_value* vars = document.find("vars");
  for (const json_member& m : sweep->members) {
    const std::string pointer = pointer_child("/sweep", m.name);
    if (vars == nullptr || vars->find(m.name) == nullptr) {
      const std::vector<std::string> known =
          vars == nullptr ? std::vector<std::string>{} : names_of(*vars);
      throw scenario_error(locate(m.where, pointer,
                                  fmt::format("\"{}\" is swept but is not in vars{}", m.name,
                                              did_you_mean(m.name, known))));
    }
    sweep_axis axis{m.name, {}};
    if (m.value.is(json_kind::array)) {
      axis.values = m.value.items;
    } else if (m.value.is(json_kind::object)) {
      axis.values = range_values(m.value, pointer);
    } else {
      fail(m.value, pointer, "must be a list of values or {from, to, points, scale}");
    }
    if (axis.values.empty() || axis.values.size() > sweep_values_max) {
      fail(m.value, pointer, fmt::format("must have 1 to {} values", sweep_values_max));
    }
    for (std::size_t i = 0; i < axis.values.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (dump(axis.values[i]) == dump(axis.values[j])) {
          fail(axis.values[i], fmt::format("{}/{}", pointer, i),
               fmt::format("the value {} is given twice", dump(axis.values[i])));
        }
      }
    }
    axes.push_back(std::move(axis));
  }
  return axes;
}

}  // namespace mdp::scenario
