// A peer in a process of its own that the kernel stops: what the other side measures.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "mdp/plugin/plugin_loader.hpp"
#include "scenario/agent.hpp"

namespace mdp::scenario {
namespace {

using namespace std::chrono_literals;

point_spec thousand_requests_a_second(const std::string& protocol) {
  flow_spec f;
  f.from = "client";
  f.to = "server";
  f.sizes = {{64, 1.0}};
  f.load.mode = load_mode::open;
  f.load.rate_per_s = 1000;
  point_spec p;
  p.protocol.name = protocol;
  p.transport.plugin = "socket";
  p.transport.bind = "127.0.0.1:0";
  p.peers = {{"client", 1, "", {}}, {"server", 1, "", {}}};
  p.flows = {f};
  return p;
}

std::shared_ptr<transport::fabric> loopback() {
  return plugin::create_fabric("socket", "{}", {MDP_PLUGIN_DIR});
}

// Answers requests in a process of its own until it is killed, which is when this object goes.
class server_process {
 public:
  explicit server_process(const point_spec& point) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ == 0) serve(point, ends[1]);
    close(ends[1]);
    // The child's end is closed when it fails: then nothing comes.
    told_ = read(ends[0], &port_, sizeof port_) == sizeof port_;
    close(ends[0]);
  }
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;
  ~server_process() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] bool listens() const noexcept { return pid_ > 0 && told_; }
  [[nodiscard]] endpoint_address address() const {
    return *parse_endpoint_address("127.0.0.1:" + std::to_string(port_));
  }
  // Returns when the process has really stopped.
  void stop() const {
    kill(pid_, SIGSTOP);
    waitpid(pid_, nullptr, WUNTRACED);
  }
  void resume() const { kill(pid_, SIGCONT); }

 private:
  [[noreturn]] static void serve(const point_spec& point, int tell) noexcept {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const auto fabric = loopback();
    agent server(point, point.peers[1], 0, 2, *fabric);
    server.set_up({});
    const time_point now = server.messenger().now();
    server.begin({now, now, now + 1h, now + 1h});
    const std::uint16_t port = server.messenger().local_address().port;
    if (write(tell, &port, sizeof port) != sizeof port) _exit(1);
    for (;;) server.turn(server.messenger().now() + 1ms);
  }

  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
  bool told_ = false;
};

struct stop_plan {
  duration measured;
  duration stops;    // after the measurement began
  duration resumes;  // likewise; `duration::max()`: it never does
};

// What the client measured; it warms up for half a second and waits a second for the last answers.
workload::flow_metrics measure(const std::string& protocol, const stop_plan& plan) {
  const point_spec point = thousand_requests_a_second(protocol);
  const server_process server(point);
  EXPECT_TRUE(server.listens());
  if (!server.listens()) return {};
  const auto fabric = loopback();
  agent client(point, point.peers[0], 0, 1, *fabric);
  client.set_up({{"server", {server.address()}}});
  const auto now = [&] { return client.messenger().now(); };
  for (const time_point give_up = now() + 10s; !client.connected() && now() < give_up;)
    client.turn(now() + 1ms);
  EXPECT_TRUE(client.connected());

  const time_point start = now();
  const time_point from = start + 500ms;
  const time_point drained = from + plan.measured + 1s;
  client.begin({start, from, from + plan.measured, drained});
  bool stopped = false;
  bool resumed = plan.resumes == duration::max();
  while (!client.done() && now() < drained) {
    client.turn(now() + 1ms);
    if (!stopped && now() >= from + plan.stops) {
      server.stop();
      stopped = true;
    }
    if (!resumed && now() >= from + plan.resumes) {
      server.resume();
      resumed = true;
    }
  }
  EXPECT_EQ(client.lost(), "");
  EXPECT_TRUE(stopped && resumed);
  run_record record;
  client.finish(record);
  return record.flows;
}

double ms(std::optional<std::int64_t> ns) {
  return ns ? static_cast<double>(*ns) / 1e6 : -1;
}

// 1,000 of 5,500 requests wait up to a second: 55 of them longer than 945 ms, 550 longer than 450
// ms. A tool that sends the next request when the last was answered would charge it to one.
TEST(StoppedProcess, IsChargedToEveryRequestThatItDelayed) {
  const workload::flow_metrics m = measure("mdp", {5500ms, 2500ms, 3500ms});
  EXPECT_NEAR(static_cast<double>(m.offered), 5500, 1);
  EXPECT_EQ(m.completed, m.offered);
  EXPECT_EQ(m.expired, 0u);
  EXPECT_EQ(m.response.count(), m.offered);
  EXPECT_NEAR(ms(m.response.percentile(99)), 945, 94.5);
  EXPECT_NEAR(ms(m.response.percentile(90)), 450, 45);
  EXPECT_LT(ms(m.response.percentile(50)), 50);
}

// Of 2,000 requests the last 1,000 are never answered: they are counted, and the percentiles hold
// them with at least the time that they had been waiting.
TEST(StoppedProcess, ThatNeverComesBackLeavesUndeliveredRequestsInThePercentiles) {
  const workload::flow_metrics m = measure("raw", {2s, 1s, duration::max()});
  EXPECT_NEAR(static_cast<double>(m.offered), 2000, 1);
  EXPECT_NEAR(static_cast<double>(m.expired), 1000, 50);
  EXPECT_EQ(m.completed + m.expired, m.offered);
  EXPECT_EQ(m.response.count(), m.offered);
  EXPECT_GE(ms(m.response.percentile(90)), 1700);
}

}  // namespace
}  // namespace mdp::scenario
