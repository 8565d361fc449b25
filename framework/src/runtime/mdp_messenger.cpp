// The protocol as a messenger: a node, configured by key and value.
#include <stdexcept>

#include "mdp/messaging/factory.hpp"
#include "mdp/runtime/node.hpp"

namespace mdp::messaging {

std::unique_ptr<messenger> make_mdp_messenger(const messenger_options& options) {
  node_options node;
  node.fabric = options.fabric;
  node.local = options.local;
  node.name = options.name;
  node.seed = options.seed;
  node.spin = options.spin;
  node.threads = options.threads;
  if (auto set = node.config.set_all(options.config); !set) throw std::runtime_error(set.error());
  return make_node(node);
}

std::span<const config_key> mdp_config_keys() noexcept {
  return config_keys();
}

}  // namespace mdp::messaging
