// Which packets a simulated network dropped, as people and tests compare them: drops.txt.
#pragma once
#include <string>
#include <vector>

namespace mdp::cli {

// For each simulated run of these results (mdp-result/1) one section: a line that names scenario,
// point, run and seed, then per link that dropped something its name, how many, and the numbers of
// the first 1,000 of them, counted from 0 in the order in which packets were offered to that link.
// Lines have at most 100 columns. Empty when nothing was simulated. The same scenario, seed and
// version give the same text on every machine. Throws std::runtime_error for a result that cannot
// be read.
[[nodiscard]] std::string drops_text(const std::vector<std::string>& result_texts);

// One link's part of it: `total` dropped, the first of them `numbers`, "12,92,181".
[[nodiscard]] std::string link_drops_text(const std::string& link, const std::string& total,
                                          const std::string& numbers);

}  // namespace mdp::cli
