// A run in real time: one pinned thread for each group of peers.
#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "agent.hpp"
#include "repetition.hpp"

namespace mdp::scenario {
namespace {

// Threads wait for each other between phases; when one fails, all are let through.
class gate {
 public:
  explicit gate(std::size_t threads) : threads_(threads) {}
  // False: somebody has failed.
  bool arrive() {
    std::unique_lock lock(mutex_);
    const std::uint64_t round = round_;
    if (++waiting_ == threads_) {
      waiting_ = 0;
      ++round_;
      moved_.notify_all();
    } else {
      moved_.wait(lock, [&] { return round_ != round || failed_; });
    }
    return !failed_;
  }
  void fail(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (!failed_) error_ = why;
    failed_ = true;
    moved_.notify_all();
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  std::size_t threads_;
  std::size_t waiting_ = 0;
  std::uint64_t round_ = 0;
  std::atomic<bool> failed_{false};
  std::string error_;
};

struct usage {
  double cpu_us = 0;
  double switches = 0;
};

usage usage_of(int who) {
  rusage r{};
  getrusage(who, &r);
  const auto us = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return {us(r.ru_utime) + us(r.ru_stime), static_cast<double>(r.ru_nvcsw + r.ru_nivcsw)};
}

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set)) cpus.push_back(static_cast<int>(cpu));
  return cpus;
}

void pin(const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
    throw std::runtime_error(
        fmt::format("cannot pin to cpu {}: it does not exist or is not allowed "
                    "here; set /run/cpus to \"none\"",
                    cpus[0]));
}

// Shared by the threads of one repetition.
struct shared_run {
  const point_spec& point;
  const run_callbacks& callbacks;
  transport::fabric& fabric;
  std::uint64_t seed;
  gate phase;
  std::vector<std::pair<std::string, std::vector<endpoint_address>>> addresses;
  std::atomic<std::int64_t> start_ns{0};
  std::atomic<std::size_t> finished{0};
  std::vector<usage> used;
  std::chrono::steady_clock::time_point limit;
};

class group_run {
 public:
  group_run(shared_run& run, std::size_t number) : run_(run), number_(number) {}

  void execute(const std::vector<int>& cpus) {
    pin(cpus);
    const peer_group& group = run_.point.peers[number_];
    std::uint64_t first = 0;
    for (std::size_t i = 0; i < number_; ++i) first += run_.point.peers[i].count;
    for (std::uint32_t i = 0; i < group.count; ++i) {
      agents_.push_back(std::make_unique<agent>(run_.point, group, i,
                                                splitmix64(run_.seed + first + i), run_.fabric));
      run_.addresses[number_].second.push_back(agents_.back()->messenger().local_address());
    }
    if (!run_.phase.arrive()) return;
    for (auto& a : agents_) a->set_up(run_.addresses);
    connect();
    if (!run_.phase.arrive()) return;
    if (number_ == 0)
      run_.start_ns = ns_of(agents_[0]->messenger().now() + std::chrono::milliseconds(2));
    if (!run_.phase.arrive()) return;
    measure();
    // Peers leave together: who leaves first would look dead to the others.
    if (!run_.phase.arrive()) return;
  }
  void finish(run_record& record) {
    for (auto& a : agents_) a->finish(record);
  }

 private:
  // True when something happened; waits at most until `latest`.
  bool turn_all(time_point latest) {
    // One peer may sleep until it has something to do; of several, none may keep the others
    // waiting.
    const bool alone = agents_.size() == 1;
    bool any = false;
    for (auto& a : agents_) {
      any = a->turn(alone ? latest : time_point{}) || any;
      if (!a->lost().empty()) throw std::runtime_error(a->lost());
    }
    if ((++turns_ & 255) == 0) check_limits();
    return any;
  }
  void check_limits() {
    if (run_.phase.failed()) throw std::runtime_error("another peer failed");
    if (std::chrono::steady_clock::now() > run_.limit)
      throw std::runtime_error(
          fmt::format("/run/time_limit_s: still running after {} s", run_.point.run.time_limit_s));
    if (run_.callbacks.stop_requested && run_.callbacks.stop_requested())
      throw std::runtime_error("interrupted");
  }
  [[nodiscard]] time_point now() { return agents_[0]->messenger().now(); }
  [[nodiscard]] time_point soon() { return now() + std::chrono::milliseconds(1); }

