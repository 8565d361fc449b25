// Peers of a node with a thread of its own: each call is carried out on that thread.
#include "threaded_node.hpp"

namespace mdp::runtime {

result<void, messaging::refusal> threaded_node::disconnect(peer_id peer) noexcept {
  return ask([&] { return node_->disconnect(peer); });
}

result<void, messaging::refusal> threaded_node::set_congestion_control(
    peer_id peer, congestion_control_kind kind) noexcept {
  return ask([&] { return node_->set_congestion_control(peer, kind); });
}

void threaded_node::blacklist(const endpoint_address& address) {
  on_io_thread([&] { node_->blacklist(address); });
}

void threaded_node::unblacklist(const endpoint_address& address) noexcept {
  on_io_thread([&] { node_->unblacklist(address); });
}

std::optional<peer_id> threaded_node::find(const endpoint_address& address) noexcept {
  const auto found = ask([&] { return node_->find(address); });
  if (found) learn(*found);  // submit() takes it from now on
  return found;
}

std::optional<peer_info> threaded_node::info(peer_id peer) {
  return ask([&] { return node_->info(peer); });
}

std::vector<peer_info> threaded_node::peers(peer_filter filter) {
  auto all = ask([&] { return node_->peers(filter); });
  for (const peer_info& p : all) learn(p.id);
  return all;
}

std::vector<peer_change> threaded_node::peer_changes() {
  return ask([&] { return node_->peer_changes(); });
}

messaging::statistics threaded_node::peer_stats(peer_id peer) {
  return ask([&] { return node_->peer_stats(peer); });
}

messaging::statistics threaded_node::active_stats() {
  return ask([&] { return node_->active_stats(); });
}

}  // namespace mdp::runtime
