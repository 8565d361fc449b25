// Links whose queue is not DropTail. Members of `link`.
#include <algorithm>

#include "mdp/netsim/link.hpp"

namespace mdp::netsim {

// What RED says to a packet that comes.
bool link::admits(std::int64_t now, packet& p, std::uint64_t number) {
  const std::int64_t free_at = wire_.busy_until;
  std::uint64_t idle_packets = 0;
  if (queue_packets_ == 0 && now > free_at && p.bytes > 0) {
    const auto ns = static_cast<std::uint64_t>(now - free_at);
    const std::uint64_t ns_each = std::uint64_t{p.bytes} * 8'000'000'000 / spec_->rate_bps;
    idle_packets = ns / std::max<std::uint64_t>(ns_each, 1);
  }
  // Numbers are below 2^42: this draw is nobody else's.
  const std::uint64_t draw = fate_draws(queue_key_, number + 1)[0];
  switch (red_->on_arrival(queue_packets_, idle_packets, draw)) {
    case red_process::answer::take:
      return true;
    case red_process::answer::drop:
      return false;
    case red_process::answer::signal:
      break;
  }
  if (!spec_->models->queue.ecn || !set_congestion_mark(p)) return false;
  ++rare_counts().marked;
  return true;
}

void link::enqueue(std::int64_t now, packet_slab& slab, std::uint32_t index) {
  managed& m = *managed_;
  if (m.waiting.packets() == 0) m.wire_free = std::max(m.wire_free, now);
  m.waiting.push(now, index, slab);
  const auto too_many = [&] {
    return (spec_->queue_packets != 0 && m.waiting.packets() > spec_->queue_packets) ||
           (spec_->queue_bytes != 0 && m.waiting.bytes() > spec_->queue_bytes);
  };
  while (too_many()) m.dropped.push_back(m.waiting.evict(slab));
}

// The wire takes a packet whenever it is free. What it decided by now was decided by the time that
// it was free, since nothing that came later was there.
std::span<const link::outcome> link::settle(std::int64_t now, packet_slab& slab) {
  managed& m = *managed_;
  m.settled.clear();
  for (;;) {
    std::uint32_t index = no_packet;
    const std::int64_t at = m.wire_free;
    if (at <= now && m.waiting.packets() > 0) index = m.waiting.take(at, slab, m.dropped);
    for (const std::uint32_t gone : m.dropped) {
      note_drop(std::min(at, now), slab[gone].number, slab[gone].bytes, verdict::queue_full);
      m.settled.push_back({gone, verdict::queue_full});
    }
    m.dropped.clear();
    if (index == no_packet) return m.settled;
    packet& p = slab[index];
    p.depart = m.wire_free = serialise(at, p.bytes);
    const std::int64_t later = p.arrive;  // jitter and hold, drawn when it came
    p.arrive = std::max(p.depart, p.depart + spec_->delay_ns + later);
    if (!spec_->overtakes()) p.arrive = last_arrival_ = std::max(p.arrive, last_arrival_);
    chain_.absorb(p.arrive, event_kind::link_entry, p.number, p.bytes, verdict::pass);
    m.settled.push_back({index, verdict::pass});
  }
}

}  // namespace mdp::netsim
