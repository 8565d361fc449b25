// The peers of an endpoint as the application sees them. Members of `endpoint`.
#include <algorithm>

#include "endpoint.hpp"

namespace mdp::engine {
namespace {

// Adds what `from` counted; the round trip of a sum is the longest.
void add_counts(peer_counts& to, const peer_counts& from) noexcept {
  to.packets_sent += from.packets_sent;
  to.packets_received += from.packets_received;
  to.packets_retransmitted += from.packets_retransmitted;
  to.packets_lost += from.packets_lost;
  to.wire_bytes_sent += from.wire_bytes_sent;
  to.wire_bytes_received += from.wire_bytes_received;
  to.messages_sent += from.messages_sent;
  to.messages_received += from.messages_received;
  to.payload_bytes_sent += from.payload_bytes_sent;
  to.payload_bytes_received += from.payload_bytes_received;
  to.confirmed_received += from.confirmed_received;
  to.confirmed_delivered += from.confirmed_delivered;
  to.unresolved_unknown += from.unresolved_unknown;
  to.window_bytes += from.window_bytes;
  to.bytes_in_flight += from.bytes_in_flight;
  to.rtt = std::max(to.rtt, from.rtt);
}

bool passes(const peer& p, peer_filter filter) noexcept {
  if (p.state() == peer_state::free) return false;
  if (filter == peer_filter::active) return p.active();
  if (filter == peer_filter::connected) return p.pinned;
  return true;
}

}  // namespace

result<peer_id, refusal> endpoint::connect(time_point now, const endpoint_address& to) {
  if (blacklist_.find(to) != address_map::absent) return failure(refusal::blacklisted);
  if (peer* known = find_address(to)) {
    known->pinned = true;
    rearm(*known);
    return peer_id{known->id()};
  }
  peer* p = add_peer(now, to, true);
  if (!p) return failure(refusal::queue_full);
  p->shake.next_cookie = cookies_.find(to);
  start_handshake(now, *p);
  return peer_id{p->id()};
}

bool endpoint::disconnect(peer_id id) noexcept {
  peer* p = lookup(id.value);
  if (!p) return false;
  p->pinned = false;
  rearm(*p);
  return true;
}

void endpoint::blacklist(time_point now, const endpoint_address& address) {
  if (blacklist_.find(address) != address_map::absent) return;
  blacklist_.insert(address, 0);
  while (peer* p = find_address(address)) {
    p->lose_session(now, "blacklisted");
    remove_peer(*p);
  }
}

void endpoint::unblacklist(const endpoint_address& address) noexcept {
  blacklist_.erase(address, 0);
}

void endpoint::close(time_point now) noexcept {
  for (const auto& p : peers_) {
    if (p->state() == peer_state::free) continue;
    p->lose_session(now, "the node was shut down");
    remove_peer(*p);
  }
}

std::optional<peer_id> endpoint::find(const endpoint_address& address) const noexcept {
  const peer* p = find_address(address);
  return p ? std::optional(peer_id{p->id()}) : std::nullopt;
}

std::optional<peer_info> endpoint::info(peer_id id) const noexcept {
  const peer* p = find(id);
  return p ? std::optional(p->info()) : std::nullopt;
}

void endpoint::list_peers(peer_filter filter, std::vector<peer_info>& out) const {
  for (const auto& p : peers_)
    if (passes(*p, filter)) out.push_back(p->info());
}

void endpoint::note_change(const peer& p) {
  const std::uint32_t slot = p.id() & slot_mask;
  if (changed_[slot]) return;
  changed_[slot] = true;
  changes_.push_back(slot);
}

void endpoint::peer_changes(std::vector<peer_change>& out) {
  for (; !changes_.empty(); changes_.pop_front()) {
    const std::uint32_t slot = changes_.front();
    const peer& p = *peers_[slot];
    changed_[slot] = false;
    const std::uint32_t before = reported_[slot];
    const std::uint32_t after = p.active() ? p.id() : 0;
    reported_[slot] = after;
    if (before == after) continue;
    if (before != 0) out.push_back({peer_id{before}, false});
    if (after != 0) out.push_back({peer_id{after}, true});
  }
}

std::optional<peer_counts> endpoint::peer_stats(peer_id id) const noexcept {
  const peer* p = find(id);
  return p ? std::optional(p->counts()) : std::nullopt;
}

peer_counts endpoint::active_stats() const noexcept {
  peer_counts sum;
  for (const auto& p : peers_)
    if (p->active()) add_counts(sum, p->counts());
  return sum;
}

}  // namespace mdp::engine
