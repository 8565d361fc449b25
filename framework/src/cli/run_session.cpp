#include "run_session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <stdexcept>

#include "trace_files.hpp"

namespace mdp::cli {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

// The first interrupt ends the measurement in good order, the second ends the process.
extern "C" void on_interrupt(int) {
  if (stop.exchange(true)) ::_exit(exit_interrupted);
}

// Why a simulation that was to run on several threads ran on one; empty: it did not.
std::string one_thread_because(const std::string& result) {
  const scenario::json_value document = scenario::parse_json(result, "result");
  const scenario::json_value* runs = document.find("runs");
  if (runs == nullptr || runs->items.empty()) return {};
  const scenario::json_value* facts = runs->items.front().find("facts");
  const scenario::json_value* why = facts ? facts->find("one_thread_because") : nullptr;
  return why != nullptr ? why->text : std::string();
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() noexcept {
  return stop.load();
}

bool over(const run_session& s) noexcept {
  return interrupted() || !s.write_error.empty();
}

void point_done(run_session& s, const scenario::point_result& result) {
  try {
    write_file_atomically(s.folder / (result.id + ".json"), result.json);
  } catch (const std::runtime_error& e) {
    s.write_error = e.what();
  }
  s.done[result.id] = result.json;
  if (result.status == "failed") {
    ++s.count.failed;
  } else if (result.status == "inconclusive" && !s.trying) {
    ++s.count.inconclusive;
  }
  if (result.status != "failed" && !result.asserts_passed && !s.trying) ++s.count.gates;
  std::string line = fmt::format("point {}: {}", result.id, result.status);
  if (!result.asserts_passed && result.status != "failed") line += ", an assertion failed";
  for (const std::string& reason : result.reasons) line += "; " + reason;
  if (s.arguments.threads > 1 || s.arguments.partitions) {
    const std::string why = one_thread_because(result.json);
    if (!why.empty()) line += "; simulated on one thread: " + why;
  }
  s.progress.keep(line, result.status == "failed" || (!result.asserts_passed && !s.trying));
}

scenario::run_callbacks callbacks_of(run_session& s) {
  scenario::run_callbacks callbacks;
  callbacks.progress = [&s](const std::string& line) { s.progress.line(line); };
  callbacks.stop_requested = [&s] { return over(s); };
  callbacks.worker_command = {"/proc/self/exe", "worker"};
  const unsigned threads = s.arguments.threads;
  callbacks.threads = threads;
  callbacks.partitions = s.arguments.partitions.value_or(threads > 1 ? threads * 2 : 1);
  callbacks.observe = [&s](const scenario::point_spec& p, std::uint32_t run, std::uint64_t seed) {
    return trace_writer(s.folder, s.arguments.trace, p, run, seed);
  };
  return callbacks;
}

// A result from before counts for the exit code as it did then.
void take_over(run_session& s, const std::string& id, const std::string& text) {
  s.done[id] = text;
  const scenario::json_value document = parse_result(text, id);
  const scenario::json_value* asserts = document.find("asserts");
  if (!s.trying && asserts != nullptr &&
      std::any_of(asserts->items.begin(), asserts->items.end(), [](const auto& a) {
        const scenario::json_value* pass = a.find("pass");
        return pass == nullptr || !pass->boolean;
      })) {
    ++s.count.gates;
  }
  s.progress.keep(fmt::format("point {}: kept", id));
}

}  // namespace mdp::cli
