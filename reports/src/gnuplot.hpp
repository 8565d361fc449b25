// gnuplot as a process of its own, fed by files: no pipe, so it cannot take this process with it
// (SIGPIPE), and its exit status is seen.
#pragma once
#include <filesystem>
#include <string>

namespace mdp::reports {

// Empty when gnuplot is found on PATH and runs; else what is the matter and the remedy: one that is
// missing is told from one that is there and fails.
[[nodiscard]] std::string gnuplot_problem();
// Runs the script in its folder; `format` is svg or png. Empty, or the first line of what went
// wrong.
[[nodiscard]] std::string run_gnuplot(const std::filesystem::path& script,
                                      const std::string& format);

}  // namespace mdp::reports
