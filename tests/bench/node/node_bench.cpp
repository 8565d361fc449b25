// Nodes over transports, as ratios in one run.
//   node_bench socket [seconds] [pairs]   64-byte one-way messages over `socket` on loopback
//   against plain
//                                         sendto/recvfrom of 64-byte datagrams (and TCP, framed):
//                                         the runs alternate, the medians of paired ratios are
//                                         printed
//   node_bench netsim [seconds]           packets simulated a CPU-second: two nodes, 1,200-byte
//   messages
#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/runtime/node.hpp"
#include "tests/bench/raw/raw_bench.hpp"

namespace {

using namespace mdp;
using namespace std::chrono_literals;
using messaging::event;
using messaging::event_kind;

void pin(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu % std::max(1u, std::thread::hardware_concurrency()), &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

node_options options_for(transport::fabric& fabric) {
  node_options o;
  o.fabric = &fabric;
  o.spin = 100us;
  static std::uint64_t nodes = 0;
  o.seed = ++nodes;  // nodes that talk to each other are seeded apart
  return o;
}

// Messages a second that arrive at the application, sender and receiver each pinned to a core.
double one_way_rate(const std::string& plugin, std::size_t bytes, messaging::confirm want,
                    double seconds) {
  const auto fabric = plugin::create_fabric(plugin);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> arrived{0};
  std::atomic<const messaging::messenger*> ready{nullptr};
  endpoint_address sink_address;
  std::thread sink([&] {
    pin(1);
    const auto node = make_node(options_for(*fabric));
    sink_address = node->local_address();
    ready = node.get();
    std::vector<event> events(512);
    std::uint64_t count = 0;
    while (!stop) {
      const std::size_t n = node->poll(events, node->now() + 1ms);
      for (std::size_t i = 0; i < n; ++i) {
        count += events[i].kind == event_kind::message;
        events[i].payload.reset();
      }
      arrived.store(count, std::memory_order_relaxed);
    }
  });
  while (!ready) std::this_thread::yield();
  pin(0);
  const auto node = make_node(options_for(*fabric));
  const auto peer = node->connect(sink_address);
  const std::vector<std::byte> payload(bytes);
  std::vector<event> events(512);
  std::uint64_t before = 0;
  const time_point begin = node->now() + 200ms;
  const time_point end = begin + duration(static_cast<std::int64_t>(seconds * 1e9));
  time_point started{};
  for (time_point now = node->now(); now < end; now = node->now()) {
    if (started == time_point{} && now >= begin) {
      started = now;
      before = arrived;
    }
    for (int i = 0; i < 512; ++i)
      if (!node->submit(*peer, payload, {want, 0})) break;
    const std::size_t n = node->poll(events, now);
    for (std::size_t i = 0; i < n; ++i) events[i].payload.reset();
  }
  const double took = static_cast<double>((node->now() - started).count()) / 1e9;
  const double rate = static_cast<double>(arrived - before) / took;
  stop = true;
  sink.join();
  return rate;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

int socket_ratios(double seconds, int pairs) {
  std::map<std::string, std::vector<double>> rates;
  std::vector<double> over_sendto;
  std::vector<double> over_tcp;
  for (int i = 0; i < pairs; ++i) {
    const double plain = raw_bench::plain_sendto({seconds, 64}).per_second;
    const double tcp = raw_bench::framed_tcp({seconds, 64}).per_second;
    const double mdp = one_way_rate("socket", 64, messaging::confirm::none, seconds);
    const double confirmed = one_way_rate("socket", 64, messaging::confirm::delivered, seconds);
    rates["sendto/recvfrom"].push_back(plain);
    rates["tcp framed"].push_back(tcp);
    rates["mdp socket"].push_back(mdp);
    rates["mdp socket, delivered"].push_back(confirmed);
    over_sendto.push_back(mdp / plain);
    over_tcp.push_back(mdp / tcp);
  }
  for (const auto& [name, values] : rates)
    fmt::print("{:24} {:>12.0f} /s  (median of {})\n", name, median(values), values.size());
  fmt::print("mdp over sendto/recvfrom {:.1f} x  (goal 20)\nmdp over tcp {:.2f} x  (goal 2)\n",
             median(over_sendto), median(over_tcp));
  return 0;
}

int netsim_rate(double seconds, int loss_pct) {
  const std::string network =
      fmt::format(R"({{"seed": 1, "links": {{"default": {{"rate_mbps": 1000, "delay_us": 100, )"
                  R"("loss_pct": {}}}}}}})",
                  loss_pct);
  const auto fabric = plugin::create_fabric("netsim", network);
  node_options o = options_for(*fabric);
  o.spin = {};
  std::vector<std::unique_ptr<messaging::messenger>> nodes;
  nodes.push_back(make_node(o));
  o.seed += 1;
  nodes.push_back(make_node(o));
  const auto peer = nodes[0]->connect(nodes[1]->local_address());
  const std::vector<std::byte> payload(1200);
  std::vector<event> events(256);
  std::uint64_t delivered = 0;
  const auto turn = [&](std::size_t i) {
    for (;;) {
      bool any = false;
      if (i == 0)
        while (nodes[0]->submit(*peer, payload, {messaging::confirm::delivered, 0})) any = true;
      const std::size_t n = nodes[i]->poll(events, never);
      for (std::size_t e = 0; e < n; ++e) {
        delivered += events[e].kind == event_kind::delivered;
        events[e].payload.reset();
      }
      if (n == 0 && !any) return;
    }
  };
  const std::clock_t begin = std::clock();
  const auto cpu = [&] { return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC; };
  for (std::size_t i = 0; i < nodes.size(); ++i) turn(i);
  while (cpu() < seconds) {
    for (int i = 0; i < 1000; ++i) {
      const std::int64_t ready = fabric->advance(never);
      if (ready < 0) return 1;
      turn(static_cast<std::size_t>(ready));
    }
  }
  double packets = 0;
  for (const auto& [name, value] : fabric->facts())
    if (name == "packets_sent") packets = std::stod(value);
  fmt::print(
      "netsim, two nodes, 1,200-byte messages, {} % loss: {:.2f} M packets, {:.2f} M messages "
      "confirmed a CPU-second (goal 1 M packets)\n",
      loss_pct, packets / cpu() / 1e6, static_cast<double>(delivered) / cpu() / 1e6);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const double seconds = argc > 2 ? std::stod(argv[2]) : 1;
  if (what == "socket") return socket_ratios(seconds, argc > 3 ? std::stoi(argv[3]) : 5);
  if (what == "netsim") return netsim_rate(seconds, 0) + netsim_rate(seconds, 1);
  fmt::print(stderr, "usage: node_bench socket|netsim [seconds] [pairs]\n");
  return 2;
}
