// How the peers of a run are divided among processes, and how what these measured becomes one.
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "mdp/base/random.hpp"
#include "mdp/scenario/runner.hpp"
#include "scenario/frames.hpp"
#include "scenario/process_plan.hpp"
#include "scenario/record_text.hpp"

namespace mdp::scenario {
namespace {

peer_group group(const std::string& name, std::uint32_t count, std::uint32_t processes) {
  peer_group g;
  g.name = name;
  g.count = count;
  g.processes = processes;
  return g;
}

point_spec point(std::vector<peer_group> peers) {
  point_spec p;
  p.peers = std::move(peers);
  p.run.cpus = "none";
  return p;
}

TEST(ProcessPlan, GroupsWithoutProcessesShareOne) {
  const point_spec alone = point({group("client", 3, 0), group("server", 1, 0)});
  EXPECT_FALSE(has_processes(alone));
  const process_plan plan = plan_processes(alone);
  EXPECT_EQ(plan.names, std::vector<std::string>{"client+server"});
  EXPECT_EQ(plan.of_process(0).size(), 2u);
}

TEST(ProcessPlan, EveryPeerIsInOneShareAndSharesDifferByOne) {
  const point_spec split = point({group("a", 2, 0), group("b", 7, 3), group("c", 4, 4)});
  EXPECT_TRUE(has_processes(split));
  const process_plan plan = plan_processes(split);
  EXPECT_EQ(plan.names,
            (std::vector<std::string>{"a", "b/0", "b/1", "b/2", "c/0", "c/1", "c/2", "c/3"}));
  std::vector<std::uint32_t> next(3);
  std::size_t shares = 0;
  for (std::size_t process = 0; process < plan.names.size(); ++process) {
    for (const share& s : plan.of_process(process)) {
      EXPECT_EQ(s.first, next[s.group]);
      EXPECT_EQ(s.count, s.group == 0 ? 2u : s.group == 1 ? (s.first == 0 ? 3u : 2u) : 1u);
      next[s.group] += s.count;
      ++shares;
    }
  }
  EXPECT_EQ(next, (std::vector<std::uint32_t>{2, 7, 4}));
  EXPECT_EQ(shares, plan.shares.size());
}

TEST(ProcessPlan, EachShareHasACpuOfThoseAllowed) {
  point_spec p = point({group("client", 4, 2), group("server", 1, 1)});
  p.run.cpus = "auto";
  p.peers[1].cpus = {7};
  const process_plan plan = plan_processes(p);
  EXPECT_EQ(plan.shares[0].cpus.size(), 1u);
  EXPECT_EQ(plan.shares[1].cpus.size(), 1u);
  EXPECT_EQ(plan.shares[2].cpus, std::vector<int>{7});
}

// Values of all magnitudes, every count its own.
run_record measured(std::uint64_t seed) {
  run_record r;
  seeded_random random(seed);
  workload::flow_metrics& f = r.flows;
  for (auto* h : {&f.response, &f.service, &f.received, &f.delivered, &f.one_way, &f.round_trip})
    for (int i = 0; i < 500; ++i)
      h->record(static_cast<std::int64_t>(random.next() >> (20 + random.next() % 44)));
  for (auto* n : {&f.offered, &f.sent, &f.completed, &f.expired, &f.unknown, &f.arrived,
                  &f.arrived_bytes, &f.duplicated, &f.corrupted})
    *n = random.next() >> 8;
  f.response.record(INT64_MAX);  // beyond the last bucket
  f.series.begin(at_ns(0), at_ns(2'000'000'000));
  for (int i = 0; i < 300; ++i) f.series.count(at_ns(i * 6'000'000), random.next() % 9);
  for (int i = 0; i < 300; ++i) f.series.latency(at_ns(i * 6'000'000), 1000 + i);
  f.series.finish();
  r.measured_s = 2;
  r.reliable = seed % 2 == 0;
  r.stats = {{"packets_sent", random.next() >> 8}, {"retry_max", random.next() % 100}};
  r.transport = {{"rx_kernel_drops", random.next() >> 8}};
  r.retransmitted = {1, random.next() >> 8, 3};
  r.cpu_us = 0.1 * static_cast<double>(seed);
  r.context_switches = 7;
  r.facts = {{"fact", "value"}};
  r.per_sender = {1.5, static_cast<double>(seed)};
  r.processes = {{"client", 0.3, 4}};
  return r;
}

std::vector<std::uint64_t> buckets(const metrics::histogram& h) {
  std::vector<std::uint64_t> out;
  h.for_each_bucket([&](std::int64_t value, std::uint64_t n) {
    out.push_back(static_cast<std::uint64_t>(value));
    out.push_back(n);
  });
  return out;
}

void expect_equal(const metrics::histogram& a, const metrics::histogram& b) {
  EXPECT_EQ(buckets(a), buckets(b));
  EXPECT_EQ(a.count(), b.count());
  EXPECT_EQ(a.saturated(), b.saturated());
  EXPECT_EQ(a.min(), b.min());
  EXPECT_EQ(a.max(), b.max());
  EXPECT_EQ(a.mean(), b.mean());
  EXPECT_EQ(a.percentile(99), b.percentile(99));
}

TEST(RecordText, ARecordThatWasWrittenAndReadIsTheSame) {
  const run_record r = measured(11);
  const std::string text = write_record(r);
  const run_record again = read_record(text);
  EXPECT_EQ(write_record(again), text);
  expect_equal(again.flows.response, r.flows.response);
  expect_equal(again.flows.round_trip, r.flows.round_trip);
  EXPECT_GT(r.flows.response.saturated(), 0u);
  EXPECT_EQ(again.flows.series.interval(), r.flows.series.interval());
  EXPECT_EQ(again.flows.series.delivered, r.flows.series.delivered);
  EXPECT_EQ(again.flows.series.p99_ns, r.flows.series.p99_ns);
  EXPECT_EQ(again.flows.corrupted, r.flows.corrupted);
  EXPECT_EQ(again.stats, r.stats);
  EXPECT_EQ(again.retransmitted, r.retransmitted);
  EXPECT_EQ(again.cpu_us, r.cpu_us);
  EXPECT_EQ(again.per_sender, r.per_sender);
}

TEST(RecordText, AnEmptyHistogramStaysOne) {
  const run_record again = read_record(write_record(run_record{}));
  run_record sum = measured(3);
  const auto before = sum.flows.response.min();
  add_record(sum, again);
  EXPECT_EQ(again.flows.response.count(), 0u);
  EXPECT_EQ(sum.flows.response.min(), before);
}

TEST(RecordText, AddingIsMeasuringTogether) {
  const run_record a = measured(5);
  const run_record b = measured(8);
  run_record sum;
  add_record(sum, read_record(write_record(a)));
  add_record(sum, read_record(write_record(b)));
  metrics::histogram both = a.flows.response;
  both.merge(b.flows.response);
  expect_equal(sum.flows.response, both);
  EXPECT_EQ(sum.flows.sent, a.flows.sent + b.flows.sent);
  EXPECT_EQ(sum.flows.arrived_bytes, a.flows.arrived_bytes + b.flows.arrived_bytes);
  EXPECT_EQ(sum.stats.at("packets_sent"), a.stats.at("packets_sent") + b.stats.at("packets_sent"));
  EXPECT_EQ(sum.stats.at("retry_max"), std::max(a.stats.at("retry_max"), b.stats.at("retry_max")));
  EXPECT_EQ(sum.transport.at("rx_kernel_drops"),
            a.transport.at("rx_kernel_drops") + b.transport.at("rx_kernel_drops"));
  EXPECT_EQ(sum.retransmitted[1], a.retransmitted[1] + b.retransmitted[1]);
  EXPECT_DOUBLE_EQ(sum.cpu_us, 1.3);
  EXPECT_EQ(sum.context_switches, 14);
  EXPECT_EQ(sum.per_sender, (std::vector<double>{1.5, 5, 1.5, 8}));
  EXPECT_EQ(sum.processes.size(), 2u);
}

TEST(Frames, ComeWholeWhateverTheirSizeAndTheEndIsSeen) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const std::vector<std::string> sent{"", "{}", std::string(3'000'000, 'x'), "last"};
  std::thread writer([&] {
    for (const std::string& text : sent) send_frame(ends[1], text);
    close(ends[1]);
  });
  frame_reader reader;
  std::vector<std::string> got;
  do {
    while (const auto text = reader.next()) got.push_back(*text);
  } while (reader.read(ends[0], true));
  writer.join();
  close(ends[0]);
  EXPECT_EQ(got, sent);
}

TEST(Frames, ALengthBeyondTheLimitIsRefused) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  ASSERT_EQ(write(ends[1], "\xff\xff\xff\xff", 4), 4);
  frame_reader reader;
  EXPECT_TRUE(reader.read(ends[0], false));
  EXPECT_THROW(static_cast<void>(reader.next()), std::runtime_error);
  close(ends[0]);
  close(ends[1]);
}

// What becomes of a run whose processes are `command` instead of workers.
std::string error_with(const std::vector<std::string>& command) {
  scenario_spec s;
  s.name = "test";
  s.points = {point({group("client", 1, 1), group("server", 1, 1)})};
  s.points[0].id = "000000000001";
  s.points[0].config_json = "{}";
  s.points[0].transport = {"socket", "{}", ""};
  flow_spec f;
  f.from = "client";
  f.to = "server";
  f.sizes = {{64, 1.0}};
  s.points[0].flows = {f};
  s.points[0].run.time_limit_s = 0.5;
  run_callbacks c;
  c.plugin_directories = {MDP_PLUGIN_DIR};
  c.worker_command = command;
  const auto begun = std::chrono::steady_clock::now();
  const auto results = run_points(s, c, nullptr);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(3));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a process stayed";
  EXPECT_EQ(results.at(0).status, "failed");
  return results.at(0).reasons.at(0);
}

void expect_within(const std::string& text, const std::string& words) {
  EXPECT_NE(text.find(words), std::string::npos) << text;
}

TEST(BrokenWorker, ThatHangsIsNamedWhenItsTimeIsOver) {
  const std::string error = error_with({"/bin/sleep", "600"});
  expect_within(error, "process 'client' still runs after /run/time_limit_s");
}

TEST(BrokenWorker, ThatEndsIsNamedWithItsExitCode) {
  // Both processes end: which of them is seen to first depends on the machine.
  const std::string error = error_with({"/bin/sh", "-c", "exit 7"});
  expect_within(error, "process '");
  expect_within(error, "ended with exit code 7");
}

TEST(BrokenWorker, ThatSpeaksSomethingElseIsNamed) {
  // 2 bytes, no JSON.
  const std::string error =
      error_with({"/bin/sh", "-c", "printf '\\2\\0\\0\\0no' >&0; exec sleep 600"});
  expect_within(error, "process '");
  expect_within(error, "says what is no message");
}

TEST(BrokenWorker, ThatCannotBeStartedIsNamedWithItsProgram) {
  expect_within(error_with({"/nonexistent/program"}), "/nonexistent/program");
  expect_within(error_with({}), "starts no processes");
}

}  // namespace
}  // namespace mdp::scenario
