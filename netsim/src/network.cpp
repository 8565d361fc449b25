#include "mdp/netsim/network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mdp/base/assert.hpp"

namespace mdp::netsim {
namespace {

constexpr std::uint32_t nodes_max = std::uint32_t{1} << node_bits;

}  // namespace

std::string digest_text(std::uint64_t digest) {
  return fmt::format("{:016x}", digest);
}

network::network(network_options options) : world_(std::move(options)) {
  make_partitions(1);
}

void network::observe(transport::packet_observer& observer) {
  MDP_ASSERT(world_.nodes.empty());
  if (partitions_.size() > 1) shares_ = {.obstacle = "its events are recorded"};
  make_partitions(1);
  world_.observer = &observer;
  for (std::uint32_t w = 0; w < wire_count(); ++w) observer.on_place(w, wire_name(w));
}

std::uint32_t network::add_node(const std::string& name, std::uint16_t port,
                                buffer::block_pool& rx_pool, transport::counters& counts) {
  const std::uint32_t node = node_count();
  if (node >= nodes_max) throw std::runtime_error("netsim: a network has at most 2^30 nodes");
  node_state n;
  n.name = name.empty() ? fmt::format("node-{}", node) : name;
  const attachment& wires = options().attachment_of(n.name);
  n.home = options().topology.home_of(n.name, node);
  const std::uint32_t earlier = names_[name_hash(n.name)]++;
  if (earlier > 0) n.name += fmt::format("#{}", earlier + 1);
  n.rx_pool = &rx_pool;
  n.counts = &counts;
  n.port = port;
  n.partition = partition_of(node, n.home);
  n.ideal_down = wires.down.ideal() && wires.down.mtu_bytes >= wires.up.mtu_bytes;
  for (const auto& [spec, direction] : {std::pair(&wires.up, "/up"), {&wires.down, "/down"}}) {
    const std::string link_name = n.name + direction;
    world_.links.emplace_back(*spec, options().seed, link_name, options().script_of(link_name));
  }
  world_.faults.add_node(n.name, now());
  world_.nat.add_node(wires.nat_timeout_ns);
  world_.nodes.push_back(std::move(n));
  window_known_ = false;
  for (auto& q : partitions_) q->add_slots(world_.turn_slot(node) + 1);
  if (world_.observer != nullptr) {
    const std::string& named = node_name(node);
    world_.observer->on_place(world_.up_slot(node), named + "/up");
    world_.observer->on_place(world_.up_slot(node) + 1, named + "/down");
    world_.observer->on_place(world_.turn_slot(node), named);
  }
  return node;
}

void network::reopen_node(std::uint32_t node, buffer::block_pool& rx_pool,
                          transport::counters& counts) {
  MDP_ASSERT(removed(node));
  world_.nodes[node].rx_pool = &rx_pool;
  world_.nodes[node].counts = &counts;
  world_.nodes[node].idle_poll = -1;
}

void network::remove_node(std::uint32_t node) noexcept {
  MDP_ASSERT(!side_by_side_);
  at(node).close_node(node);
  world_.nodes[node].counts = nullptr;
  world_.nodes[node].rx_pool = nullptr;
  for (auto& q : partitions_) q->orphan(node);
}

void network::send(std::uint32_t node, std::span<const buffer::tx_datagrams> items) noexcept {
  partition& own = at(node);
  for (const buffer::tx_datagrams& item : items) own.send(node, item);
  if (world_.divided && !side_by_side_) pass_on(own);
}

// The partition whose event comes first of all.
std::size_t network::earliest() const noexcept {
  std::size_t first = 0;
  event_heap::key key = partitions_[0]->next();
  for (std::size_t i = 1; i < partitions_.size(); ++i) {
    const event_heap::key other = partitions_[i]->next();
    if (other.time > key.time || (other.time == key.time && other.order > key.order)) continue;
    first = i;
    key = other;
  }
  return first;
}

void network::set_now(std::int64_t time) noexcept {
  for (auto& q : partitions_) q->set_now(time);
}

void network::apply_faults() {
  set_now(world_.faults.next());
  touched_.clear();
  rebound_.clear();
  world_.faults.apply(touched_, rebound_);
  for (const std::uint32_t node : rebound_) world_.nat.rebind(node);
  for (const std::uint32_t node : touched_) {
    if (!removed(node)) at(node).wake_at(node, now());
  }
}

std::int64_t network::advance(std::int64_t limit) noexcept {
  for (auto& q : partitions_) {
    q->end_turn();
    q->take_wake_requests();
  }
  const std::int64_t end = limit == no_event ? no_event : limit + 1;
  for (;;) {
    const std::int64_t fault = world_.faults.next();
    const std::int64_t node = world_.divided ? run_divided(std::min(end, fault))
                                             : partitions_[0]->run_before(std::min(end, fault));
    if (node >= 0) return node;
    if (fault >= end) break;
    apply_faults();
  }
  if (limit != no_event) set_now(limit);
  return -1;
}

// All partitions as if they were one: the earliest event of all, again and again.
std::int64_t network::run_divided(std::int64_t end) noexcept {
  for (;;) {
    partition& q = *partitions_[earliest()];
    const event_heap::key event = q.next();
    if (event.time >= end) return -1;
    set_now(event.time);
    const std::int64_t node = q.run(event);
    pass_on(q);
    if (node >= 0) return node;
  }
}

network_totals network::totals() const noexcept {
  network_totals sum;
  for (const auto& q : partitions_) sum += q->totals();
  return sum;
}

std::uint64_t network::digest() const noexcept {
  std::uint64_t sum = 0;
  for (std::uint32_t node = 0; node < node_count(); ++node) {
    sum += up_link(node).chain().share(std::uint64_t{node} * 3);
    sum += down_link(node).chain().share(std::uint64_t{node} * 3 + 1);
    sum += world_.nodes[node].chain.share(std::uint64_t{node} * 3 + 2);
  }
  // Wires are numbered from the other end: a topology moves no node's share.
  for (std::uint32_t w = 0; w < wire_count(); ++w) {
    sum += wire(w).chain().share(UINT64_MAX - w);
  }
  return sum;
}

}  // namespace mdp::netsim
