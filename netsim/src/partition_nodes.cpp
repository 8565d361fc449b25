// What nodes take from the network, and how they leave it.
#include <algorithm>
#include <cstring>

#include "mdp/base/assert.hpp"
#include "mdp/netsim/damage.hpp"
#include "mdp/netsim/partition.hpp"

namespace mdp::netsim {

buffer::slice partition::copy_into(buffer::block_pool& pool, const packet& p) noexcept {
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

void partition::spoil(const packet& p, std::span<std::byte> bytes) noexcept {
  ++totals_.corrupted;
  const philox_key key =
      draw_key(world_.options.seed, world_.nodes[p.from].name, draw_purpose::damage);
  spoil_bytes(static_cast<damage>(p.harm), bytes,
              fate_draws(key, std::uint64_t{p.to} << 32 ^ p.number)[0]);
}

// False when the receive pool is empty. Sharing is safe only within one pool: the receiver may keep
// the slice longer than the sender keeps its own pool.
bool partition::hand_over(node_state& n, std::uint32_t index, buffer::rx_datagrams& out) noexcept {
  packet& p = slab_[index];
  if (p.data && p.gather == no_gather && p.harm == 0 && p.data.owner()->owner == n.rx_pool) {
    out.data = std::move(p.data);
  } else {
    out.data = copy_into(*n.rx_pool, p);
    if (!out.data) return false;
    if (p.harm != 0) spoil(p, {out.data.data(), out.data.size()});
  }
  out.from = simulated_address(
      p.from, world_.nat.present() ? seen_port(p.from, p.from_mapping) : world_.nodes[p.from].port);
  out.segment_bytes = 0;
  out.codepoint = p.codepoint;
  ++totals_.delivered;
  ++n.counts->rx_datagrams;
  n.counts->rx_bytes += p.bytes;
  return true;
}

std::size_t partition::receive(std::uint32_t node, std::span<buffer::rx_datagrams> out,
                               std::int64_t deadline) noexcept {
  node_state& n = world_.nodes[node];
  if (running_ == world_.turn_slot(node)) running_ = nobody;
  if (world_.faults.any()) {
    if (defer_turn(node)) return 0;
    deadline = world_.faults.network_time(node, deadline);
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
    slab_.release(index);
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
    heap_.erase(world_.turn_slot(node));
  } else {
    schedule_turn(node, wake);
  }
  return count;
}

std::uint64_t partition::senders_stamp() const noexcept {
  return slab_.allocations() + (std::uint64_t{world_.node_count()} << 40);
}

void partition::index_senders() {
  by_sender_start_.assign(world_.nodes.size() + 1, 0);
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
  by_sender_stamp_ = senders_stamp();
}

void partition::close_node(std::uint32_t node) noexcept {
  node_state& n = world_.nodes[node];
  while (n.inbox_head != no_packet) {
    const std::uint32_t index = n.inbox_head;
    n.inbox_head = slab_[index].next;
    count_drop(verdict::closed);
    slab_.release(index);
  }
  end_turn();
  heap_.erase(world_.turn_slot(node));
}

void partition::orphan(std::uint32_t node) noexcept {
  if (slab_.live() == 0) return;
  if (by_sender_stamp_ != senders_stamp()) index_senders();
  for (std::uint32_t i = by_sender_start_[node]; i < by_sender_start_[node + 1]; ++i) {
    packet& p = slab_[by_sender_[i]];
    if (p.dead || p.from != node) continue;
    slab_.drop_payload(by_sender_[i]);
    p.dead = true;
  }
}

// True: the node is paused, and its turn is to come when it runs again.
bool partition::defer_turn(std::uint32_t node) noexcept {
  const std::int64_t until = world_.faults.paused_until(node);
  if (until <= now_) return false;
  if (until == no_event) {
    heap_.erase(world_.turn_slot(node));
  } else {
    schedule_turn(node, until);
  }
  return true;
}

// The port that others see for a mapping: its low bits travelled with the packet.
std::uint16_t partition::seen_port(std::uint32_t node, std::uint32_t mapping) const noexcept {
  return static_cast<std::uint16_t>(world_.nodes[node].port + world_.nat.newest(node, mapping));
}

// Whether the node has, or had, this port. An old mapping becomes the one before the present: a
// packet to it travels and is dropped at the NAT.
bool partition::reaches(std::uint32_t to, std::uint16_t port,
                        std::uint32_t& mapping) const noexcept {
  if (!world_.nat.present()) return world_.nodes[to].port == port;
  const auto number = static_cast<std::uint16_t>(port - world_.nodes[to].port);
  const std::uint32_t current = world_.nat.current(to);
  if (number > current) return false;
  mapping = number == current ? current : current - 1;
  return true;
}

}  // namespace mdp::netsim
