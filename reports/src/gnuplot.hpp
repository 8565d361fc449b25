// gnuplot as a process of its own, fed by files: no pipe, so it cannot take this process with it
// (SIGPIPE), and its exit status is seen.
#pragma once
#include <filesystem>
#include <string>

namespace mdp::reports {

// Runs the script in its folder; `format` is svg, png or dumb (characters). Empty, or the first
// line of what went wrong.
[[nodiscard]] std::string run_gnuplot(const std::filesystem::path& script,
                                      const std::string& format);

}  // namespace mdp::reports
