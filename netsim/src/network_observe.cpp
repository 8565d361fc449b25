// What a network tells its observer. Observing changes nothing that happens.
#include "mdp/base/assert.hpp"
#include "mdp/netsim/network.hpp"

namespace mdp::netsim {
namespace {

using transport::packet_fate;

packet_fate fate_of(verdict v) noexcept {
  switch (v) {
    case verdict::pass:
    case verdict::waits:
      return packet_fate::sent;
    case verdict::lost:
      return packet_fate::lost;
    case verdict::queue_full:
      return packet_fate::queue_full;
    case verdict::too_large:
      return packet_fate::too_large;
    case verdict::closed:
      return packet_fate::closed;
    case verdict::no_carrier:
      return packet_fate::no_carrier;
  }
  return packet_fate::sent;
}

}  // namespace

void network::observe(transport::packet_observer& observer) {
  MDP_ASSERT(nodes_.empty());
  observer_ = &observer;
  for (std::uint32_t w = 0; w < wire_count_; ++w) observer_->on_place(w, wire_name(w));
}

void network::announce_node(std::uint32_t node) {
  if (observer_ == nullptr) return;
  const std::string& name = nodes_[node].name;
  observer_->on_place(up_slot(node), name + "/up");
  observer_->on_place(up_slot(node) + 1, name + "/down");
  observer_->on_place(turn_slot(node), name);
}

void network::tell(const transport::packet_event& event, std::uint32_t index) {
  const packet& p = slab_[index];
  observer_->on_packet(event, p.data.bytes(), slab_.more_parts(p));
}

transport::packet_event network::event_of(std::uint32_t place, std::uint32_t index,
                                          packet_fate fate, std::uint64_t chain) const {
  const packet& p = slab_[index];
  return {.time_ns = now_,
          .arrive_ns = now_,
          .number = p.number,
          .chain = chain,
          .place = place,
          .from = p.from,
          .to = p.to,
          .bytes = static_cast<std::uint32_t>(p.bytes),
          .fate = fate};
}

void network::tell_offer(std::uint32_t link_id, std::uint32_t index, verdict v, bool copy) {
  link& wire = links_[link_id];
  const packet& p = slab_[index];
  const bool pass = v == verdict::pass;
  transport::packet_event e =
      event_of(link_key(link_id, 0).slot, index,
               pass && copy ? packet_fate::duplicated : fate_of(v), wire.chain().value());
  e.number = wire.offered() - 1;
  e.queued = wire.queued(now_, slab_);
  if (pass) e.arrive_ns = p.arrive;
  tell(e, index);
  if (!pass) return;
  if (p.harm != 0) {
    e.fate = packet_fate::damaged;
    e.arrive_ns = now_;
    tell(e, index);
  }
  if (wire.held_ns() != 0) {
    e.fate = packet_fate::held;
    e.arrive_ns = now_ + wire.held_ns();
    tell(e, index);
  }
}

void network::tell_settled(std::uint32_t link_id, std::uint32_t index, verdict v) {
  link& wire = links_[link_id];
  transport::packet_event e =
      event_of(link_key(link_id, 0).slot, index, fate_of(v), wire.chain().value());
  e.queued = wire.queued(now_, slab_);
  if (v == verdict::pass) e.arrive_ns = slab_[index].arrive;
  tell(e, index);
}

void network::tell_arrival(std::uint32_t place, std::uint32_t index, packet_fate fate,
                           std::uint64_t chain) {
  tell(event_of(place, index, fate, chain), index);
}

void network::tell_wake_up(std::uint32_t node) {
  observer_->on_packet({.time_ns = now_,
                        .arrive_ns = now_,
                        .chain = nodes_[node].chain.value(),
                        .place = turn_slot(node),
                        .from = node,
                        .to = node,
                        .fate = packet_fate::wake_up},
                       {}, {});
}

}  // namespace mdp::netsim
