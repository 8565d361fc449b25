// A run in several processes of this machine: starts them, tells each its part, brings them from
// stage to stage together, adds up what they measured. All read one clock (CLOCK_MONOTONIC).
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "process_plan.hpp"
#include "record_text.hpp"
#include "repetition.hpp"
#include "worker_process.hpp"

namespace mdp::scenario {
namespace {

using json = nlohmann::json;
using steady = std::chrono::steady_clock;

// Each stage is over within its time, or the run fails: a process that hangs does not stop us.
constexpr double start_s = 30;    // a program and its plugins are loaded, ports are bound
constexpr double connect_s = 40;  // more than a process gives itself
constexpr double answer_s = 10;   // what needs no more than an answer
constexpr int look_ms = 50;       // at Ctrl-C and at the time
// Enough for every process to hear when it begins.
constexpr std::chrono::milliseconds start_delay{20};

class coordinator {
 public:
  coordinator(const point_spec& point, const process_plan& plan, const run_callbacks& callbacks)
      : point_(point), callbacks_(callbacks), answers_(plan.names.size()) {
    for (const std::string& name : plan.names)
      processes_.emplace_back(name, callbacks.worker_command);
  }

  void begin(std::uint64_t seed) {
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      processes_[i].tell(json{{"process", i},
                              {"seed", seed},
                              {"config", point_.config_json},
                              {"plugin_directories", callbacks_.plugin_directories}}
                             .dump());
    }
  }

  // Peers know each other's addresses, and are connected.
  void connect() {
    collect("bound", start_s);
    json all = answers_[0].at("addresses");
    for (const json& answer : answers_) {
      for (std::size_t g = 0; g < all.size(); ++g)
        for (std::size_t i = 0; i < all[g].size(); ++i)
          if (answer.at("addresses").at(g).at(i) != "none")
            all[g][i] = answer.at("addresses").at(g).at(i);
    }
    tell_all({{"kind", "addresses"}, {"addresses", all}});
    collect("connected", connect_s);
  }

  void measure(run_record& record) {
    const auto start = steady::now().time_since_epoch() + start_delay;
    const auto start_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(start).count();
    tell_all({{"kind", "start"}, {"start_ns", start_ns}});
    collect("done", point_.run.warmup_s + point_.run.measure_s + point_.run.drain_s + answer_s);
    tell_all({{"kind", "stop"}});
    collect("result", answer_s);
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      run_record part = read_record(answers_[i].at("record").get<std::string>());
      part.processes = {{processes_[i].name(), part.cpu_us, part.context_switches}};
      add_record(record, part);
    }
  }

  // Peers go when all have measured: who goes first would look dead to the others.
  void end() {
    for (worker_process& p : processes_)
      if (!p.leave(answer_s))
        throw std::runtime_error(fmt::format("process '{}' does not end", p.name()));
  }

 private:
  void tell_all(const json& message) {
    const std::string text = message.dump();
    for (worker_process& p : processes_) p.tell(text);
  }

  // One answer of this kind from each process.
  void collect(const std::string& kind, double within_s) {
    const auto until = steady::now() + std::chrono::duration<double>(within_s);
    std::vector<bool> has(processes_.size());
    while (std::find(has.begin(), has.end(), false) != has.end()) {
      wait();
      for (std::size_t i = 0; i < processes_.size(); ++i) has[i] = hear(i, kind) || has[i];
      if (callbacks_.stop_requested && callbacks_.stop_requested())
        throw std::runtime_error("interrupted");
      const bool limit = steady::now() > limit_;
      if (!limit && steady::now() <= until) continue;
      const auto late =
          static_cast<std::size_t>(std::find(has.begin(), has.end(), false) - has.begin());
      throw std::runtime_error(blame(
          late,
          limit ? fmt::format(" still runs after /run/time_limit_s, {} s", point_.run.time_limit_s)
                : fmt::format(" has not said \"{}\" within {} s", kind, within_s)));
    }
  }

  void wait() {
    std::vector<pollfd> sockets;
    for (const worker_process& p : processes_) sockets.push_back({p.socket(), POLLIN, 0});
    ::poll(sockets.data(), sockets.size(), look_ms);
  }

  // True when this process has given its answer.
  bool hear(std::size_t i, const std::string& kind) {
    worker_process& p = processes_[i];
    const bool open = p.read();
    if (const auto text = p.next()) {
      answers_[i] = json::parse(*text, nullptr, false);
      if (!answers_[i].is_object() || !answers_[i].contains("kind"))
        throw std::runtime_error(blame(i, " says what is no message"));
      const std::string is = answers_[i]["kind"].get<std::string>();
      if (is == kind) return true;
      const std::string why = is == "error" ? answers_[i].at("why").get<std::string>()
                                            : fmt::format("said \"{}\", not \"{}\"", is, kind);
      // What it complains of may be another that dies: that shows a little later.
      std::this_thread::sleep_for(std::chrono::milliseconds(look_ms));
      throw std::runtime_error(blame(i, ": " + why));
    }
    if (open) return false;
    // It closes its end a little before it can be waited for.
    const auto until = steady::now() + std::chrono::seconds(1);
    while (p.condition().empty() && steady::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    throw std::runtime_error(blame(i, " has closed its connection"));
  }

  // What is wrong with this process, and which others do not run: a lost peer may be theirs.
  [[nodiscard]] std::string blame(std::size_t which, const std::string& what) const {
    std::string text = fmt::format("process '{}'{}", processes_[which].name(), what);
    if (const std::string how = processes_[which].condition(); !how.empty()) text += "; it " + how;
    for (std::size_t i = 0; i < processes_.size(); ++i)
      if (const std::string how = processes_[i].condition(); i != which && !how.empty())
        text += fmt::format("; process '{}' {}", processes_[i].name(), how);
    return text;
  }

  const point_spec& point_;
  const run_callbacks& callbacks_;
  std::deque<worker_process> processes_;
  std::vector<json> answers_;  // the last of each process
  steady::time_point limit_ =
      steady::now() + std::chrono::duration_cast<steady::duration>(
                          std::chrono::duration<double>(point_.run.time_limit_s));
};

}  // namespace

void run_processes(const point_spec& point, std::uint64_t seed, const run_callbacks& callbacks,
                   run_record& record) {
  if (callbacks.worker_command.empty())
    throw std::runtime_error("/peers: this program starts no processes");
  const process_plan plan = plan_processes(point);
  for (const share& s : plan.shares) {
    auto& cpus = record.placement[point.peers[s.group].name];
    for (const int cpu : s.cpus)
      if (std::find(cpus.begin(), cpus.end(), cpu) == cpus.end()) cpus.push_back(cpu);
  }
  coordinator all(point, plan, callbacks);
  all.begin(seed);
  all.connect();
  all.measure(record);
  all.end();
}

}  // namespace mdp::scenario
