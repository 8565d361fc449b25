// init and doctor: a first scenario, and what this machine lacks to measure well.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "commands.hpp"
#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/reports/reports.hpp"
#include "output.hpp"
#include "scenario/host_info.hpp"

namespace mdp::cli {
namespace {

constexpr const char* starter =
    R"(// A scenario: who sends what to whom, how fast, for how long, and what must hold.
//   mdp validate FILE     mdp run FILE     mdp run FILE --set vars.size=1200
{
  "schema": "mdp-scenario/1",
  "name": "first",
  "description": "How fast does a request come back over loopback, and does every one?",

  // ${name} below stands for one of these. What is swept makes a point for each value.
  "vars": { "transport": "socket", "size": 64 },
  "sweep": { "size": [64, 1200] },

  // See `mdp list transports`. With "netsim" a section "network" describes a simulated network.
  "transports": { "default": { "plugin": "${transport}" } },
  "peers": { "client": { "count": 1 }, "server": { "count": 1 } },

  "flows": [ {
    "from": "client", "to": "server",
    "pattern": "request_response",        // or "stream", "bidirectional_stream"
    "size_bytes": "${size}",              // or a distribution: { "64": 0.9, "1200": 0.1 }
    // open: sends by the clock, whatever happens; closed: keeps "in_flight" messages outstanding.
    "load": { "mode": "open", "arrivals": "poisson", "rate_per_s": 5000 }
  } ],

  // Runs are the sample: comparisons need 7 repetitions or more.
  "run": { "warmup_s": 0.5, "measure_s": 2, "drain_s": 1, "repetitions": 3 },

  // Exit code 1 when one does not hold.
  "assert": [
    { "expect": "messages.delivered_ratio == 1" },
    { "expect": "messages.duplicated == 0" }
  ]
}
)";

struct examination {
  std::size_t faults = 0;
  void fine(const std::string& what) { fmt::print("ok    {}\n", what); }
  // What is slower or shorter without the remedy, but works.
  void mend(const std::string& what, const std::string& remedy) {
    ++faults;
    fmt::print("mend  {}; {}\n", what, remedy);
  }
};

// What a usable transport does without here, by the facts that a run would record.
void examine_shortfalls(examination& e, const std::string& name) {
  const auto fabric = plugin::create_fabric(name);
  for (const auto& [fact, text] : fabric->facts()) {
    if (fact.ends_with("_missing") || fact.ends_with("_capped"))
      e.mend(fmt::format("transport {}: {}", name, fact), text);
  }
}

std::size_t examine_transports(examination& e) {
  std::size_t usable = 0;
  for (const plugin::plugin_info& p : plugin::list_plugins()) {
    if (p.unavailable.empty()) {
      ++usable;
      e.fine(fmt::format("transport {}: {}", p.name, p.summary));
      examine_shortfalls(e, p.name);
    } else {
      e.mend(fmt::format("transport {} cannot be used", p.name), p.unavailable);
    }
  }
  return usable;
}

void examine_host(examination& e) {
  const scenario::host_facts host = scenario::read_host_facts();
  if (host.cores < 2) {
    e.mend("1 processor: sender and receiver share it", "use a machine with 2 or more");
  } else {
    e.fine(fmt::format("{} processors: {}", host.cores, host.cpu));
  }
  if (host.governor && *host.governor != "performance") {
    e.mend(fmt::format("the cpu governor is {}: speeds change while measuring", *host.governor),
           "cpupower frequency-set -g performance");
  }
  constexpr double buffer_bytes = 4 << 20;
  for (const char* key : {"net/core/rmem_max", "net/core/wmem_max"}) {
    const auto found = host.sysctls.find(key);
    if (found == host.sysctls.end() || !found->second) continue;
    if (*found->second >= buffer_bytes) {
      e.fine(fmt::format("{} = {:.0f}", key, *found->second));
    } else {
      e.mend(fmt::format("{} = {:.0f}: bursts overflow the socket's buffer", key, *found->second),
             fmt::format("sysctl -w {}={:.0f}", key, buffer_bytes));
    }
  }
  if (host.load && *host.load > 0.5 * host.cores) {
    e.mend(fmt::format("the load is {:.1f}: other work disturbs the measurement", *host.load),
           "wait for it to end");
  }
}

}  // namespace

int init(const std::string& file) {
  namespace fs = std::filesystem;
  if (file == "-") {
    fmt::print("{}", starter);
    return exit_pass;
  }
  std::error_code error;
  if (fs::exists(file, error)) {
    throw std::runtime_error(fmt::format("{}: exists already; give another name", file));
  }
  write_file_atomically(file, starter);
  say(fmt::format("{} written; try `mdp run {}`\n", file, file));
  return exit_pass;
}

int doctor() {
  examination e;
  const std::size_t usable = examine_transports(e);
  examine_host(e);
  const std::string plots = reports::gnuplot_problem();
  if (plots.empty()) {
    e.fine("gnuplot: reports have plots");
  } else {
    e.mend("reports have no plots", plots);
  }
  if (usable == 0) throw std::runtime_error("no transport can be used; see `mdp list transports`");
  fmt::print("{}\n", e.faults == 0 ? "nothing to mend"
                                   : fmt::format("{} to mend; none of them stops a run", e.faults));
  return exit_pass;
}

}  // namespace mdp::cli