  void connect() {
    const time_point give_up = now() + std::chrono::seconds(30);
    for (;;) {
      turn_all(soon());
      const bool all =
          std::all_of(agents_.begin(), agents_.end(), [](auto& a) { return a->connected(); });
      if (all && !counted_) {
        counted_ = true;
        ++run_.finished;
      }
      // The others need our answers until they are connected too.
      if (run_.finished == run_.point.peers.size()) return;
      if (now() > give_up)
        throw std::runtime_error(
            fmt::format("'{}' was not connected within 30 s", run_.point.peers[number_].name));
    }
  }

  void measure() {
    workload::phases p;
    p.start = at_ns(run_.start_ns);
    p.measure_from = p.start + seconds(run_.point.run.warmup_s);
    p.measure_until = p.measure_from + seconds(run_.point.run.measure_s);
    p.drain_until = p.measure_until + seconds(run_.point.run.drain_s);
    for (auto& a : agents_) a->begin(p);
    usage before;
    int stage = 0;
    bool done = false;
    for (;;) {
      turn_all(soon());
      const time_point time = now();
      if (stage == 0 && time >= p.measure_from) {
        stage = 1;
        before = used();
        for (auto& a : agents_) a->snapshot(false);
      }
      if (stage == 1 && time >= p.measure_until) {
        stage = 2;
        const usage after = used();
        run_.used[number_] = {after.cpu_us - before.cpu_us, after.switches - before.switches};
        for (auto& a : agents_) a->snapshot(true);
      }
      if (stage < 2) continue;
      if (!done && (time >= p.drain_until || std::all_of(agents_.begin(), agents_.end(),
                                                         [](auto& a) { return a->done(); }))) {
        done = true;
        ++run_.finished;
      }
      if (run_.finished == 2 * run_.point.peers.size()) return;
    }
  }

  // By this group. Nodes with threads of their own are not told apart: the first group then answers
  // for the whole process.
  [[nodiscard]] usage used() const {
    if (run_.point.protocol.threads.layout == thread_layout::inline_)
      return usage_of(RUSAGE_THREAD);
    return number_ == 0 ? usage_of(RUSAGE_SELF) : usage{};
  }

  shared_run& run_;
  std::size_t number_;
  std::vector<std::unique_ptr<agent>> agents_;
  std::uint64_t turns_ = 0;
  bool counted_ = false;
};

}  // namespace

void run_real(const point_spec& point, std::uint64_t seed, const run_callbacks& callbacks,
              transport::fabric& fabric, run_record& record) {
  const std::size_t groups = point.peers.size();
  shared_run run{point, callbacks, fabric, seed, gate(groups), {}, {}, {}, {}, {}};
  for (const peer_group& g : point.peers) run.addresses.push_back({g.name, {}});
  run.used.resize(groups);
  run.limit = std::chrono::steady_clock::now() +
              std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                  std::chrono::duration<double>(point.run.time_limit_s));
  const std::vector<int> cpus = allowed_cpus();
  const bool has_threads = point.protocol.threads.layout != thread_layout::inline_;
  std::vector<std::unique_ptr<group_run>> runs;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < groups; ++i) {
    std::vector<int> mine = point.peers[i].cpus;
    // With a thread of its own the node needs the scheduler's freedom.
    if (mine.empty() && point.run.cpus == "auto" && !cpus.empty() && !has_threads)
      mine = {cpus[i % cpus.size()]};
    record.placement[point.peers[i].name] = mine;
    runs.push_back(std::make_unique<group_run>(run, i));
    threads.emplace_back([&run, &worker = *runs.back(), mine] {
      try {
        worker.execute(mine);
      } catch (const std::exception& e) {
        run.phase.fail(e.what());
      }
    });
  }
  for (auto& t : threads) t.join();
  if (run.phase.failed()) throw std::runtime_error(run.phase.error());
  record.cpu_us = record.context_switches = 0;
  for (std::size_t i = 0; i < groups; ++i) {
    runs[i]->finish(record);
    record.cpu_us += run.used[i].cpu_us;
    record.context_switches += run.used[i].switches;
  }
  record.measured_s = point.run.measure_s;
}

}  // namespace mdp::scenario
