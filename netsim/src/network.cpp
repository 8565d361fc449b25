#include "mdp/netsim/network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mdp/base/assert.hpp"

namespace mdp::netsim {
namespace {

constexpr std::uint32_t kind_bit = 30;  // order of events at one instant: kind, then node
constexpr std::uint32_t nodes_max = std::uint32_t{1} << kind_bit;
static_assert(kind_bit <= node_bits);

bool has_nat(const network_options& options) {
  return std::any_of(options.links.begin(), options.links.end(),
                     [](const auto& link) { return link.second.nat; }) ||
         std::any_of(options.faults.begin(), options.faults.end(),
                     [](const node_fault& fault) { return fault.kind == fault_kind::rebind; });
}

}  // namespace

std::string digest_text(std::uint64_t digest) {
  return fmt::format("{:016x}", digest);
}

network::network(network_options options)
    : options_(std::move(options)),
      faults_(options_.faults),
      nat_(has_nat(options_)),
      routes_(options_.topology),
      wire_count_(static_cast<std::uint32_t>(options_.topology.trunks.size() * 2)) {
  for (std::uint32_t w = 0; w < wire_count_; ++w) {
    const trunk_spec& trunk = options_.topology.trunks[w / 2];
    links_.emplace_back(w % 2 == 0 ? trunk.forth : trunk.back, options_.seed, wire_name(w),
                        options_.script_of(wire_name(w)));
  }
  heap_.resize(wire_count_);
}

std::string network::wire_name(std::uint32_t number) const {
  const topology_spec& t = options_.topology;
  const trunk_spec& trunk = t.trunks[number / 2];
  const bool forth = number % 2 == 0;
  return fmt::format("{}->{}", t.routers[forth ? trunk.from : trunk.to],
                     t.routers[forth ? trunk.to : trunk.from]);
}

std::uint32_t network::add_node(const std::string& name, std::uint16_t port,
                                buffer::block_pool& rx_pool, transport::counters& counts) {
  const std::uint32_t node = node_count();
  if (node >= nodes_max) throw std::runtime_error("netsim: a network has at most 2^30 nodes");
  node_state n;
  n.name = name.empty() ? fmt::format("node-{}", node) : name;
  const attachment& wires = options_.attachment_of(n.name);
  n.home = options_.topology.home_of(n.name, node);
  const std::uint32_t earlier = names_[name_hash(n.name)]++;
  if (earlier > 0) n.name += fmt::format("#{}", earlier + 1);
  n.rx_pool = &rx_pool;
  n.counts = &counts;
  n.port = port;
  n.ideal_down = wires.down.ideal() && wires.down.mtu_bytes >= wires.up.mtu_bytes;
  for (const auto& [spec, direction] : {std::pair(&wires.up, "/up"), {&wires.down, "/down"}}) {
    const std::string link_name = n.name + direction;
    links_.emplace_back(*spec, options_.seed, link_name, options_.script_of(link_name));
  }
  faults_.add_node(n.name, now_);
  nat_.add_node(wires.nat_timeout_ns);
  nodes_.push_back(std::move(n));
  heap_.resize(turn_slot(node) + 1);
  announce_node(node);
  return node;
}

event_heap::key network::link_key(std::uint32_t link_id, std::int64_t time) const noexcept {
  if (link_id < wire_count_) {
    return {time, static_cast<std::uint32_t>(entity::wire) << kind_bit | link_id, link_id};
  }
  const std::uint32_t node = (link_id - wire_count_) / 2;
  const std::uint32_t down = (link_id - wire_count_) % 2;
  const entity kind = down != 0 ? entity::down : entity::up;
  return {time, static_cast<std::uint32_t>(kind) << kind_bit | node, up_slot(node) + down};
}

void network::schedule_turn(std::uint32_t node, std::int64_t time) noexcept {
  heap_.set({time, static_cast<std::uint32_t>(entity::node) << kind_bit | node, turn_slot(node)});
}

// Moves the node's wake-up to an earlier time; a later one changes nothing.
void network::wake_at(std::uint32_t node, std::int64_t time) noexcept {
  const std::uint32_t slot = turn_slot(node);
  if (heap_.contains(slot) && heap_.time_of(slot) <= time) return;
  schedule_turn(node, time);
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
void network::enter(std::uint32_t link_id, std::uint32_t index) noexcept {
  const packet& p = slab_[index];
  const bool parted = faults_.any() && link_id == up_id(p.from) && faults_.parted(p.from, p.to);
  if (links_[link_id].manages()) settle(link_id);  // what left before this one came
  const verdict v = links_[link_id].offer(now_, slab_[index], slab_, parted);
  const bool twice = links_[link_id].duplicates();
  if (observer_ != nullptr && v != verdict::waits) tell_offer(link_id, index, v, false);
  place(link_id, index, v);
  if (!twice) return;
  const std::uint32_t copy = slab_.duplicate(index);
  ++nodes_[slab_[copy].from].under_way;
  ++totals_.duplicated;
  const verdict second = links_[link_id].offer_copy(now_, slab_[copy], slab_);
  if (observer_ != nullptr && second != verdict::waits) tell_offer(link_id, copy, second, true);
  place(link_id, copy, second);
}

// Lets an offered packet travel, or drops it, as the link decided.
void network::place(std::uint32_t link_id, std::uint32_t index, verdict v) noexcept {
  link& wire = links_[link_id];
  if (v == verdict::waits) {
    wire.enqueue(now_, slab_, index);
    settle(link_id);
    return;
  }
  if (v != verdict::pass) {
    count_drop(v);
    release(index);
    return;
  }
  const std::int64_t before = wire.next_arrival(slab_);
  wire.insert(slab_, index);
  const std::int64_t after = wire.next_arrival(slab_);
  if (after != before) heap_.set(link_key(link_id, after));
}

// A queue that decides when packets leave has decided.
void network::settle(std::uint32_t link_id) noexcept {
  for (const link::outcome& o : links_[link_id].settle(now_, slab_)) {
    if (observer_ != nullptr) tell_settled(link_id, o.index, o.what);
    place(link_id, o.index, o.what);
  }
}

void network::send(std::uint32_t node, const buffer::tx_datagrams& item) noexcept {
  transport::counters& counts = *nodes_[node].counts;
  const std::uint32_t segment = item.segment_bytes == 0 ? item.bytes : item.segment_bytes;
  recipient to{simulated_node(item.to)};
  const bool known = item.to.family == address_family::simulated && to.node < node_count() &&
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

void network::send_one(std::uint32_t node, recipient to, const buffer::tx_datagrams& item,
                       std::uint32_t bytes, part_cursor& cursor) {
  const std::uint32_t index = slab_.allocate();
  ++nodes_[node].under_way;
  ++totals_.sent;
  packet& p = slab_[index];
  p.from = node & node_mask;
  p.to = to.node & node_mask;
  if (nat_.present()) {
    p.from_mapping = nat_.leave(node, now_) & mapping_mask;
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
  enter(up_id(node), index);
}

void network::run_link(std::uint32_t link_id) noexcept {
  for (;;) {
    const std::uint32_t index = links_[link_id].take(slab_);
    if (links_[link_id].manages()) settle(link_id);
    leave(link_id, index);
    const std::int64_t next = links_[link_id].next_arrival(slab_);
    if (next == now_) continue;
    const event_heap::key key = link_key(link_id, next);
    if (next == no_event) {
      heap_.erase(key.slot);
    } else {
      heap_.set(key);
    }
    return;
  }
}

// A packet has come out of a link.
void network::leave(std::uint32_t link_id, std::uint32_t index) noexcept {
  const packet& p = slab_[index];
  if (p.dead) {
    if (observer_ != nullptr) {
      tell_arrival(link_key(link_id, 0).slot, index, transport::packet_fate::closed,
                   links_[link_id].chain().value());
    }
    count_drop(verdict::closed);
    release(index);
  } else if (link_id < wire_count_) {
    const trunk_spec& trunk = options_.topology.trunks[link_id / 2];
    reach_router(link_id % 2 == 0 ? trunk.to : trunk.from, index);
  } else if ((link_id - wire_count_) % 2 == 0) {
    reach_router(nodes_[p.from].home, index);
  } else {
    reach_node(index);
  }
}

void network::reach_router(std::uint32_t router, std::uint32_t index) noexcept {
  const std::uint32_t to = slab_[index].to;
  const node_state& n = nodes_[to];
  if (router != n.home) {
    enter(routes_.next(router, n.home), index);
  } else if (n.ideal_down) {
    reach_node(index);
  } else {
    enter(up_id(to) + 1, index);
  }
}

void network::reach_node(std::uint32_t index) noexcept {
  packet& p = slab_[index];
  node_state& n = nodes_[p.to];
  const bool forgotten = nat_.present() && !nat_.passes(p.to, p.to_mapping, now_);
  const verdict v = n.counts == nullptr || forgotten ? verdict::closed : verdict::pass;
  n.chain.absorb(now_, event_kind::delivery, std::uint64_t{p.from} << 32 ^ p.number, p.bytes, v);
  if (observer_ != nullptr) {
    using enum transport::packet_fate;
    tell_arrival(turn_slot(p.to), index, v == verdict::closed ? closed : delivered,
                 n.chain.value());
  }
  if (v == verdict::closed) {
    count_drop(v);
    // A NAT drops in silence.
    if (nodes_[p.from].counts != nullptr && !forgotten) ++nodes_[p.from].counts->path_errors;
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
  for (;;) {
    const std::int64_t due = heap_.empty() ? no_event : heap_.top().time;
    if (faults_.next() <= std::min(due, limit)) {
      if (faults_.next() == no_event) break;
      apply_faults();
      continue;
    }
    if (heap_.empty() || due > limit) break;
    const event_heap::key next = heap_.top();
    now_ = std::max(now_, next.time);
    ++totals_.events;
    if (next.slot < wire_count_) {
      run_link(next.slot);
      continue;
    }
    const std::uint32_t node = (next.slot - wire_count_) / 3;
    const std::uint32_t part = (next.slot - wire_count_) % 3;
    if (part < 2) {
      run_link(up_id(node) + part);
      continue;
    }
    if (faults_.any() && defer_turn(node)) continue;
    // Stays queued: receive() moves it, which is cheaper than out and in again.
    running_ = next.slot;
    node_state& n = nodes_[node];
    if (n.inbox_head == no_packet) {
      n.chain.absorb(now_, event_kind::wake_up, 0, 0, verdict::pass);
      if (observer_ != nullptr) tell_wake_up(node);
    }
    return node;
  }
  if (limit != no_event) now_ = std::max(now_, limit);
  return -1;
}

std::uint64_t network::digest() const noexcept {
  std::uint64_t sum = 0;
  for (std::uint32_t node = 0; node < node_count(); ++node) {
    sum += up_link(node).chain().share(std::uint64_t{node} * 3);
    sum += down_link(node).chain().share(std::uint64_t{node} * 3 + 1);
    sum += nodes_[node].chain.share(std::uint64_t{node} * 3 + 2);
  }
  // Wires are numbered from the other end: a topology moves no node's share.
  for (std::uint32_t w = 0; w < wire_count_; ++w) {
    sum += links_[w].chain().share(UINT64_MAX - w);
  }
  return sum;
}

}  // namespace mdp::netsim
