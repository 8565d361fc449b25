// What the makers of typed values share: reading one key or its preset, and the parts of a point
// that have a file of their own. The document has passed the schema's check, so that kinds are
// right.
#pragma once
#include <string>
#include <vector>

#include "mdp/scenario/json_value.hpp"
#include "mdp/scenario/spec.hpp"

namespace mdp::scenario {

// The key's value; `preset` without the key, or without its section (`parent` is nullptr).
[[nodiscard]] inline std::string text_of(const json_value* parent, const char* key,
                                         const std::string& preset) {
  const json_value* v = parent == nullptr ? nullptr : parent->find(key);
  return v == nullptr ? preset : v->text;
}

[[nodiscard]] inline double number_of(const json_value* parent, const char* key, double preset) {
  const json_value* v = parent == nullptr ? nullptr : parent->find(key);
  return v == nullptr ? preset : v->number;
}

[[nodiscard]] inline std::uint32_t count_of(const json_value* parent, const char* key,
                                            std::uint32_t preset) {
  return static_cast<std::uint32_t>(number_of(parent, key, preset));
}

[[nodiscard]] inline bool flag_of(const json_value* parent, const char* key, bool preset) {
  const json_value* v = parent == nullptr ? nullptr : parent->find(key);
  return v == nullptr ? preset : v->boolean;
}

[[nodiscard]] inline std::vector<std::string> names_of(const json_value& object) {
  std::vector<std::string> names;
  for (const json_member& m : object.members) names.push_back(m.name);
  return names;
}

// One of `flows`, which stands at `pointer`. Throws scenario_error.
[[nodiscard]] flow_spec make_flow(const json_value& flow, const std::string& pointer,
                                  const std::vector<peer_group>& peers);
// One of `assert`; its `where` names variables of `vars` (may be nullptr). Throws scenario_error.
[[nodiscard]] assert_spec make_assert(const json_value& in, const std::string& pointer,
                                      const json_value* vars);

}  // namespace mdp::scenario
