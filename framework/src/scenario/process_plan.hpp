// Which process and which thread of it runs which peers: the same for everybody who asks, so that
// the processes of a run need only be told their number.
#pragma once
#include <string>
#include <vector>

#include "mdp/scenario/spec.hpp"

namespace mdp::scenario {

// Peers of one group that one thread runs.
struct share {
  std::size_t group = 0;    // of point_spec::peers
  std::uint32_t first = 0;  // peers first .. first + count - 1
  std::uint32_t count = 0;
  std::size_t process = 0;
  std::vector<int> cpus;  // empty: not pinned
};

struct process_plan {
  std::vector<std::string> names;  // of the processes: "client", "server/1", "client+server"
  std::vector<share> shares;       // each group's in the order of its peers
  [[nodiscard]] std::vector<share> of_process(std::size_t number) const;
};

// True when a group has processes of its own: then none runs in the process that asks for the run.
[[nodiscard]] bool has_processes(const point_spec& point) noexcept;
// Groups without processes of their own share one. Pins to the CPUs that this process may use.
[[nodiscard]] process_plan plan_processes(const point_spec& point);

}  // namespace mdp::scenario
