#include "mdp/netsim/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "mdp/base/assert.hpp"
#include "mdp/netsim/damage.hpp"

namespace mdp::netsim {
namespace {

constexpr std::uint32_t kind_bit = 30;  // order of events at one instant: kind, then node
constexpr std::uint32_t nodes_max = std::uint32_t{1} << kind_bit;

}  // namespace

std::string digest_text(std::uint64_t digest) {
  return fmt::format("{:016x}", digest);
}

network::network(network_options options) : options_(std::move(options)) {}

std::uint32_t network::add_node(const std::string& name, std::uint16_t port,
                                buffer::block_pool& rx_pool, transport::counters& counts) {
  const std::uint32_t node = node_count();
  if (node >= nodes_max) throw std::runtime_error("netsim: a network has at most 2^30 nodes");
  node_state n;
  n.name = name.empty() ? fmt::format("node-{}", node) : name;
  const attachment& wires = options_.attachment_of(n.name);
  const std::uint32_t earlier = names_[name_hash(n.name)]++;
  if (earlier > 0) n.name += fmt::format("#{}", earlier + 1);
  n.rx_pool = &rx_pool;
  n.counts = &counts;
  n.port = port;
  n.ideal_down = wires.down.ideal() && wires.down.mtu_bytes >= wires.up.mtu_bytes;
  for (const auto& [spec, direction] : {std::pair(&wires.up, "/up"), {&wires.down, "/down"}}) {
    const std::string link_name = n.name + direction;
    links_.emplace_back(*spec, options_.seed, link_name);
  }
  nodes_.push_back(std::move(n));
  heap_.resize(nodes_.size() * 3);
  return node;
}

void network::schedule(entity kind, std::uint32_t node, std::int64_t time) noexcept {
  const auto k = static_cast<std::uint32_t>(kind);
  heap_.set({time, k << kind_bit | node, node * 3 + k});
}

// Moves the node's wake-up to an earlier time; a later one changes nothing.
void network::wake_at(std::uint32_t node, std::int64_t time) noexcept {
  const std::uint32_t slot = node * 3 + static_cast<std::uint32_t>(entity::node);
  if (heap_.contains(slot) && heap_.time_of(slot) <= time) return;
  schedule(entity::node, node, time);
}

void network::request_wake(std::uint32_t node) noexcept {
  const std::lock_guard guard(wake_mutex_);
  wake_requests_.push_back(node);
  wake_requested_.store(true, std::memory_order_release);
}

void network::take_wake_requests() noexcept {
  const std::lock_guard guard(wake_mutex_);
  for (const std::uint32_t node : wake_requests_) {
    if (nodes_[node].counts != nullptr) wake_at(node, now_);
  }
  wake_requests_.clear();
  wake_requested_.store(false, std::memory_order_relaxed);
}

void network::count_drop(verdict v) noexcept {
  if (v == verdict::lost) ++totals_.lost;
  if (v == verdict::queue_full) ++totals_.queue_full;
  if (v == verdict::too_large) ++totals_.too_large;
  if (v == verdict::closed) ++totals_.closed;
  if (v == verdict::no_carrier) ++totals_.no_carrier;
}

void network::release(std::uint32_t index) noexcept {
  --nodes_[slab_[index].from].under_way;
  slab_.release(index);
}

// Puts a packet on a link, and its copy when the link duplicates it.
void network::enter(std::uint32_t link_index, std::uint32_t index) noexcept {
  const verdict v = links_[link_index].offer(now_, slab_[index], slab_);
  const bool twice = links_[link_index].duplicates();
  place(link_index, index, v);
  if (!twice) return;
  const std::uint32_t copy = slab_.duplicate(index);
  ++nodes_[slab_[copy].from].under_way;
  ++totals_.duplicated;
  place(link_index, copy, links_[link_index].offer_copy(now_, slab_[copy], slab_));
}

// Lets an offered packet travel, or drops it, as the link decided.
void network::place(std::uint32_t link_index, std::uint32_t index, verdict v) noexcept {
  if (v != verdict::pass) {
    count_drop(v);
    release(index);
    return;
  }
  link& wire = links_[link_index];
  const std::int64_t before = wire.next_arrival(slab_);
  wire.insert(slab_, index);
  const std::int64_t after = wire.next_arrival(slab_);
  if (after != before) {
    schedule(static_cast<entity>(link_index & 1), link_index / 2, after);
  }
}

void network::send(std::uint32_t node, const buffer::tx_datagrams& item) noexcept {
  transport::counters& counts = *nodes_[node].counts;
  const std::uint32_t segment = item.segment_bytes == 0 ? item.bytes : item.segment_bytes;
  const std::uint32_t to = simulated_node(item.to);
  const bool known = item.to.family == address_family::simulated && to < node_count() &&
                     nodes_[to].port == item.to.port;
  part_cursor cursor;
  std::uint32_t left = item.bytes;
  do {
    const std::uint32_t bytes = std::min(left, segment);
    left -= bytes;
    if (bytes > mtu_bytes_max) {
      ++counts.tx_rejected;
      return;
    }
    ++counts.tx_datagrams;
    counts.tx_bytes += bytes;
    if (known) {
      send_one(node, to, item, bytes, cursor);
    } else {
      ++counts.path_errors;
    }
  } while (left > 0);
}

void network::send_one(std::uint32_t node, std::uint32_t to, const buffer::tx_datagrams& item,
                       std::uint32_t bytes, part_cursor& cursor) {
  const std::uint32_t index = slab_.allocate();
  ++nodes_[node].under_way;
  ++totals_.sent;
  packet& p = slab_[index];
  p.from = node;
  p.to = to;
  p.bytes = static_cast<std::uint16_t>(bytes);
  p.codepoint = item.codepoint;
  for (std::uint32_t missing = bytes; missing > 0;) {
    MDP_ASSERT(cursor.part < item.parts.size());
    const buffer::slice& part = item.parts[cursor.part];
    const std::uint32_t take = std::min(missing, part.size() - cursor.offset);
    if (take > 0) slab_.add_part(index, part.subslice(cursor.offset, take));
    missing -= take;
    cursor.offset += take;
    if (cursor.offset == part.size()) cursor = {cursor.part + 1, 0};
  }
  enter(node * 2, index);
}

void network::run_link(std::uint32_t link_index) noexcept {
  const bool up = (link_index & 1) == 0;
  for (;;) {
    const std::uint32_t index = links_[link_index].take(slab_);
    const packet& p = slab_[index];
    if (p.dead) {
      count_drop(verdict::closed);
      release(index);
    } else if (up && !nodes_[p.to].ideal_down) {
      enter(p.to * 2 + 1, index);
    } else {
      reach_node(index);
    }
    const std::int64_t next = links_[link_index].next_arrival(slab_);
    if (next == now_) continue;
    const auto kind = static_cast<entity>(link_index & 1);
    if (next == no_event) {
      heap_.erase(link_index / 2 * 3 + static_cast<std::uint32_t>(kind));
    } else {
      schedule(kind, link_index / 2, next);
    }
    return;
  }
}

void network::reach_node(std::uint32_t index) noexcept {
  packet& p = slab_[index];
  node_state& n = nodes_[p.to];
  const verdict v = n.counts == nullptr ? verdict::closed : verdict::pass;
  n.chain.absorb(now_, event_kind::delivery, std::uint64_t{p.from} << 32 | p.number, p.bytes, v);
  if (v == verdict::closed) {
    count_drop(v);
    if (nodes_[p.from].counts != nullptr) ++nodes_[p.from].counts->path_errors;
    release(index);
    return;
  }
  p.next = no_packet;
  if (n.inbox_head == no_packet) {
    n.inbox_head = index;
  } else {
    slab_[n.inbox_tail].next = index;
  }
  n.inbox_tail = index;
  wake_at(p.to, now_);
}

void network::end_turn() noexcept {
  if (running_ == nobody) return;
  heap_.erase(running_);
  running_ = nobody;
}

std::int64_t network::advance(std::int64_t limit) noexcept {
  end_turn();
  if (wake_requested_.load(std::memory_order_acquire)) take_wake_requests();
  while (!heap_.empty() && heap_.top().time <= limit) {
    const event_heap::key next = heap_.top();
    now_ = std::max(now_, next.time);
    ++totals_.events;
    const std::uint32_t node = next.slot / 3;
    const auto kind = static_cast<entity>(next.slot % 3);
    if (kind != entity::node) {
      run_link(node * 2 + static_cast<std::uint32_t>(kind));
      continue;
    }
    running_ =
        next.slot;  // stays queued: receive() moves it, which is cheaper than out and in again
    node_state& n = nodes_[node];
    if (n.inbox_head == no_packet) n.chain.absorb(now_, event_kind::wake_up, 0, 0, verdict::pass);
    return node;
  }
  if (limit != no_event) now_ = std::max(now_, limit);
  return -1;
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
              fate_draws(key, std::uint64_t{p.to} << 32 | p.number)[0]);
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
  out.from = simulated_address(p.from, nodes_[p.from].port);
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
  if (running_ == node * 3 + static_cast<std::uint32_t>(entity::node)) running_ = nobody;
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
    heap_.erase(node * 3 + static_cast<std::uint32_t>(entity::node));
  } else {
    schedule(entity::node, node, wake);
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
  heap_.erase(node * 3 + static_cast<std::uint32_t>(entity::node));
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

std::uint64_t network::digest() const noexcept {
  std::uint64_t sum = 0;
  for (std::uint32_t node = 0; node < node_count(); ++node) {
    sum += up_link(node).chain().share(std::uint64_t{node} * 3);
    sum += down_link(node).chain().share(std::uint64_t{node} * 3 + 1);
    sum += nodes_[node].chain.share(std::uint64_t{node} * 3 + 2);
  }
  return sum;
}

}  // namespace mdp::netsim
