#include "share_run.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "repetition.hpp"

namespace mdp::scenario {
namespace {

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

}  // namespace

// One share, on the thread that calls execute().
class share_run {
 public:
  share_run(process_run& run, std::size_t number)
      : run_(run), number_(number), share_(run.shares_[number]) {}

  void execute() {
    pin(share_.cpus);
    open_peers();
    if (!run_.phase_.arrive()) return;
    if (number_ == 0) run_.others_.exchange(run_.addresses_);
    if (!run_.phase_.arrive()) return;
    for (auto& a : agents_) a->set_up(run_.addresses_);
    connect();
    if (!run_.phase_.arrive()) return;
    if (number_ == 0) run_.start_ns_ = ns_of(run_.others_.start(now()));
    if (!run_.phase_.arrive()) return;
    measure();
    // Peers leave together: who leaves first would look dead to the others.
    run_.phase_.arrive();
  }
  void finish(run_record& record) {
    for (auto& a : agents_) a->finish(record);
  }

 private:
  void open_peers() {
    const peer_group& group = run_.point_.peers[share_.group];
    std::uint64_t first = share_.first;
    for (std::size_t i = 0; i < share_.group; ++i) first += run_.point_.peers[i].count;
    for (std::uint32_t i = 0; i < share_.count; ++i) {
      agents_.push_back(std::make_unique<agent>(run_.point_, group, share_.first + i,
                                                splitmix64(run_.seed_ + first + i), run_.fabric_));
      run_.addresses_[share_.group].second[share_.first + i] =
          agents_.back()->messenger().local_address();
    }
  }
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
    if (run_.phase_.failed()) throw std::runtime_error("another peer failed");
    if (std::chrono::steady_clock::now() > run_.limit_)
      throw std::runtime_error(
          fmt::format("/run/time_limit_s: still running after {} s", run_.point_.run.time_limit_s));
    if (run_.stop_requested_ && run_.stop_requested_()) throw std::runtime_error("interrupted");
  }
  [[nodiscard]] time_point now() { return agents_[0]->messenger().now(); }
  [[nodiscard]] time_point soon() { return now() + std::chrono::milliseconds(1); }

  // This share has come so far, for the first time.
  void reached(stage s) {
    const auto count = static_cast<std::size_t>(s) * run_.shares_.size();
    if (++run_.finished_ == count) run_.others_.reached(s);
  }

  void connect() {
    const time_point give_up = now() + std::chrono::seconds(30);
    bool counted = false;
    // The others need our answers until they are connected too.
    while (!run_.others_.all_reached(stage::connected)) {
      turn_all(soon());
      const bool all =
          std::all_of(agents_.begin(), agents_.end(), [](auto& a) { return a->connected(); });
      if (all && !counted) reached(stage::connected);
      counted = counted || all;
      if (now() > give_up)
        throw std::runtime_error(fmt::format("'{}' was not connected within 30 s",
                                             run_.point_.peers[share_.group].name));
    }
  }

  void measure() {
    workload::phases p;
    p.start = at_ns(run_.start_ns_);
    p.measure_from = p.start + seconds(run_.point_.run.warmup_s);
    p.measure_until = p.measure_from + seconds(run_.point_.run.measure_s);
    p.drain_until = p.measure_until + seconds(run_.point_.run.drain_s);
    for (auto& a : agents_) a->begin(p);
    process_run::usage before;
    int step = 0;
    bool done = false;
    while (!run_.others_.all_reached(stage::done)) {
      turn_all(soon());
      const time_point time = now();
      if (step == 0 && time >= p.measure_from) {
        step = 1;
        before = used();
        for (auto& a : agents_) a->snapshot(false);
      }
      if (step == 1 && time >= p.measure_until) {
        step = 2;
        const process_run::usage after = used();
        run_.used_[number_] = {after.cpu_us - before.cpu_us, after.switches - before.switches};
        for (auto& a : agents_) a->snapshot(true);
      }
      if (step < 2 || done) continue;
      done = time >= p.drain_until ||
             std::all_of(agents_.begin(), agents_.end(), [](auto& a) { return a->done(); });
      if (done) reached(stage::done);
    }
  }

  static process_run::usage usage_of(int who) {
    rusage r{};
    getrusage(who, &r);
    const auto us = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
    };
    return {us(r.ru_utime) + us(r.ru_stime), static_cast<double>(r.ru_nvcsw + r.ru_nivcsw)};
  }
  // By this share. Nodes with threads of their own are not told apart: the first share then answers
  // for the whole process.
  [[nodiscard]] process_run::usage used() const {
    if (run_.point_.protocol.threads.layout == thread_layout::inline_)
      return usage_of(RUSAGE_THREAD);
    return number_ == 0 ? usage_of(RUSAGE_SELF) : process_run::usage{};
  }

  process_run& run_;
  std::size_t number_;
  const share& share_;
  std::vector<std::unique_ptr<agent>> agents_;
  std::uint64_t turns_ = 0;
};

process_run::process_run(const point_spec& point, std::uint64_t seed, std::vector<share> shares,
                         transport::fabric& fabric, other_processes& others,
                         std::function<bool()> stop_requested)
    : point_(point),
      seed_(seed),
      shares_(std::move(shares)),
      fabric_(fabric),
      others_(others),
      stop_requested_(std::move(stop_requested)),
      phase_(shares_.size()),
      used_(shares_.size()),
      limit_(std::chrono::steady_clock::now() +
             std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                 std::chrono::duration<double>(point.run.time_limit_s))) {
  for (const peer_group& g : point_.peers)
    addresses_.push_back({g.name, std::vector<endpoint_address>(g.count)});
}

process_run::~process_run() = default;

void process_run::execute(run_record& record) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < shares_.size(); ++i)
    runs_.push_back(std::make_unique<share_run>(*this, i));
  for (auto& run : runs_) {
    threads.emplace_back([this, &run] {
      try {
        run->execute();
      } catch (const std::exception& e) {
        phase_.fail(e.what());
      }
    });
  }
  for (auto& t : threads) t.join();
  if (phase_.failed()) throw std::runtime_error(phase_.error());
  record.cpu_us = record.context_switches = 0;
  for (auto& run : runs_) run->finish(record);
  for (const usage& u : used_) {
    record.cpu_us += u.cpu_us;
    record.context_switches += u.switches;
  }
  record.measured_s = point_.run.measure_s;
}

}  // namespace mdp::scenario
