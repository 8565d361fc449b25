// Runs the points of a scenario and writes their results as mdp-result/1 documents.
// Everything happens inside run_points(), on threads and in processes that end before it returns.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mdp/scenario/spec.hpp"
#include "mdp/transport/transport.hpp"

namespace mdp::scenario {

// Watches the packets of one repetition in a simulator.
class run_observer : public transport::packet_observer {
 public:
  // The repetition is over and was complete; `facts` are the simulator's. What it throws
  // (std::exception) is the repetition's error.
  virtual void on_end(const transport::fabric_facts& facts) = 0;
};

struct run_callbacks {
  std::function<void(const std::string& line)> progress;
  std::function<bool()> stop_requested;  // polled; true ends the current repetition early
  std::vector<std::string> plugin_directories;
  // Program and arguments of a process that calls serve_worker(0, ...) (mdp/scenario/worker.hpp);
  // empty: points that ask for several processes fail. They are killed with the thread that calls
  // run_points().
  std::vector<std::string> worker_command;
  // A simulation may run on so many threads, cut into so many partitions. Results stay the same.
  unsigned threads = 1;
  std::uint32_t partitions = 1;
  // Asked before each repetition, which may go on without (null). May throw.
  std::function<std::unique_ptr<run_observer>(const point_spec& point, std::uint32_t repetition,
                                              std::uint64_t seed)>
      observe;
};

struct point_result {
  std::string id;
  std::string json;                  // mdp-result/1
  std::string status;                // ok | failed | inconclusive
  std::vector<std::string> reasons;  // one sentence each
  bool asserts_passed = true;
};

// This build as results name it (member "build"), JSON text: results of equal points and equal
// builds may stand for each other.
[[nodiscard]] std::string build_text();

// Repetitions of all points in the order that run.order asks for; a point is reported as soon as
// its last repetition is over. Never throws for what happens in a run: that is the point's status.
std::vector<point_result> run_points(const scenario_spec& scenario, const run_callbacks& callbacks,
                                     const std::function<void(const point_result&)>& on_point_done);

}  // namespace mdp::scenario
