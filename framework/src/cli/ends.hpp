// What became of the messages of a run, where that is more than "all were delivered".
#pragma once
#include <string>
#include <vector>

namespace mdp::cli {

// For each run of these results (mdp-result/1) in which a message was not completed, a peer was
// reported down or a process ended: a line that names scenario, point and run, and one that counts
// the ends of its messages, the reports and the processes. Empty when there is none. Throws
// std::runtime_error for a result that cannot be read.
[[nodiscard]] std::string ends_text(const std::vector<std::string>& result_texts);

}  // namespace mdp::cli
