// The page: one self-contained HTML file, no script, readable by people and by print.
#pragma once
#include <string>
#include <vector>

#include "document.hpp"
#include "plots.hpp"

namespace mdp::reports {

struct page_input {
  std::string title;
  std::vector<double> percentiles;
  std::vector<std::string> warnings;
};

[[nodiscard]] std::string html_page(const std::vector<result_document>& results,
                                    const std::vector<plot>& plots, const page_input& input);
[[nodiscard]] std::string html_escaped(const std::string& text);

}  // namespace mdp::reports
