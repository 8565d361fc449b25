// The files that `mdp run --trace` writes beside a result: <point id>.run<k>.<kind>.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "mdp/scenario/runner.hpp"

namespace mdp::cli {

// events: every event of the run, for `mdp replay`; checkpoints: only a fingerprint of every link
// and node each millisecond; pcapng: the packets themselves, their fates as comments.
inline const std::vector<std::string> trace_kinds{"events", "checkpoints", "pcapng"};

// "0123456789ab.run0.events" in `folder`. Both kinds of logs have this name.
[[nodiscard]] std::filesystem::path event_log_file(const std::filesystem::path& folder,
                                                   const std::string& point_id,
                                                   std::uint64_t repetition);

// An observer that writes the files of these kinds; null when there are none, or when the point
// runs on a transport that is no simulator. Throws std::runtime_error for what cannot be written.
[[nodiscard]] std::unique_ptr<scenario::run_observer> trace_writer(
    const std::filesystem::path& folder, const std::vector<std::string>& kinds,
    const scenario::point_spec& point, std::uint32_t repetition, std::uint64_t seed);

// Removes the traces of a point that will be run anew.
void remove_traces(const std::filesystem::path& folder, const std::string& point_id);

}  // namespace mdp::cli
