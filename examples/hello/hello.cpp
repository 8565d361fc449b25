// Two nodes in one process, each with a socket of its own on the loopback interface. The client
// sends one message and waits until the server's application has taken it. The caller's thread does
// everything: nothing happens in a node but inside poll().
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <span>
#include <string_view>

#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/runtime/node.hpp"

namespace {

using mdp::messaging::event;
using mdp::messaging::event_kind;
using mdp::messaging::messenger;

// Polls once; true when `kind` was among the events.
bool saw(messenger& node, event_kind kind) {
  std::array<event, 16> events;
  const std::size_t count = node.poll(events, node.now() + std::chrono::milliseconds(1));
  bool found = false;
  for (const event& e : std::span(events).first(count)) {
    found = found || e.kind == kind;
    if (e.kind == event_kind::message) {
      std::printf("server: got %zu bytes\n", static_cast<std::size_t>(e.payload.size()));
    }
  }
  return found;
}

int run() {
  const auto fabric = mdp::plugin::create_fabric("socket", "{}", {MDP_PLUGINS});
  mdp::node_options options;
  options.fabric = fabric.get();
  options.local = *mdp::parse_endpoint_address("127.0.0.1:0");
  const auto server = mdp::make_node(options);
  const auto client = mdp::make_node(options);

  const auto peer = client->connect(server->local_address());
  if (!peer) {
    std::fprintf(stderr, "hello: %s\n", peer.error().c_str());
    return 1;
  }
  constexpr std::string_view text = "hello";
  const auto sent = client->submit(*peer, std::as_bytes(std::span(text)),
                                   {.want = mdp::messaging::confirm::delivered});
  if (!sent) {
    std::fprintf(stderr, "hello: refused: %s\n", mdp::messaging::to_string(sent.error()));
    return 1;
  }
  const auto give_up = client->now() + std::chrono::seconds(5);
  while (client->now() < give_up) {
    saw(*server, event_kind::message);
    if (saw(*client, event_kind::delivered)) {
      std::printf("client: delivered\n");
      return 0;
    }
  }
  std::fprintf(stderr, "hello: not delivered within 5 s\n");
  return 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "hello: %s\n", e.what());
    return 1;
  }
}
