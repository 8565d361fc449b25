// What machine a result was measured on. A fact that cannot be had is left out (null in the
// result).
#pragma once
#include <map>
#include <optional>
#include <string>

namespace mdp::scenario {

struct host_facts {
  std::string cpu;
  unsigned cores = 0;
  std::optional<std::string> hypervisor;
  std::string kernel;
  std::optional<std::string> governor;
  std::optional<std::string> clocksource;
  std::optional<double> load;
  std::map<std::string, std::optional<double>> sysctls;
};
[[nodiscard]] host_facts read_host_facts();

// Share of time that the hypervisor took from this machine since `before` (the /proc/stat
// counters).
struct cpu_ticks {
  double all = 0;
  double stolen = 0;
};
[[nodiscard]] std::optional<cpu_ticks> read_cpu_ticks();

}  // namespace mdp::scenario
