// What a node is told to do with its peers, and tells about them.
#include "inline_node.hpp"

namespace mdp::runtime {
namespace {

messaging::statistics names_of(const engine::peer_counts& c) {
  return {{"packets_sent", c.packets_sent},
          {"packets_received", c.packets_received},
          {"packets_retransmitted", c.packets_retransmitted},
          {"packets_lost", c.packets_lost},
          {"wire_bytes_sent", c.wire_bytes_sent},
          {"wire_bytes_received", c.wire_bytes_received},
          {"messages_sent", c.messages_sent},
          {"messages_received", c.messages_received},
          {"payload_bytes_sent", c.payload_bytes_sent},
          {"payload_bytes_received", c.payload_bytes_received},
          {"confirmed_received", c.confirmed_received},
          {"confirmed_delivered", c.confirmed_delivered},
          {"unresolved_unknown", c.unresolved_unknown},
          {"congestion_window_bytes", c.window_bytes},
          {"bytes_in_flight", c.bytes_in_flight},
          {"rtt_ns", static_cast<std::uint64_t>(c.rtt.count())}};
}

peer_info told(const engine::peer_info& p) {
  return {p.id, p.address, p.pinned, p.active, p.instance, p.rtt};
}

endpoint_address at_port(endpoint_address address, const endpoint_address& port) noexcept {
  address.local = port.local;
  return address;
}

}  // namespace

result<void, messaging::refusal> inline_node::disconnect(peer_id peer) noexcept {
  if (!engine_.disconnect(peer)) return failure(messaging::refusal::unknown_peer);
  return {};
}

result<void, messaging::refusal> inline_node::set_congestion_control(
    peer_id peer, congestion_control_kind kind) noexcept {
  if (!engine_.set_congestion(peer, static_cast<engine::congestion_kind>(kind)))
    return failure(messaging::refusal::unknown_peer);
  return {};
}

void inline_node::blacklist(const endpoint_address& address) {
  for (const endpoint_address& port : locals_)
    engine_.blacklist(transport_->now(), at_port(address, port));
}

void inline_node::unblacklist(const endpoint_address& address) noexcept {
  for (const endpoint_address& port : locals_) engine_.unblacklist(at_port(address, port));
}

std::optional<peer_id> inline_node::find(const endpoint_address& address) noexcept {
  for (const endpoint_address& port : locals_)
    if (const auto known = engine_.find(at_port(address, port))) return known;
  return std::nullopt;
}

std::optional<peer_info> inline_node::info(peer_id peer) {
  const auto known = engine_.info(peer);
  return known ? std::optional(told(*known)) : std::nullopt;
}

std::vector<peer_info> inline_node::peers(peer_filter filter) {
  std::vector<engine::peer_info> known;
  engine_.list_peers(static_cast<engine::peer_filter>(filter), known);
  std::vector<peer_info> all;
  all.reserve(known.size());
  for (const engine::peer_info& p : known) all.push_back(told(p));
  return all;
}

std::vector<peer_change> inline_node::peer_changes() {
  std::vector<engine::peer_change> changes;
  engine_.peer_changes(changes);
  std::vector<peer_change> all;
  all.reserve(changes.size());
  for (const engine::peer_change& c : changes) all.push_back({c.id, c.active});
  return all;
}

messaging::statistics inline_node::peer_stats(peer_id peer) {
  const auto counts = engine_.peer_stats(peer);
  return counts ? names_of(*counts) : messaging::statistics();
}

messaging::statistics inline_node::active_stats() {
  return names_of(engine_.active_stats());
}

}  // namespace mdp::runtime
