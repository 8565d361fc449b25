// What is asked of the figures: assertions, comparison, search, report.
#include <fmt/format.h>

#include <regex>

#include "schema.hpp"
#include "typed.hpp"
#include "typed_parts.hpp"

namespace mdp::scenario {

assert_spec make_assert(const json_value& in, const std::string& pointer, const json_value* vars) {
  static const std::regex form(R"(\s*([a-z0-9_]+(?:\.[a-z0-9_]+)+)\s*(<=|>=|==|!=|<|>))"
                               R"(\s*(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)\s*)");
  assert_spec out;
  const json_value& expect = *in.find("expect");
  std::smatch part;
  if (!std::regex_match(expect.text, part, form)) {
    fail(expect, pointer + "/expect",
         fmt::format("\"{}\" is not of the form \"latency.response.p99_us <= 500\"", expect.text));
  }
  out.expect = fmt::format("{} {} {}", part[1].str(), part[2].str(), part[3].str());
  const json_value* where = in.find("where");
  if (where == nullptr) return out;
  for (const json_member& m : where->members) {
    if (vars == nullptr || vars->find(m.name) == nullptr) {
      const std::vector<std::string> known =
          vars == nullptr ? std::vector<std::string>{} : names_of(*vars);
      throw scenario_error(locate(
          m.where, pointer + pointer_child("/where", m.name),
          fmt::format("there is no variable \"{}\"{}", m.name, did_you_mean(m.name, known))));
    }
    out.where[m.name] = dump(m.value);
  }
  return out;
}

compare_spec make_compare(const json_value& document) {
  const json_value* in = document.find("compare");
  compare_spec out;
  if (in == nullptr) return out;
  const json_value& var = *in->find("var");
  const json_value& baseline = *in->find("baseline");
  for (const char* end : {"var", "baseline"}) {
    const json_value& v = *in->find(end);
    if (v.is(json_kind::object) || v.is(json_kind::array) || v.is(json_kind::null)) {
      fail(v, fmt::format("/compare/{}", end), "must be one value");
    }
  }
  out.var = var.text;
  out.baseline = baseline.is(json_kind::string) ? baseline.text : dump(baseline);
  out.min_effect_pct = number_of(in, "min_effect_pct", out.min_effect_pct);
  return out;
}

search_spec make_search(const json_value& document) {
  const json_value* in = document.find("search");
  search_spec out;
  if (in == nullptr) return out;
  const json_value& from = *in->find("from");
  const json_value& to = *in->find("to");
  out.var = in->find("var")->text;
  out.from = from.number;
  out.to = to.number;
  out.precision_pct = number_of(in, "precision_pct", out.precision_pct);
  out.whole = from.is(json_kind::integer) && to.is(json_kind::integer);
  if (out.from > out.to) fail(to, "/search/to", "must not be less than \"from\"");
  if (out.precision_pct < 0.1) {
    fail(*in->find("precision_pct"), "/search/precision_pct", "must be 0.1 or more");
  }
  out.trials = count_of(in, "trials", out.trials);
  out.exceed_pct = number_of(in, "exceed_pct", out.exceed_pct);
  out.shortest_pct = number_of(in, "shortest_pct", out.shortest_pct);
  if (out.exceed_pct >= 100) {
    fail(*in->find("exceed_pct"), "/search/exceed_pct",
         "must be below 100: a value at which every trial fails cannot pass");
  }
  if (out.shortest_pct < 0.1) {
    fail(*in->find("shortest_pct"), "/search/shortest_pct", "must be 0.1 or more");
  }
  const json_value* vars = document.find("vars");
  if (vars == nullptr || vars->find(out.var) == nullptr) {
    const std::vector<std::string> known =
        vars == nullptr ? std::vector<std::string>{} : names_of(*vars);
    fail(*in->find("var"), "/search/var",
         fmt::format("\"{}\" is not in vars{}", out.var, did_you_mean(out.var, known)));
  }
  if (document.at("sweep", out.var) != nullptr) {
    fail(*in->find("var"), "/search/var", fmt::format("\"{}\" is swept already", out.var));
  }
  const json_value* asserts = document.find("assert");
  if (asserts == nullptr || asserts->items.empty()) {
    fail(*in, "/search", "needs \"assert\": the conditions that the highest value must meet");
  }
  return out;
}

report_spec make_report(const json_value& document) {
  const json_value* in = document.find("report");
  report_spec out;
  if (in == nullptr) return out;
  if (const json_value* list = in->find("percentiles"); list != nullptr) {
    out.percentiles.clear();
    for (const json_value& v : list->items) out.percentiles.push_back(v.number);
  }
  if (const json_value* list = in->find("plots"); list != nullptr) {
    out.plots.clear();
    for (const json_value& v : list->items) out.plots.push_back(v.text);
  }
  return out;
}

}  // namespace mdp::scenario
