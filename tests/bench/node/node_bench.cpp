// Nodes over the simulated network. Usage: node_bench netsim [seconds]: packets simulated a
// CPU-second, two nodes, 1,200-byte messages, without loss and with 1 %.
#include <fmt/format.h>

#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/runtime/node.hpp"

namespace {

using namespace mdp;
using messaging::event;
using messaging::event_kind;

node_options options_for(transport::fabric& fabric) {
  node_options o;
  o.fabric = &fabric;
  static std::uint64_t nodes = 0;
  o.seed = ++nodes;  // nodes that talk to each other are seeded apart
  return o;
}

int netsim_rate(double seconds, int loss_pct) {
  const std::string network =
      fmt::format(R"({{"seed": 1, "links": {{"default": {{"rate_mbps": 1000, "delay_us": 100, )"
                  R"("loss_pct": {}}}}}}})",
                  loss_pct);
  const auto fabric = plugin::create_fabric("netsim", network);
  node_options o = options_for(*fabric);
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
  if (what == "netsim") return netsim_rate(seconds, 0) + netsim_rate(seconds, 1);
  fmt::print(stderr, "usage: node_bench netsim [seconds]\n");
  return 2;
}
