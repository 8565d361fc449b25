// The public face of the library: a node sends and receives messages through one transport.
//
//   auto fabric = mdp::plugin::create_fabric("socket");
//   mdp::node_options options;
//   options.fabric = fabric.get();
//   auto node = mdp::make_node(options);
//   auto peer = node->connect(*mdp::parse_endpoint_address("127.0.0.1:4433"));
//   node->submit(*peer, bytes, {.want = mdp::messaging::confirm::delivered});
//   while (node->poll(events, node->now() + 1ms) == 0) {}
//
// Layouts: `inline_` runs protocol and I/O inside poll(), on the caller's thread; nothing happens
// between calls. `single` runs them on a thread of the node's own, joined by bounded lock-free
// rings; the caller's side still belongs to one thread. Not possible in virtual time. Errors:
// make_node throws std::runtime_error with one sentence; afterwards refusals are values and
// outcomes are events.
#pragma once
#include <memory>
#include <string>

#include "mdp/messaging/messenger.hpp"
#include "mdp/runtime/config.hpp"

namespace mdp {

enum class thread_layout : std::uint8_t { inline_, single };

struct node_options {
  transport::fabric* fabric = nullptr;  // required; must outlive the node
  endpoint_address local;               // family none: the fabric's default
  std::string name;                     // in a simulated topology
  std::uint64_t seed = 0;               // 0: the system's entropy
  thread_layout layout = thread_layout::inline_;
  duration spin{};  // busy-poll before sleeping
  node_config config;
};

[[nodiscard]] std::unique_ptr<messaging::messenger> make_node(const node_options& options);

}  // namespace mdp
