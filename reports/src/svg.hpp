// A plot's SVG made fit to stand inside a page with others.
#pragma once
#include <string>

namespace mdp::reports {

// Every id gets `prefix` (ids repeat between gnuplot's files), the background goes and the ink
// follows the page's colour (light or dark). `label` is for screen readers. Empty when `svg` is no
// SVG.
[[nodiscard]] std::string inline_svg(const std::string& svg, const std::string& prefix,
                                     const std::string& label);
[[nodiscard]] std::string html_escaped(const std::string& text);

}  // namespace mdp::reports
