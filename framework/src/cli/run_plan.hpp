// What `mdp run` settles before anything runs: what the points are, whether they can run, where
// their results go and which lie there already.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "commands.hpp"

namespace mdp::cli {

// "quickstart: 4 points, about 34 s"
[[nodiscard]] std::string headline(const scenario::scenario_spec& spec);
// Only lists the points, on stdout; the exit code.
[[nodiscard]] int dry_run(const std::vector<scenario::scenario_spec>& specs);

// Refuses a run of which no point could be measured. One transport that this machine lacks is no
// reason to give up the others: its points fail, the rest is measured. Throws scenario_error.
void require_usable_plugin(const std::vector<scenario::scenario_spec>& specs);
// Only a simulation has packets to trace, and time to share among threads. Throws scenario_error.
void require_simulation(const std::vector<scenario::scenario_spec>& specs,
                        const run_arguments& arguments);

[[nodiscard]] std::string default_folder(const std::vector<scenario::scenario_spec>& specs);
// What lies in the output folder from before: results of other points would get into the same
// report, so they are refused (std::runtime_error) unless the caller wants them gone. With
// `resume`, the results that need not be measured again: point id -> text.
[[nodiscard]] std::map<std::string, std::string> earlier_results(
    const std::filesystem::path& folder, const std::vector<scenario::scenario_spec>& specs,
    const run_arguments& arguments);

}  // namespace mdp::cli
