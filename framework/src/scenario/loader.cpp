#include "mdp/scenario/loader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "expand.hpp"
#include "link_traces.hpp"
#include "mdp/base/random.hpp"
#include "network_check.hpp"
#include "schema.hpp"
#include "typed.hpp"

namespace mdp::scenario {
namespace {

constexpr std::size_t points_max = 10'000;

// FNV-1a over the text, mixed once more so that every bit depends on every byte.
std::string hash12(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325ull;
  for (const char c : text) {
    h ^= static_cast<unsigned char>(c);
    h *= 0x100000001b3ull;
  }
  return fmt::format("{:012x}", splitmix64(h) >> 16);
}

// What is compared with what changes no measurement, so it does not change the id either.
std::string point_id(json_value document) {
  document.erase("compare");
  document.erase("description");
  return hash12(dump(document));
}

json_value prepare(json_value document, const load_options& options) {
  choose_transports(document, options.transports);
  for (const std::string& setting : options.set) apply_setting(document, setting);
  if (options.seed) document.set("seed", make_unsigned(*options.seed));
  document.erase("extends");
  document.erase("$schema");
  for (const char* section : {"vars", "sweep"}) {
    const json_value* v = document.find(section);
    if (v != nullptr && !v->is(json_kind::object)) {
      fail(*v, fmt::format("/{}", section),
           fmt::format("must be an object, not {}", to_string(v->kind)));
    }
  }
  return document;
}

void check_name(const json_value& document) {
  const json_value& name = *document.find("name");
  const bool good = !name.text.empty() && name.text.size() <= 64 && name.text[0] != '-' &&
                    std::all_of(name.text.begin(), name.text.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '-' || c == '_';
                    });
  if (!good) fail(name, "/name", "must be 1 to 64 letters, digits, - or _ (it names files)");
}

// The document of one point: the axes' values put into vars, every variable filled in.
json_value point_document(const json_value& document, const std::vector<sweep_axis>& axes,
                          std::size_t number, std::map<std::string, std::string>& chosen,
                          std::vector<std::string>& used) {
  json_value vars = make_object();
  if (const json_value* given = document.find("vars"); given != nullptr) vars = *given;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    const json_value& value = axis->values[number % axis->values.size()];
    number /= axis->values.size();
    vars.set(axis->var, value);
    chosen[axis->var] = dump(value);
  }
  json_value out = make_object();
  out.where = document.where;
  for (const json_member& m : document.members) {
    const bool about_all = m.name == "sweep" || m.name == "report" || m.name == "search";
    if (about_all) continue;
    json_member copy = m;
    const std::string pointer = pointer_child("", m.name);
    copy.value = m.name == "vars" ? vars : fill_variables(m.value, vars, pointer, used);
    out.members.push_back(std::move(copy));
  }
  return out;
}

void check_axes_used(const json_value& document, const std::vector<sweep_axis>& axes,
                     const std::vector<std::string>& used) {
  for (const sweep_axis& axis : axes) {
    if (std::find(used.begin(), used.end(), axis.var) != used.end()) continue;
    for (const json_member& m : document.find("sweep")->members) {
      if (m.name != axis.var) continue;
      throw scenario_error(
          locate(m.where, pointer_child("/sweep", m.name),
                 fmt::format("no key uses ${{{}}}, so sweeping it changes nothing", axis.var)));
    }
  }
}

void check_compare(const json_value& document, const compare_spec& compare,
                   const std::vector<sweep_axis>& axes) {
  if (compare.var.empty()) return;
  const auto axis = std::find_if(axes.begin(), axes.end(),
                                 [&](const sweep_axis& a) { return a.var == compare.var; });
  if (axis == axes.end()) {
    std::vector<std::string> names;
    for (const sweep_axis& a : axes) names.push_back(a.var);
    fail(*document.at("compare", "var"), "/compare/var",
         fmt::format("\"{}\" is not swept{}", compare.var, did_you_mean(compare.var, names)));
  }
  std::vector<std::string> values;
  for (const json_value& v : axis->values) {
    values.push_back(v.is(json_kind::string) ? v.text : dump(v));
  }
  if (std::find(values.begin(), values.end(), compare.baseline) == values.end()) {
    fail(*document.at("compare", "baseline"), "/compare/baseline",
         fmt::format("\"{}\" is not among the values of {}: {}", compare.baseline, compare.var,
                     fmt::join(values, ", ")));
  }
}

