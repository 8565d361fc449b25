// The published JSON Schema, generated from the table that validates.
//
// A file is checked before `extends` and `vars` take effect, so a `${var}` string may stand for any
// value, null may delete a key, and only objects inside lists (which are never merged) must be
// complete.
#include <cmath>

#include "mdp/scenario/loader.hpp"
#include "schema.hpp"

namespace mdp::scenario {
namespace {

json_value strings(std::initializer_list<const char*> names) {
  json_value list = make_array();
  for (const char* name : names) list.items.push_back(make_string(name));
  return list;
}

void add_range(json_value& out, const type_def& type) {
  if (std::isfinite(type.min)) out.set("minimum", make_number(type.min));
  // 2^64-1 is not a double; the seed's upper limit is left to the loader.
  if (std::isfinite(type.max) && type.max < 1e18) out.set("maximum", make_number(type.max));
}

// Type names plus what may stand in for any value.
json_value typed(const char* name, bool in_list) {
  json_value out = make_object();
  json_value types = make_array();
  types.items.push_back(make_string(name));
  if (std::string_view(name) != "string") types.items.push_back(make_string("string"));
  if (!in_list) types.items.push_back(make_string("null"));
  out.set("type", types);
  if (std::string_view(name) != "string") out.set("pattern", make_string("\\$\\{"));
  return out;
}

json_value emit(const type_def& type, bool in_list);

json_value emit_choice(const type_def& type, bool in_list) {
  json_value named = make_object();
  json_value values = make_array();
  for (const char* c : type.choices) values.items.push_back(make_string(c));
  if (!in_list) values.items.push_back(json_value{});
  named.set("enum", values);
  json_value variable = make_object();
  variable.set("type", make_string("string"));
  variable.set("pattern", make_string("\\$\\{"));
  json_value any = make_array();
  any.items = {named, variable};
  json_value out = make_object();
  out.set("anyOf", any);
  return out;
}

json_value emit_record(const type_def& type, bool in_list) {
  json_value out = typed("object", in_list);
  json_value properties = make_object();
  json_value required = make_array();
  for (const field_def& f : type.fields) {
    json_value field = emit(*f.type, in_list);
    field.set("description", make_string(f.help));
    properties.set(f.name, field);
    if (f.required && in_list) required.items.push_back(make_string(f.name));
  }
  out.set("properties", properties);
  out.set("additionalProperties", make_boolean(false));
  if (!required.items.empty()) out.set("required", required);
  return out;
}

json_value emit_sizes(const type_def& type, bool in_list) {
  json_value out = make_object();
  json_value types = strings({"integer", "string", "object"});
  if (!in_list) types.items.push_back(make_string("null"));
  out.set("type", types);
  out.set("pattern", make_string("\\$\\{"));
  add_range(out, type);
  json_value name = make_object();
  name.set("pattern", make_string("^[1-9][0-9]*$"));
  out.set("propertyNames", name);
  json_value weight = make_object();
  weight.set("type", make_string("number"));
  weight.set("minimum", make_number(0));
  out.set("additionalProperties", weight);
  out.set("minProperties", make_number(1));
  out.set("maxProperties", make_number(64));
  return out;
}

json_value emit(const type_def& type, bool in_list) {
  json_value out = make_object();
  switch (type.kind) {
    case type_kind::any:
      return out;
    case type_kind::boolean:
      return typed("boolean", in_list);
    case type_kind::integer:
    case type_kind::number:
      out = typed(type.kind == type_kind::integer ? "integer" : "number", in_list);
      add_range(out, type);
      return out;
    case type_kind::text:
      return typed("string", in_list);
    case type_kind::choice:
      return emit_choice(type, in_list);
    case type_kind::record:
      return emit_record(type, in_list);
    case type_kind::map:
      out = typed("object", in_list);
      out.set("additionalProperties", emit(*type.element, in_list));
      return out;
    case type_kind::list:
      out = typed("array", in_list);
      out.set("items", emit(*type.element, true));
      if (std::isfinite(type.min)) out.set("minItems", make_number(type.min));
      if (std::isfinite(type.max)) out.set("maxItems", make_number(type.max));
      return out;
    case type_kind::sizes:
      return emit_sizes(type, in_list);
  }
  return out;
}

}  // namespace

std::string scenario_json_schema() {
  json_value out = make_object();
  out.set("$schema", make_string("https://json-schema.org/draft/2020-12/schema"));
  out.set("$id", make_string("mdp-scenario-1.schema.json"));
  out.set("title", make_string("MDP scenario, version 1"));
  const json_value body = emit(scenario_type(), false);
  for (const json_member& m : body.members) out.set(m.name, m.value);
  out.set("type", make_string("object"));
  out.erase("pattern");
  // A file says its version itself, or inherits it.
  json_value own = make_object();
  own.set("required", strings({"schema"}));
  json_value inherited = make_object();
  inherited.set("required", strings({"extends"}));
  json_value either = make_array();
  either.items = {own, inherited};
  out.set("anyOf", either);
  return dump(out, 1) + "\n";
}

}  // namespace mdp::scenario
