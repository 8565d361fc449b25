// mdp_probe serve: a node on a port of its own, which it prints; at its end how many messages came.
// mdp_probe send ADDRESS COUNT: sends so many messages and waits until all are delivered.
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/runtime/node.hpp"

namespace {

using mdp::messaging::event;
using mdp::messaging::event_kind;

std::atomic<bool> stopped{false};

std::unique_ptr<mdp::node> node_on(mdp::transport::fabric& fabric) {
  mdp::node_options options;
  options.fabric = &fabric;
  options.local = *mdp::parse_endpoint_address("127.0.0.1:0");
  return mdp::make_node(options);
}

// Polls once; how many events of this kind came.
std::size_t count_events(mdp::node& node, event_kind kind) {
  std::array<event, 64> events;
  const std::size_t n = node.poll(events, node.now() + std::chrono::milliseconds(5));
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) count += events[i].kind == kind;
  return count;
}

int serve(mdp::node& node) {
  fmt::print("{}\n", to_string(node.local_address()));
  std::fflush(stdout);
  std::signal(SIGTERM, [](int) { stopped = true; });
  std::size_t received = 0;
  while (!stopped) received += count_events(node, event_kind::message);
  fmt::print("{} received\n", received);
  return 0;
}

int send(mdp::node& node, std::string_view address, std::size_t count) {
  const auto to = mdp::parse_endpoint_address(address);
  const auto peer = to ? node.connect(*to) : mdp::failure(to.error());
  if (!peer) throw std::runtime_error(peer.error());
  const std::array<std::byte, 1000> payload{};
  std::size_t sent = 0;
  std::size_t delivered = 0;
  const auto give_up = node.now() + std::chrono::seconds(60);
  while (delivered < count && node.now() < give_up) {
    while (sent < count &&
           node.submit(*peer, payload, {.want = mdp::messaging::confirm::delivered})) {
      ++sent;
    }
    delivered += count_events(node, event_kind::delivered);
  }
  fmt::print("{} delivered\n", delivered);
  return delivered == count ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto fabric = mdp::plugin::create_fabric("socket", "{}", {MDP_PLUGIN_DIR});
    const auto node = node_on(*fabric);
    if (argc == 2 && std::string_view(argv[1]) == "serve") return serve(*node);
    if (argc == 4 && std::string_view(argv[1]) == "send") {
      return send(*node, argv[2], std::strtoul(argv[3], nullptr, 10));
    }
  } catch (const std::exception& e) {
    fmt::print(stderr, "mdp_probe: {}\n", e.what());
    return 1;
  }
  return 2;
}