void check_network(const json_value& document, const scenario_spec& spec) {
  const json_value* network = document.find("network");
  if (network == nullptr) return;
  for (const point_spec& p : spec.points) {
    if (p.transport.plugin == "netsim") return;
  }
  fail(*network, "/network", "only the plugin netsim simulates a network; no point uses it");
}

scenario_spec load_document(const json_value& document, const std::string& path_or_dash,
                            const load_options& options) {
  const std::vector<sweep_axis> axes = read_sweep(document);
  std::size_t total = 1;
  for (const sweep_axis& axis : axes) {
    total *= axis.values.size();
    if (total > points_max) {
      fail(*document.find("sweep"), "/sweep",
           fmt::format("the cross product has more than {} points", points_max));
    }
  }
  scenario_spec spec;
  spec.file = path_or_dash;
  std::vector<std::string> used;
  for (std::size_t i = 0; i < total; ++i) {
    std::map<std::string, std::string> chosen;
    json_value one = point_document(document, axes, i, chosen, used);
    check(one, scenario_type(), "", required_keys::demand);
    read_link_traces(one);
    check_name(one);
    point_spec point = make_point(one, options.context);
    if (point.transport.plugin == "netsim") check_simulation(one, point, options.context);
    point.vars = std::move(chosen);
    point.id = point_id(one);
    point.config_json = dump(one, 2);
    if (i == 0) {
      spec.name = one.find("name")->text;
      spec.description = one.find("description")->text;
    }
    spec.points.push_back(std::move(point));
  }
  // compare and report concern all points: checked once, after what each point says.
  json_value common = make_object();
  for (const char* key : {"compare", "report", "search"}) {
    if (const json_value* v = document.find(key); v != nullptr) common.set(key, *v);
  }
  check(common, scenario_type(), "", required_keys::ignore);
  if (const json_value* compare = common.find("compare"); compare != nullptr) {
    for (const char* key : {"var", "baseline"}) {
      if (compare->find(key) == nullptr) {
        fail(*compare, "/compare", fmt::format("the key \"{}\" is missing", key));
      }
    }
  }
  if (const json_value* search = common.find("search"); search != nullptr) {
    for (const char* key : {"var", "from", "to"}) {
      if (search->find(key) == nullptr) {
        fail(*search, "/search", fmt::format("the key \"{}\" is missing", key));
      }
    }
  }
  check_axes_used(document, axes, used);
  spec.compare = make_compare(document);
  spec.search = make_search(document);
  if (!spec.search.var.empty() &&
      std::find(used.begin(), used.end(), spec.search.var) == used.end()) {
    fail(*document.at("search", "var"), "/search/var",
         fmt::format("no key uses ${{{}}}, so searching it changes nothing", spec.search.var));
  }
  spec.report = make_report(document);
  check_compare(document, spec.compare, axes);
  check_network(document, spec);
  return spec;
}

}  // namespace

scenario_spec load_scenario(const std::string& path_or_dash, const load_options& options) {
  return load_document(prepare(read_with_bases(path_or_dash), options), path_or_dash, options);
}

scenario_spec load_expanded(const json_value& config, const std::string& name,
                            const load_options& options) {
  json_value document = prepare(config, options);
  document.erase("compare");  // is about all points of a sweep
  return load_document(document, name, options);
}

check_outcome check_scenario(const std::string& path_or_dash, const load_options& options) {
  const json_value document = prepare(read_with_bases(path_or_dash), options);
  if (document.find("flows") != nullptr) {
    const scenario_spec spec = load_document(document, path_or_dash, options);
    return {spec.name, spec.description, spec.points.size()};
  }
  // A base: only what it says can be checked, its variables at their first values.
  json_value vars = make_object();
  if (const json_value* given = document.find("vars"); given != nullptr) vars = *given;
  std::vector<std::string> used;
  const json_value filled = fill_variables(document, vars, "", used);
  check(filled, scenario_type(), "", required_keys::ignore);
  const json_value* name = document.find("name");
  const json_value* description = document.find("description");
  return {name == nullptr ? "" : name->text, description == nullptr ? "" : description->text, 0};
}

}  // namespace mdp::scenario
