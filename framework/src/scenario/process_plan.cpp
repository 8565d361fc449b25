#include "process_plan.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>

namespace mdp::scenario {
namespace {

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set)) cpus.push_back(static_cast<int>(cpu));
  return cpus;
}

// The name of the process that the groups without one of their own share; empty: there is none.
std::string common_name(const point_spec& point) {
  std::string name;
  for (const peer_group& g : point.peers)
    if (g.processes == 0) name += (name.empty() ? "" : "+") + g.name;
  return name;
}

}  // namespace

std::vector<share> process_plan::of_process(std::size_t number) const {
  std::vector<share> mine;
  std::copy_if(shares.begin(), shares.end(), std::back_inserter(mine),
               [&](const share& s) { return s.process == number; });
  return mine;
}

bool has_processes(const point_spec& point) noexcept {
  return std::any_of(point.peers.begin(), point.peers.end(),
                     [](const peer_group& g) { return g.processes > 0; });
}

process_plan plan_processes(const point_spec& point) {
  process_plan plan;
  if (const std::string common = common_name(point); !common.empty()) plan.names.push_back(common);
  const std::vector<int> cpus = allowed_cpus();
  // With a thread of its own the node needs the scheduler's freedom.
  const bool pins = point.run.cpus == "auto" && !cpus.empty() &&
                    point.protocol.threads.layout == thread_layout::inline_;
  for (std::size_t g = 0; g < point.peers.size(); ++g) {
    const peer_group& group = point.peers[g];
    const std::uint32_t parts = std::max<std::uint32_t>(group.processes, 1);
    std::uint32_t first = 0;
    for (std::uint32_t part = 0; part < parts; ++part) {
      share s{g, first, group.count / parts + (part < group.count % parts ? 1 : 0), 0, group.cpus};
      first += s.count;
      if (s.cpus.empty() && pins) s.cpus = {cpus[plan.shares.size() % cpus.size()]};
      if (group.processes > 0) {
        s.process = plan.names.size();
        plan.names.push_back(parts == 1 ? group.name : fmt::format("{}/{}", group.name, part));
      }
      plan.shares.push_back(std::move(s));
    }
  }
  return plan;
}

}  // namespace mdp::scenario
