// The program that run_callbacks::worker_command names: one process of a run in several.
#pragma once
#include "mdp/scenario/loader.hpp"

namespace mdp::scenario {

// Exit codes beside 0.
inline constexpr int worker_failed = 3;     // it has said why
inline constexpr int worker_abandoned = 4;  // whoever started it is gone

// Runs the part of a repetition that the stream socket `socket` asks for, and ends when the other
// end closes, which must be the process that started this one. `options.context` checks the part as
// it checks a file. Throws std::system_error when `socket` is no socket.
[[nodiscard]] int serve_worker(int socket, const load_options& options);

}  // namespace mdp::scenario
