// The page: one self-contained HTML file, no script, readable by people and by print.
#pragma once
#include <string>
#include <vector>

#include "document.hpp"
#include "mdp/reports/reports.hpp"
#include "plots.hpp"

namespace mdp::reports {

struct page_input {
  std::string title;
  std::vector<double> percentiles;
  std::vector<std::string> warnings;
  std::vector<judged_comparison> comparisons{};
  std::string comparison_note{};
};

[[nodiscard]] std::string html_page(const std::vector<result_document>& results,
                                    const std::vector<result_group>& groups,
                                    const std::vector<plot>& plots, const page_input& input);

}  // namespace mdp::reports
