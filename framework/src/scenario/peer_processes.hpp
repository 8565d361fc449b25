// The peers of a run in virtual time: their processes, of which some end and others begin in their
// place, as the simulation's plan says. One thread.
#pragma once
#include <memory>
#include <vector>

#include "agent.hpp"

namespace mdp::scenario {

class peer_processes {
 public:
  // Opens every peer, then lets each connect. Throws as agents do.
  peer_processes(const point_spec& point, std::uint64_t seed, transport::fabric& fabric);

  [[nodiscard]] std::size_t size() const noexcept { return peers_.size(); }
  // Null: its process has ended. Peers are numbered as the fabric's endpoints.
  [[nodiscard]] agent* at(std::size_t peer) noexcept { return peers_[peer].process.get(); }
  // The clock of the first that runs; throws when none does.
  [[nodiscard]] time_point now();
  template <class Act>
  void each(Act&& act) {
    for (seat& p : peers_)
      if (p.process) act(*p.process);
  }

  // When a process ends or begins next; `never`: none does.
  [[nodiscard]] time_point next_change() const noexcept {
    return changed_ < plan_.size() ? plan_[changed_].at : never;
  }
  // Carries out what is due at next_change(); what those that end have measured goes into the
  // record. Returns the peers whose processes begin: they have not had a turn. Throws as agents do.
  std::vector<std::size_t> change(run_record& record);

  void begin(const workload::phases& p);
  void snapshot(bool at_end) noexcept;
  void finish(run_record& record) noexcept;

 private:
  struct seat {
    const peer_group* group = nullptr;
    std::uint32_t index = 0;  // in its group
    std::uint64_t seed = 0;
    std::unique_ptr<agent> process;
    earlier_processes before{};
  };
  void open(seat& p);

  const point_spec& point_;
  transport::fabric& fabric_;
  std::vector<seat> peers_;
  std::vector<std::pair<std::string, std::vector<endpoint_address>>> addresses_;  // by group
  std::vector<transport::process_change> plan_;
  std::size_t changed_ = 0;  // of the plan
  workload::phases phases_;
  bool begun_ = false;
  bool measuring_ = false;
};

}  // namespace mdp::scenario
