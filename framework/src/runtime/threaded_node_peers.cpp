// Peers and messages of a node with threads of its own: each call is carried out on the thread of
// the peer's shard, or on every one.
#include <algorithm>

#include "threaded_node.hpp"

namespace mdp::runtime {
namespace {

using messaging::refusal;
using messaging::statistics;

// The highest is meant, not the sum.
bool is_extreme(const std::string& name) noexcept {
  return name == "retry_max" || name == "rtt_ns";
}

// Counts of several shards as those of one node.
void add(statistics& to, const statistics& more) {
  for (const auto& [name, value] : more) {
    const auto same = std::find_if(to.begin(), to.end(),
                                   [&name = name](const auto& has) { return has.first == name; });
    if (same == to.end()) {
      to.emplace_back(name, value);
    } else {
      same->second = is_extreme(name) ? std::max(same->second, value) : same->second + value;
    }
  }
}

// The peer as the application knows it.
template <class Told>
void make_outer(const shard& owner, std::vector<Told>& told) {
  for (Told& t : told) t.id = owner.place().outer(t.id);
}

template <class Told>
void append(std::vector<Told>& to, std::vector<Told>&& more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

result<peer_id, std::string> threaded_node::connect(const endpoint_address& to) {
  shard& owner = owner_of(to);
  return owner.ask([&](inline_node& core) {
    auto peer = core.connect(to);
    if (!peer) return peer;
    owner.learn(*peer);
    return result<peer_id, std::string>(owner.place().outer(*peer));
  });
}

std::optional<peer_id> threaded_node::find(const endpoint_address& address) noexcept {
  shard& owner = owner_of(address);
  return owner.ask([&](inline_node& core) {
    auto peer = core.find(address);
    if (!peer) return peer;
    owner.learn(*peer);
    return std::optional(owner.place().outer(*peer));
  });
}

std::optional<peer_info> threaded_node::info(peer_id peer) {
  return ask(peer, [&](shard&, peer_id inner, inline_node& core) {
    auto told = core.info(inner);
    if (told) told->id = peer;
    return told;
  });
}

std::vector<peer_info> threaded_node::peers(peer_filter filter) {
  std::vector<peer_info> all;
  for (shard* s : shards_)
    append(all, s->ask([&](inline_node& core) {
      auto some = core.peers(filter);
      for (const peer_info& p : some) s->learn(p.id);
      make_outer(*s, some);
      return some;
    }));
  return all;
}

std::vector<peer_change> threaded_node::peer_changes() {
  std::vector<peer_change> all;
  for (shard* s : shards_)
    append(all, s->ask([&](inline_node& core) {
      auto some = core.peer_changes();
      make_outer(*s, some);
      return some;
    }));
  return all;
}

result<void, refusal> threaded_node::disconnect(peer_id peer) noexcept {
  return ask(peer, [](shard&, peer_id inner, inline_node& core) { return core.disconnect(inner); });
}

result<void, refusal> threaded_node::set_congestion_control(peer_id peer,
                                                            congestion_control_kind kind) noexcept {
  return ask(peer, [kind](shard&, peer_id inner, inline_node& core) {
    return core.set_congestion_control(inner, kind);
  });
}

void threaded_node::blacklist(const endpoint_address& address) {
  for (shard* s : shards_) s->ask_for([&](inline_node& core) { core.blacklist(address); });
}

void threaded_node::unblacklist(const endpoint_address& address) noexcept {
  for (shard* s : shards_) s->ask_for([&](inline_node& core) { core.unblacklist(address); });
}

result<void, refusal> threaded_node::cancel(peer_id to, message_id id) noexcept {
  return ask(to, [id](shard& owner, peer_id inner, inline_node&) {
    return owner.cancel(inner, id.value);
  });
}

std::size_t threaded_node::states(peer_id to, std::span<const message_id> ids,
                                  std::span<message_state> out) noexcept {
  const std::size_t count = std::min(ids.size(), out.size());
  return ask(to, [&](shard& owner, peer_id inner, inline_node&) {
    for (std::size_t i = 0; i < count; ++i) out[i] = owner.state(inner, ids[i].value);
    return count;
  });
}

std::vector<message_status> threaded_node::unresolved(peer_id to) {
  return ask(to, [](shard& owner, peer_id inner, inline_node&) { return owner.unresolved(inner); });
}

statistics threaded_node::peer_stats(peer_id peer) {
  return ask(peer, [](shard&, peer_id inner, inline_node& core) { return core.peer_stats(inner); });
}

statistics threaded_node::active_stats() {
  statistics all;
  for (shard* s : shards_) add(all, s->ask([](inline_node& core) { return core.active_stats(); }));
  return all;
}

statistics threaded_node::stats() const {
  statistics all;
  for (shard* s : shards_) add(all, s->ask([](inline_node& core) { return core.stats(); }));
  return all;
}

transport::counters threaded_node::transport_counts() const {
  transport::counters all;
  for (shard* s : shards_) {
    const auto some = s->ask([](inline_node& core) { return core.transport_counts(); });
    for (const auto& [name, member] : transport::counter_names) all.*member += some.*member;
  }
  return all;
}

}  // namespace mdp::runtime
