// What nodes take from the network, and how they leave it and come back.
#include <algorithm>
#include <cstring>

#include "mdp/base/assert.hpp"
#include "mdp/netsim/damage.hpp"
#include "mdp/netsim/network.hpp"

namespace mdp::netsim {

void network::reopen_node(std::uint32_t node, buffer::block_pool& rx_pool,
                          transport::counters& counts) {
  MDP_ASSERT(removed(node));
  nodes_[node].rx_pool = &rx_pool;
  nodes_[node].counts = &counts;
  nodes_[node].idle_poll = -1;
}

buffer::slice network::copy_into(buffer::block_pool& pool, const packet& p) noexcept {
  buffer::block* const b = pool.acquire();
  if (b == nullptr) return {};
  MDP_ASSERT(b->capacity >= p.bytes);
  std::byte* at = b->data;
  if (p.data) {
    std::memcpy(at, p.data.data(), p.data.size());
    at += p.data.size();
  }
  for (const buffer::slice& part : slab_.more_parts(p)) {
    std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  return buffer::slice::adopt(*b, b->data, p.bytes);
}

void network::spoil(const packet& p, std::span<std::byte> bytes) noexcept {
  ++totals_.corrupted;
  const philox_key key = draw_key(options_.seed, nodes_[p.from].name, draw_purpose::damage);
  spoil_bytes(static_cast<damage>(p.harm), bytes,
              fate_draws(key, std::uint64_t{p.to} << 32 ^ p.number)[0]);
}

// False when the receive pool is empty. Sharing is safe only within one pool: the receiver may keep
// the slice longer than the sender keeps its own pool.
bool network::hand_over(node_state& n, std::uint32_t index, buffer::rx_datagrams& out) noexcept {
  packet& p = slab_[index];
  if (p.data && p.gather == no_gather && p.harm == 0 && p.data.owner()->owner == n.rx_pool) {
    out.data = std::move(p.data);
  } else {
    out.data = copy_into(*n.rx_pool, p);
    if (!out.data) return false;
    if (p.harm != 0) spoil(p, {out.data.data(), out.data.size()});
  }
  out.from = simulated_address(
      p.from, nat_.present() ? seen_port(p.from, p.from_mapping) : nodes_[p.from].port);
  out.segment_bytes = 0;
  out.codepoint = p.codepoint;
  ++totals_.delivered;
  ++n.counts->rx_datagrams;
  n.counts->rx_bytes += p.bytes;
  return true;
}

std::size_t network::receive(std::uint32_t node, std::span<buffer::rx_datagrams> out,
                             std::int64_t deadline) noexcept {
  node_state& n = nodes_[node];
  if (running_ == turn_slot(node)) running_ = nobody;
  if (faults_.any()) {
    if (defer_turn(node)) return 0;
    deadline = faults_.network_time(node, deadline);
  }
  std::size_t count = 0;
  bool no_block = false;
  while (n.inbox_head != no_packet && (count < out.size() || slab_[n.inbox_head].dead)) {
    const std::uint32_t index = n.inbox_head;
    if (slab_[index].dead) {
      count_drop(verdict::closed);
    } else if (hand_over(n, index, out[count])) {
      ++count;
    } else {
      no_block = true;
      ++n.counts->rx_no_block;
      break;
    }
    n.inbox_head = slab_[index].next;
    release(index);
  }
  if (count > 0) ++n.counts->rx_calls;
  std::int64_t wake = std::max(deadline, now_);
  if (n.inbox_head != no_packet) {
    wake = no_block ? std::min(wake, now_ + retry_ns) : now_;
    if (no_block && count == 0) wake = std::max(wake, now_ + retry_ns);
  } else if (count == 0 && deadline <= now_) {
    if (n.idle_poll == now_) wake = now_ + retry_ns;
    n.idle_poll = now_;
  }
  if (wake == no_event) {
    heap_.erase(turn_slot(node));
  } else {
    schedule_turn(node, wake);
  }
  return count;
}

void network::index_senders() {
  by_sender_start_.assign(nodes_.size() + 1, 0);
  for (std::uint32_t i = 0; i < slab_.size(); ++i) {
    if (!slab_[i].dead) ++by_sender_start_[slab_[i].from + 1];
  }
  for (std::size_t i = 1; i < by_sender_start_.size(); ++i) {
    by_sender_start_[i] += by_sender_start_[i - 1];
  }
  by_sender_.resize(by_sender_start_.back());
  std::vector<std::uint32_t> at(by_sender_start_);
  for (std::uint32_t i = 0; i < slab_.size(); ++i) {
    if (!slab_[i].dead) by_sender_[at[slab_[i].from]++] = i;
  }
  by_sender_stamp_ = slab_.allocations() + (std::uint64_t{node_count()} << 40);
}

void network::remove_node(std::uint32_t node) noexcept {
  node_state& n = nodes_[node];
  while (n.inbox_head != no_packet) {
    const std::uint32_t index = n.inbox_head;
    n.inbox_head = slab_[index].next;
    count_drop(verdict::closed);
    release(index);
  }
  end_turn();
  heap_.erase(turn_slot(node));
  n.counts = nullptr;
  n.rx_pool = nullptr;
  if (n.under_way == 0) return;
  if (by_sender_stamp_ != slab_.allocations() + (std::uint64_t{node_count()} << 40)) {
    index_senders();
  }
  for (std::uint32_t i = by_sender_start_[node]; i < by_sender_start_[node + 1]; ++i) {
    packet& p = slab_[by_sender_[i]];
    if (p.dead || p.from != node) continue;
    slab_.drop_payload(by_sender_[i]);
    p.dead = true;
  }
}

}  // namespace mdp::netsim
