// gnuplot as a process of its own, fed by files: no pipe, so it cannot take this process with it
// (SIGPIPE), and its exit status is seen.
#pragma once
#include <filesystem>
#include <string>

namespace mdp::reports {

// gnuplot is found on PATH and runs.
[[nodiscard]] bool gnuplot_works();
// Runs the script in its folder; `format` is svg or png. Empty, or the first line of what went
// wrong.
[[nodiscard]] std::string run_gnuplot(const std::filesystem::path& script,
                                      const std::string& format);

}  // namespace mdp::reports
