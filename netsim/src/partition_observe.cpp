// What a partition tells the observer of its network. Observing changes nothing that happens.
#include "mdp/netsim/partition.hpp"

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

void partition::tell(const transport::packet_event& event, std::uint32_t index) {
  const packet& p = slab_[index];
  world_.observer->on_packet(event, p.data.bytes(), slab_.more_parts(p));
}

transport::packet_event partition::event_of(std::uint32_t place, std::uint32_t index,
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

void partition::tell_offer(std::uint32_t link_id, std::uint32_t index, verdict v, bool copy) {
  link& wire = world_.links[link_id];
  const packet& p = slab_[index];
  const bool pass = v == verdict::pass;
  transport::packet_event e =
      event_of(world_.link_key(link_id, 0).slot, index,
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

void partition::tell_settled(std::uint32_t link_id, std::uint32_t index, verdict v) {
  link& wire = world_.links[link_id];
  transport::packet_event e =
      event_of(world_.link_key(link_id, 0).slot, index, fate_of(v), wire.chain().value());
  e.queued = wire.queued(now_, slab_);
  if (v == verdict::pass) e.arrive_ns = slab_[index].arrive;
  tell(e, index);
}

void partition::tell_arrival(std::uint32_t place, std::uint32_t index, packet_fate fate,
                             std::uint64_t chain) {
  tell(event_of(place, index, fate, chain), index);
}

void partition::tell_wake_up(std::uint32_t node) {
  world_.observer->on_packet({.time_ns = now_,
                              .arrive_ns = now_,
                              .chain = world_.nodes[node].chain.value(),
                              .place = world_.turn_slot(node),
                              .from = node,
                              .to = node,
                              .fate = packet_fate::wake_up},
                             {}, {});
}

}  // namespace mdp::netsim
