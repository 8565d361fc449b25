// What one `mdp run` carries from point to point: arguments, results so far, what they said.
// One thread.
#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "commands.hpp"
#include "mdp/scenario/runner.hpp"
#include "output.hpp"
#include "search_result.hpp"

namespace mdp::cli {

// From here on an interrupt (SIGINT, SIGTERM) ends the measurement in good order, and the second
// one the process.
void catch_interrupts();
[[nodiscard]] bool interrupted() noexcept;

// What the points said, in one number: a failed run outweighs a failed gate.
struct tally {
  std::size_t failed = 0;
  std::size_t gates = 0;
  std::size_t inconclusive = 0;
  [[nodiscard]] int code() const noexcept {
    if (failed > 0) return exit_run_failed;
    if (gates > 0) return exit_gate_failed;
    return inconclusive > 0 ? exit_inconclusive : exit_pass;
  }
};

struct run_session {
  explicit run_session(const run_arguments& a) : arguments(a), progress(a.quiet) {}
  const run_arguments& arguments;
  progress_printer progress;
  std::filesystem::path folder;
  std::map<std::string, std::string> kept;  // from an earlier run: point id -> result
  std::map<std::string, std::string> done;  // of the scenario that runs: point id -> result
  std::vector<std::string> texts;           // all results, in the order of the scenarios' points
  tally count;
  std::string write_error;
  std::vector<search_outcome> found;  // by searches
  bool trying = false;  // a search: a point whose assertions fail is an answer, not a failed gate
};

// Nothing more is to be measured.
[[nodiscard]] bool over(const run_session& s) noexcept;

// How the points of this run are run; refers to `s`.
[[nodiscard]] scenario::run_callbacks callbacks_of(run_session& s);
// Writes a result that was just measured, and counts it.
void point_done(run_session& s, const scenario::point_result& result);
// A result from before counts for the exit code as it did then.
void take_over(run_session& s, const std::string& id, const std::string& text);

}  // namespace mdp::cli
