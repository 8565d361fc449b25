// The sub-commands of `mdp`. Each writes the document asked for to stdout, everything else to
// stderr, and returns the process's exit code. Errors of set-up are exceptions, caught once in
// main().
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mdp/scenario/loader.hpp"

namespace mdp::cli {

enum exit_code : int {
  exit_pass = 0,
  exit_gate_failed = 1,
  exit_usage = 2,
  exit_run_failed = 3,
  exit_inconclusive = 4,
  exit_interrupted = 130,
};

struct load_arguments {
  std::vector<std::string> set;
  std::vector<std::string> transports;
  std::optional<std::uint64_t> seed;
};

struct run_arguments {
  std::vector<std::string> files;
  load_arguments load;
  std::string format = "text";  // one of document_formats
  std::string output_dir;       // empty: results/<scenario>-<time>
  bool resume = false;          // points measured before by this build are not run again
  bool replace = false;         // results of other points in output_dir are removed
  bool dry_run = false;
  bool report = true;
  bool quiet = false;
  unsigned threads = 1;                     // of a simulation
  std::optional<std::uint32_t> partitions;  // of a simulated network
  std::vector<std::string> trace;           // of trace_kinds
};

struct replay_arguments {
  std::vector<std::string> paths;
  std::optional<std::uint64_t> run;  // only this repetition
  std::vector<std::string> fates;    // "client-0/up#17=drop"
};

struct relay_arguments {
  std::string file;
  load_arguments load;
  std::string listen = "127.0.0.1:0";
  std::string target;
  double seconds = 0;     // 0: until interrupted
  double late_us = 5000;  // exit code 1 when the p99.9 of the lateness is above
};

struct minimise_arguments {
  std::string path;
  std::optional<std::uint64_t> run;
  std::string output;  // empty: beside the result
};

struct compare_arguments {
  std::vector<std::string> paths;  // one: its own values; two: baseline, candidate
  std::string var;                 // empty: as the scenario says
  std::string baseline;
  std::optional<double> min_effect_pct;
  bool gate = false;  // the exit code says what the comparison found
};

struct report_arguments {
  std::vector<std::string> paths;
  std::string output_dir;  // empty: the first directory
  std::string title;
  std::string format = "text";  // one of document_formats
  bool console = false;         // also draw plots with characters
};

struct list_arguments {
  std::string what;             // transports | scenarios | protocols | schema | config
  std::string directory;        // scenarios: where; empty: the usual places
  std::string format = "text";  // text | markdown
};

[[nodiscard]] int run(const run_arguments& arguments);
// A process of a run in several; standard input is a socket to the process that started it.
[[nodiscard]] int worker();
// A simulated network in real time between UDP ports, until interrupted.
[[nodiscard]] int relay(const relay_arguments& arguments);
// Of what harmed packets in a run that fails, the least that makes it fail. Throws when it does
// not.
[[nodiscard]] int minimise(const minimise_arguments& arguments);
// Prints an event log as CSV.
[[nodiscard]] int print_events(const std::string& file);
// Exit code 1: a run came out otherwise than recorded.
[[nodiscard]] int replay(const replay_arguments& arguments);
[[nodiscard]] int compare(const compare_arguments& arguments);
[[nodiscard]] int report(const report_arguments& arguments);
[[nodiscard]] int list(const list_arguments& arguments);
[[nodiscard]] int validate(const std::vector<std::string>& files, const load_arguments& load);
// Writes a commented scenario to begin with; "-": to stdout. Throws when the file exists.
[[nodiscard]] int init(const std::string& file);
// What this machine can and cannot do, and the remedy. Throws when no transport can be used.
[[nodiscard]] int doctor();
[[nodiscard]] int expand(const std::string& file, const load_arguments& load);

// What the plugins and protocols of this program tell the loader.
[[nodiscard]] scenario::load_context program_context();
[[nodiscard]] scenario::load_options make_load_options(const load_arguments& arguments);

// Real time that the scenario takes at least, seconds; simulated points count nothing.
[[nodiscard]] double estimated_seconds(const scenario::scenario_spec& spec);

}  // namespace mdp::cli
