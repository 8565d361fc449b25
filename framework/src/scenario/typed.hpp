// From the checked JSON of one point to typed values, with the checks that concern several keys.
#pragma once
#include "mdp/scenario/json_value.hpp"
#include "mdp/scenario/loader.hpp"
#include "mdp/scenario/spec.hpp"

namespace mdp::scenario {

// `document` passed check(scenario_type()). Throws scenario_error.
[[nodiscard]] point_spec make_point(const json_value& document, const load_context& context);
// From the document without its variables filled in.
[[nodiscard]] compare_spec make_compare(const json_value& document);
[[nodiscard]] search_spec make_search(const json_value& document);
[[nodiscard]] report_spec make_report(const json_value& document);

}  // namespace mdp::scenario
