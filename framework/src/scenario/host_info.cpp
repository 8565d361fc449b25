#include "host_info.hpp"

#include <sys/utsname.h>

#include <fstream>
#include <sstream>
#include <thread>

namespace mdp::scenario {
namespace {

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line.empty()) return std::nullopt;
  return line;
}

std::optional<std::string> cpuinfo(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || !line.starts_with(key)) continue;
    return colon + 2 <= line.size() ? line.substr(colon + 2) : std::string();
  }
  return std::nullopt;
}

std::optional<double> number(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::istringstream in(*text);
  double value = 0;
  if (!(in >> value)) return std::nullopt;
  return value;
}

}  // namespace

host_facts read_host_facts() {
  host_facts h;
  h.cpu = cpuinfo("model name").value_or("unknown");
  h.cores = std::thread::hardware_concurrency();
  if (const auto flags = cpuinfo("flags"); flags && flags->find(" hypervisor") != std::string::npos)
    h.hypervisor = first_line("/sys/hypervisor/type").value_or("yes");
  utsname name{};
  if (uname(&name) == 0) h.kernel = name.release;
  h.governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  h.clocksource = first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  h.load = number(first_line("/proc/loadavg"));
  for (const char* key : {"net/core/rmem_max", "net/core/wmem_max", "net/core/rmem_default"})
    h.sysctls[key] = number(first_line(std::string("/proc/sys/") + key));
  return h;
}

std::optional<cpu_ticks> read_cpu_ticks() {
  const auto line = first_line("/proc/stat");
  if (!line) return std::nullopt;
  std::istringstream in(*line);
  std::string label;
  in >> label;
  cpu_ticks ticks;
  double value = 0;
  for (int column = 0; column < 8 && in >> value; ++column) {
    ticks.all += value;
    if (column == 7) ticks.stolen = value;
  }
  return ticks;
}

}  // namespace mdp::scenario
