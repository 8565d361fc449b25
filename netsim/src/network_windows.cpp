// A network in partitions that run side by side, after Chandy and Misra (1979) with a window for
// all: nothing that happens in one partition is felt in another within the least delay of the links
// between them. So all may run that far, then pass on what crosses.
#include <algorithm>

#include "mdp/netsim/cut.hpp"
#include "mdp/netsim/network.hpp"

namespace mdp::netsim {
namespace {

// Below so many events in a window, waking threads for the next costs more than they spare.
constexpr std::uint64_t crowd = 200;

std::int64_t plus(std::int64_t a, std::int64_t b) noexcept {
  return a > no_event - b ? no_event : a + b;
}

std::uint32_t largest_mtu(const network_options& options) {
  std::uint32_t largest = 0;
  for (const auto& [name, wires] : options.links) largest = std::max(largest, wires.up.mtu_bytes);
  return largest;
}

}  // namespace

void network::make_partitions(std::uint32_t count) {
  partitions_.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    partitions_.push_back(
        std::make_unique<partition>(world_, i, count, largest_mtu(world_.options)));
  }
  world_.divided = count > 1;
  shares_.partitions = count;
}

void network::divide(const transport::division& wanted) {
  MDP_ASSERT(world_.nodes.empty());
  if (wanted.partitions < 2) return;
  if (world_.observer != nullptr || world_.nat.present()) {
    shares_ = {.obstacle = world_.nat.present() ? "nodes are behind a NAT, whose ports all see"
                                                : "its events are recorded"};
    return;
  }
  nodes_expected_ = std::max<std::size_t>(1, wanted.nodes);
  const auto routers = static_cast<std::uint32_t>(world_.router_partition.size());
  cut_at_nodes_ = routers < wanted.partitions;
  if (!cut_at_nodes_)
    world_.router_partition = cut_at_trunks(options().topology, wanted.partitions);
  make_partitions(wanted.partitions);
}

// Nodes go with their router; where there are few, neighbours by number stay together.
std::uint32_t network::partition_of(std::uint32_t node, std::uint32_t home) const noexcept {
  if (!cut_at_nodes_) return world_.router_partition[home];
  const std::size_t count = partitions_.size();
  return static_cast<std::uint32_t>(std::min(node * count / nodes_expected_, count - 1));
}

void network::find_window() {
  window_known_ = true;
  std::int64_t least = no_event;
  const topology_spec& t = options().topology;
  for (const trunk_spec& trunk : t.trunks) {
    if (!cut_at_nodes_ && world_.router_partition[trunk.from] == world_.router_partition[trunk.to])
      continue;
    least = std::min({least, least_delay_ns(trunk.forth), least_delay_ns(trunk.back)});
  }
  for (std::uint32_t node = 0; cut_at_nodes_ && node < node_count(); ++node) {
    least = std::min(least, least_delay_ns(options().attachment_of(node_name(node)).up));
  }
  shares_.window_ns = least;
  shares_.obstacle =
      least > 0 ? "" : "links between its partitions have no delay, or a queue that decides late";
}

// What comes from one partition while only one runs.
void network::pass_on(partition& from) noexcept {
  for (std::uint32_t i = 0; i < partitions_.size(); ++i) {
    outbox& out = from.outbox_to(0, i);
    if (out.earliest() == no_event) continue;
    partitions_[i]->take_in(out);
    out.clear();
  }
  for (const std::uint32_t node : from.path_errors()) ++world_.nodes[node].counts->path_errors;
  from.path_errors().clear();
}

void network::run_in_turn(std::int64_t limit, transport::turns& turns) {
  while (turns.go_on()) {
    const std::int64_t node = advance(limit);
    if (node < 0) return;
    turns.take_turn(node);
  }
}

void network::run(std::int64_t limit, transport::turns& turns, crew* threads) {
  if (world_.divided && !window_known_) find_window();
  if (!world_.divided || shares_.window_ns <= 0) return run_in_turn(limit, turns);
  for (auto& q : partitions_) q->end_turn();
  turns_ = &turns;
  shares_.threads = threads == nullptr ? 1 : threads->threads();
  bool over = false;
  while (!over && turns.go_on()) {
    const std::int64_t due = next_due();
    if (world_.faults.next() <= std::min(due, limit)) {
      over = world_.faults.next() == no_event;
      if (!over) apply_faults();
      continue;
    }
    over = due > limit || due == no_event;
    if (over) continue;
    run_window(std::min({plus(due, shares_.window_ns), world_.faults.next(), plus(limit, 1)}),
               threads);
  }
  end_windows();
  if (over && limit != no_event) set_now(limit);
}

std::int64_t network::next_due() noexcept {
  std::int64_t due = no_event;
  for (auto& q : partitions_) {
    q->take_wake_requests();
    due = std::min(due, q->next().time);
    for (std::uint32_t i = 0; i < partitions_.size(); ++i)
      due = std::min(due, q->outbox_to(filled_, i).earliest());
  }
  return due;
}

// Runs all partitions up to `end`, exclusive.
void network::run_window(std::int64_t end, crew* threads) {
  window_end_ = end;
  filled_ = 1 - filled_;
  side_by_side_ = true;
  const auto count = static_cast<std::uint32_t>(partitions_.size());
  if (threads != nullptr && crowded_) {
    threads->each(count, *this);
  } else {
    for (std::uint32_t i = 0; i < count; ++i) piece(i);
  }
  side_by_side_ = false;
  for (auto& q : partitions_) {
    for (const std::uint32_t node : q->path_errors()) ++world_.nodes[node].counts->path_errors;
    q->path_errors().clear();
  }
  const std::uint64_t events = totals().events;
  crowded_ = events - events_before_ >= crowd;
  events_before_ = events;
}

// One partition's part of the window: what crossed in the last one, then its own events.
void network::piece(std::uint32_t number) noexcept {
  partition& q = *partitions_[number];
  q.fill(filled_);
  for (std::uint32_t i = 0; i < partitions_.size(); ++i) q.outbox_to(filled_, i).clear();
  for (auto& other : partitions_) q.take_in(other->outbox_to(1 - filled_, number));
  for (;;) {
    q.take_wake_requests();
    const std::int64_t node = q.run_before(window_end_);
    if (node < 0) return;
    turns_->take_turn(node);
    q.end_turn();
  }
}

// Everything is where it would be had only one partition run.
void network::end_windows() noexcept {
  for (auto& q : partitions_) {
    for (std::uint32_t i = 0; i < partitions_.size(); ++i) {
      partitions_[i]->take_in(q->outbox_to(filled_, i));
      q->outbox_to(filled_, i).clear();
      q->outbox_to(1 - filled_, i).clear();
    }
    q->fill(0);
  }
  std::int64_t latest = 0;
  for (const auto& q : partitions_) latest = std::max(latest, q->now());
  set_now(latest);
}

}  // namespace mdp::netsim
