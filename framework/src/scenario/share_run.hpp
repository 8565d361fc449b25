// The peers that one process of a run has, on a thread for each share of them, and what they need
// of the other processes.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "agent.hpp"
#include "gate.hpp"
#include "process_plan.hpp"

namespace mdp::scenario {

// Of every peer of each group, in the order of point_spec::peers.
using group_addresses = std::vector<std::pair<std::string, std::vector<endpoint_address>>>;

// How far a process has come with all of its peers.
enum class stage : std::uint8_t { none, connected, done };

// The other processes of a run. Called on the threads of the shares; what throws std::exception is
// the run's error.
class other_processes {
 public:
  virtual ~other_processes() = default;
  // This process's peers have their addresses; fills in those of all others. Waits.
  virtual void exchange(group_addresses& addresses) = 0;
  // This process has come so far. Called once for each stage.
  virtual void reached(stage s) = 0;
  // So have all. A look, without waiting.
  [[nodiscard]] virtual bool all_reached(stage s) const noexcept = 0;
  // When to begin, the same for all; known as soon as all are connected.
  [[nodiscard]] virtual time_point start(time_point now) = 0;
};

// There are none.
class no_other_process final : public other_processes {
 public:
  void exchange(group_addresses&) override {}
  void reached(stage s) override { reached_ = s; }
  [[nodiscard]] bool all_reached(stage s) const noexcept override { return reached_ >= s; }
  [[nodiscard]] time_point start(time_point now) override {
    return now + std::chrono::milliseconds(2);
  }

 private:
  std::atomic<stage> reached_{stage::none};
};

class share_run;

// All shares of this process. The peers live as long as this object: until then they answer.
class process_run {
 public:
  process_run(const point_spec& point, std::uint64_t seed, std::vector<share> shares,
              transport::fabric& fabric, other_processes& others,
              std::function<bool()> stop_requested);
  ~process_run();
  // Connects, measures and adds what was measured. Throws std::runtime_error.
  void execute(run_record& record);

 private:
  friend class share_run;
  struct usage {
    double cpu_us = 0;
    double switches = 0;
  };
  const point_spec& point_;
  std::uint64_t seed_;
  std::vector<share> shares_;
  transport::fabric& fabric_;
  other_processes& others_;
  std::function<bool()> stop_requested_;
  gate phase_;
  group_addresses addresses_;
  std::atomic<std::int64_t> start_ns_{0};
  std::atomic<std::size_t> finished_{0};  // shares that are connected, and then that are done
  std::vector<usage> used_;
  std::chrono::steady_clock::time_point limit_;
  std::vector<std::unique_ptr<share_run>> runs_;
};

}  // namespace mdp::scenario
