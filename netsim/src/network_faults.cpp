// Faults of nodes as the network lives through them.
#include <algorithm>

#include "mdp/netsim/network.hpp"

namespace mdp::netsim {

void network::apply_faults() {
  now_ = std::max(now_, faults_.next());
  touched_.clear();
  rebound_.clear();
  faults_.apply(touched_, rebound_);
  for (const std::uint32_t node : rebound_) nat_.rebind(node);
  for (const std::uint32_t node : touched_) {
    if (!removed(node)) wake_at(node, now_);
  }
}

// True: the node is paused, and its turn is to come when it runs again.
bool network::defer_turn(std::uint32_t node) noexcept {
  const std::int64_t until = faults_.paused_until(node);
  if (until <= now_) return false;
  if (until == no_event) {
    heap_.erase(turn_slot(node));
  } else {
    schedule_turn(node, until);
  }
  return true;
}

// The port that others see for a mapping: its low bits travelled with the packet.
std::uint16_t network::seen_port(std::uint32_t node, std::uint32_t mapping) const noexcept {
  return static_cast<std::uint16_t>(nodes_[node].port + nat_.newest(node, mapping));
}

// Whether the node has, or had, this port. An old mapping becomes the one before the present: a
// packet to it travels and is dropped at the NAT.
bool network::reaches(std::uint32_t to, std::uint16_t port, std::uint32_t& mapping) const noexcept {
  if (!nat_.present()) return nodes_[to].port == port;
  const auto number = static_cast<std::uint16_t>(port - nodes_[to].port);
  const std::uint32_t current = nat_.current(to);
  if (number > current) return false;
  mapping = number == current ? current : current - 1;
  return true;
}

}  // namespace mdp::netsim
