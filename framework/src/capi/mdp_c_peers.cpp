// The C interface over mdp::node: peers and statistics.
#include <algorithm>

#include "capi_node.hpp"
#include "mdp/runtime/stats.hpp"

using mdp::peer_id;
using mdp::capi::copy_text;
using mdp::capi::guarded;
using mdp::capi::last_error;
using mdp::capi::parse;
using mdp::capi::status_of;
using mdp::capi::word;

namespace {

// Of the transport below a node, in the shape of all statistics.
mdp::messaging::statistics counts_of(const mdp::transport::counters& counts) {
  mdp::messaging::statistics all;
  for (const auto& [name, member] : mdp::transport::counter_names)
    all.emplace_back(name, counts.*member);
  return all;
}

}  // namespace

extern "C" {

mdp_status mdp_connect(mdp_node* node, const char* address, mdp_peer* peer) {
  return guarded([&] {
    const auto to = parse(address);
    if (!to) return MDP_INVALID;
    auto made = node->node->connect(*to);
    if (!made) {
      last_error() = made.error();
      return MDP_FAILED;
    }
    if (peer) *peer = made->value;
    return MDP_OK;
  });
}

mdp_status mdp_disconnect(mdp_node* node, mdp_peer peer) {
  return status_of(node->node->disconnect(peer_id{peer}));
}

mdp_status mdp_set_congestion_control(mdp_node* node, mdp_peer peer, const char* algorithm) {
  return guarded([&] {
    const auto chosen = mdp::node_config::from_text("congestion_control=" + word(algorithm, ""));
    if (chosen)
      return status_of(
          node->node->set_congestion_control(peer_id{peer}, chosen->congestion_control));
    last_error() = chosen.error();
    return MDP_INVALID;
  });
}

mdp_status mdp_blacklist(mdp_node* node, const char* address) {
  return guarded([&] {
    const auto who = parse(address);
    if (who) node->node->blacklist(*who);
    return who ? MDP_OK : MDP_INVALID;
  });
}

mdp_status mdp_unblacklist(mdp_node* node, const char* address) {
  return guarded([&] {
    const auto who = parse(address);
    if (who) node->node->unblacklist(*who);
    return who ? MDP_OK : MDP_INVALID;
  });
}

mdp_status mdp_find_peer(mdp_node* node, const char* address, mdp_peer* peer) {
  return guarded([&] {
    const auto who = parse(address);
    if (!who) return MDP_INVALID;
    const auto found = node->node->find(*who);
    if (found && peer) *peer = found->value;
    return found ? MDP_OK : MDP_UNKNOWN_PEER;
  });
}

size_t mdp_peers(mdp_node* node, mdp_peer_filter filter, mdp_peer_info* out, size_t count) {
  return guarded([&]() -> std::size_t {
    const auto all = node->node->peers(static_cast<mdp::peer_filter>(filter));
    for (std::size_t i = 0; i < std::min(count, all.size()); ++i) {
      const mdp::peer_info& p = all[i];
      out[i] = {};
      out[i].id = p.id.value;
      static_cast<void>(
          copy_text(mdp::to_string(p.address), out[i].address, sizeof out[i].address));
      out[i].pinned = p.pinned ? 1 : 0;
      out[i].active = p.active ? 1 : 0;
      out[i].rtt_ns = static_cast<std::uint64_t>(p.rtt.count());
      out[i].instance = p.instance;
    }
    return all.size();
  });
}

size_t mdp_peer_changes(mdp_node* node, mdp_peer_change* out, size_t count) {
  return guarded([&]() -> std::size_t {
    const std::lock_guard lock(node->fetching);
    const auto fresh = node->node->peer_changes();
    node->changes.insert(node->changes.end(), fresh.begin(), fresh.end());
    const std::size_t n = std::min(count, node->changes.size());
    for (std::size_t i = 0; i < n; ++i)
      out[i] = {node->changes[i].id.value, node->changes[i].active ? 1 : 0};
    node->changes.erase(node->changes.begin(),
                        node->changes.begin() + static_cast<std::ptrdiff_t>(n));
    return n;
  });
}

size_t mdp_stats_json(const mdp_node* node, char* out, size_t size) {
  return guarded(
      [&]() -> std::size_t { return copy_text(mdp::to_json(node->node->stats()), out, size); });
}

size_t mdp_peer_stats_json(mdp_node* node, mdp_peer peer, char* out, size_t size) {
  return guarded([&]() -> std::size_t {
    return copy_text(mdp::to_json(node->node->peer_stats(peer_id{peer})), out, size);
  });
}

size_t mdp_active_stats_json(mdp_node* node, char* out, size_t size) {
  return guarded([&]() -> std::size_t {
    return copy_text(mdp::to_json(node->node->active_stats()), out, size);
  });
}

size_t mdp_transport_counts_json(const mdp_node* node, char* out, size_t size) {
  return guarded([&]() -> std::size_t {
    return copy_text(mdp::to_json(counts_of(node->node->transport_counts())), out, size);
  });
}

size_t mdp_stats_text(const mdp_node* node, char* out, size_t size) {
  return guarded(
      [&]() -> std::size_t { return copy_text(mdp::to_text(node->node->stats()), out, size); });
}

size_t mdp_peer_stats_text(mdp_node* node, mdp_peer peer, char* out, size_t size) {
  return guarded([&]() -> std::size_t {
    return copy_text(mdp::to_text(node->node->peer_stats(peer_id{peer})), out, size);
  });
}

}  // extern "C"
