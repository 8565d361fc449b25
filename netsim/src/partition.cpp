#include "mdp/netsim/partition.hpp"

#include <algorithm>

#include "mdp/base/assert.hpp"

namespace mdp::netsim {

network_totals& network_totals::operator+=(const network_totals& other) noexcept {
  events += other.events;
  sent += other.sent;
  delivered += other.delivered;
  lost += other.lost;
  queue_full += other.queue_full;
  too_large += other.too_large;
  closed += other.closed;
  no_carrier += other.no_carrier;
  duplicated += other.duplicated;
  corrupted += other.corrupted;
  return *this;
}

partition::partition(world& shared, std::uint32_t number, std::uint32_t partitions,
                     std::uint32_t payload_bytes)
    : world_(shared),
      number_(number),
      store_(payload_bytes),
      outboxes_{std::vector<outbox>(partitions), std::vector<outbox>(partitions)} {
  heap_.resize(world_.wire_count);
}

void partition::schedule_turn(std::uint32_t node, std::int64_t time) noexcept {
  heap_.set(world_.turn_key(node, time));
}

// Moves the node's wake-up to an earlier time; a later one changes nothing.
void partition::wake_at(std::uint32_t node, std::int64_t time) noexcept {
  const std::uint32_t slot = world_.turn_slot(node);
  if (heap_.contains(slot) && heap_.time_of(slot) <= time) return;
  schedule_turn(node, time);
}

void partition::request_wake(std::uint32_t node) noexcept {
  const std::lock_guard guard(wake_mutex_);
  wake_requests_.push_back(node);
  wake_requested_.store(true, std::memory_order_release);
}

void partition::take_requests() noexcept {
  const std::lock_guard guard(wake_mutex_);
  for (const std::uint32_t node : wake_requests_) {
    if (world_.nodes[node].counts != nullptr) wake_at(node, now_);
  }
  wake_requests_.clear();
  wake_requested_.store(false, std::memory_order_relaxed);
}

void partition::count_drop(verdict v) noexcept {
  if (v == verdict::lost) ++totals_.lost;
  if (v == verdict::queue_full) ++totals_.queue_full;
  if (v == verdict::too_large) ++totals_.too_large;
  if (v == verdict::closed) ++totals_.closed;
  if (v == verdict::no_carrier) ++totals_.no_carrier;
}

// Puts a packet on a link, and its copy when the link duplicates it.
void partition::enter(std::uint32_t link_id, std::uint32_t index) noexcept {
  const packet& p = slab_[index];
  const bool parted =
      world_.faults.any() && link_id == world_.up_id(p.from) && world_.faults.parted(p.from, p.to);
  if (world_.links[link_id].manages()) settle(link_id);  // what left before this one came
  const verdict v = world_.links[link_id].offer(now_, slab_[index], slab_, parted);
  const bool twice = world_.links[link_id].duplicates();
  if (world_.observer != nullptr && v != verdict::waits) tell_offer(link_id, index, v, false);
  place(link_id, index, v);
  if (!twice) return;
  const std::uint32_t copy = slab_.duplicate(index);
  ++totals_.duplicated;
  const verdict second = world_.links[link_id].offer_copy(now_, slab_[copy], slab_);
  if (world_.observer != nullptr && second != verdict::waits)
    tell_offer(link_id, copy, second, true);
  place(link_id, copy, second);
}

// Lets an offered packet travel, or drops it, as the link decided.
void partition::place(std::uint32_t link_id, std::uint32_t index, verdict v) noexcept {
  link& wire = world_.links[link_id];
  if (v == verdict::waits) {
    wire.enqueue(now_, slab_, index);
    settle(link_id);
    return;
  }
  if (v != verdict::pass) {
    count_drop(v);
    slab_.release(index);
    return;
  }
  const std::uint32_t owner = next_owner(link_id, slab_[index]);
  if (owner != number_)
    outboxes_[filled_][owner].add(slab_, index, link_id, world_.link_key(link_id, 0).order);
  const std::int64_t before = wire.next_arrival(slab_);
  wire.insert(slab_, index);
  const std::int64_t after = wire.next_arrival(slab_);
  if (after != before) heap_.set(world_.link_key(link_id, after));
}

// A queue that decides when packets leave has decided.
void partition::settle(std::uint32_t link_id) noexcept {
  for (const link::outcome& o : world_.links[link_id].settle(now_, slab_)) {
    if (world_.observer != nullptr) tell_settled(link_id, o.index, o.what);
    place(link_id, o.index, o.what);
  }
}

void partition::send(std::uint32_t node, const buffer::tx_datagrams& item) noexcept {
  transport::counters& counts = *world_.nodes[node].counts;
  const std::uint32_t segment = item.segment_bytes == 0 ? item.bytes : item.segment_bytes;
  recipient to{simulated_node(item.to)};
  const bool known = item.to.family == address_family::simulated && to.node < world_.node_count() &&
                     reaches(to.node, item.to.port, to.mapping);
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

void partition::send_one(std::uint32_t node, recipient to, const buffer::tx_datagrams& item,
                         std::uint32_t bytes, part_cursor& cursor) {
  const std::uint32_t index = slab_.allocate();
  ++totals_.sent;
  packet& p = slab_[index];
  p.from = node & node_mask;
  p.to = to.node & node_mask;
  if (world_.nat.present()) {
    p.from_mapping = world_.nat.leave(node, now_) & mapping_mask;
    p.to_mapping = to.mapping & mapping_mask;
  }
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
  enter(world_.up_id(node), index);
}

void partition::run_link(std::uint32_t link_id) noexcept {
  for (;;) {
    const std::uint32_t index = world_.links[link_id].take(slab_);
    if (world_.links[link_id].manages()) settle(link_id);
    leave(link_id, index);
    const std::int64_t next = world_.links[link_id].next_arrival(slab_);
    if (next == now_) continue;
    const event_heap::key key = world_.link_key(link_id, next);
    if (next == no_event) {
      heap_.erase(key.slot);
    } else {
      heap_.set(key);
    }
    return;
  }
}

void partition::take_in(const outbox& from) {
  const std::byte* payload = from.bytes().data();
  for (const crossing& c : from.packets()) {
    const std::uint32_t index = slab_.allocate();
    slab_[index] = c.what;
    if (c.what.bytes > 0) slab_.add_part(index, store_.copy_of(payload, c.what.bytes));
    payload += c.what.bytes;
    arrivals_.push({.time = c.what.arrive, .order = c.order, .link = c.link, .index = index});
  }
}

// All that come out of one link at this instant. The link's own event counts.
void partition::run_arrivals() noexcept {
  const std::uint32_t order = arrivals_.top().order;
  do {
    const arrivals::entry e = arrivals_.pop();
    come_out(e.link, e.index);
  } while (!arrivals_.empty() && arrivals_.top().time == now_ && arrivals_.top().order == order);
}

// A packet has come to the end of a link.
void partition::leave(std::uint32_t link_id, std::uint32_t index) noexcept {
  if (next_owner(link_id, slab_[index]) == number_) {
    come_out(link_id, index);
  } else {
    slab_.release(index);
  }
}

void partition::come_out(std::uint32_t link_id, std::uint32_t index) noexcept {
  const packet& p = slab_[index];
  if (p.dead) {
    if (world_.observer != nullptr) {
      tell_arrival(world_.link_key(link_id, 0).slot, index, transport::packet_fate::closed,
                   world_.links[link_id].chain().value());
    }
    count_drop(verdict::closed);
    slab_.release(index);
  } else if (link_id < world_.wire_count) {
    reach_router(world_.beyond(link_id), index);
  } else if ((link_id - world_.wire_count) % 2 == 0) {
    reach_router(world_.nodes[p.from].home, index);
  } else {
    reach_node(index);
  }
}

void partition::reach_router(std::uint32_t router, std::uint32_t index) noexcept {
  const std::uint32_t to = slab_[index].to;
  const node_state& n = world_.nodes[to];
  if (router != n.home) {
    enter(world_.routes.next(router, n.home), index);
  } else if (n.ideal_down) {
    reach_node(index);
  } else {
    enter(world_.up_id(to) + 1, index);
  }
}

void partition::reach_node(std::uint32_t index) noexcept {
  packet& p = slab_[index];
  node_state& n = world_.nodes[p.to];
  const bool forgotten = world_.nat.present() && !world_.nat.passes(p.to, p.to_mapping, now_);
  const verdict v = n.counts == nullptr || forgotten ? verdict::closed : verdict::pass;
  n.chain.absorb(now_, event_kind::delivery, std::uint64_t{p.from} << 32 ^ p.number, p.bytes, v);
  if (world_.observer != nullptr) {
    using enum transport::packet_fate;
    tell_arrival(world_.turn_slot(p.to), index, v == verdict::closed ? closed : delivered,
                 n.chain.value());
  }
  if (v == verdict::closed) {
    count_drop(v);
    // A NAT drops in silence.
    if (world_.nodes[p.from].counts != nullptr && !forgotten) count_path_error(p.from);
    slab_.release(index);
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

void partition::count_path_error(std::uint32_t sender) noexcept {
  if (world_.nodes[sender].partition == number_) {
    ++world_.nodes[sender].counts->path_errors;
  } else {
    path_errors_.push_back(sender);
  }
}

void partition::end_turn() noexcept {
  if (running_ == nobody) return;
  heap_.erase(running_);
  running_ = nobody;
}

event_heap::key partition::earlier_of_both() const noexcept {
  const arrivals::entry& in = arrivals_.top();
  if (!heap_.empty()) {
    const event_heap::key& own = heap_.top();
    if (own.time < in.time || (own.time == in.time && own.order < in.order)) return own;
  }
  return {in.time, in.order, from_elsewhere};
}

std::int64_t partition::run_before(std::int64_t end) noexcept {
  for (;;) {
    const event_heap::key event = next();
    if (event.time >= end) return -1;
    const std::int64_t node = run(event);
    if (node >= 0) return node;
  }
}

std::int64_t partition::run(const event_heap::key& event) noexcept {
  set_now(event.time);
  if (event.slot == from_elsewhere) {
    run_arrivals();
    return -1;
  }
  ++totals_.events;
  if (event.slot < world_.wire_count) {
    run_link(event.slot);
    return -1;
  }
  const std::uint32_t node = (event.slot - world_.wire_count) / 3;
  const std::uint32_t part = (event.slot - world_.wire_count) % 3;
  if (part < 2) {
    run_link(world_.up_id(node) + part);
    return -1;
  }
  if (world_.faults.any() && defer_turn(node)) return -1;
  // Stays queued: receive() moves it, which is cheaper than out and in again.
  running_ = event.slot;
  node_state& n = world_.nodes[node];
  if (n.inbox_head == no_packet) {
    n.chain.absorb(now_, event_kind::wake_up, 0, 0, verdict::pass);
    if (world_.observer != nullptr) tell_wake_up(node);
  }
  return node;
}

}  // namespace mdp::netsim
