#include "mdp/netsim/link.hpp"

#include <algorithm>

#include "mdp/base/assert.hpp"

namespace mdp::netsim {
bool link_spec::overtakes() const noexcept {
  return reorder || (models != nullptr && (models->hold.possible() || models->early.possible()));
}

namespace {

bool holds_back(const fate_script* script) noexcept {
  return script != nullptr && std::any_of(script->fates.begin(), script->fates.end(),
                                          [](const scripted_fate& f) { return f.hold_ns > 0; });
}

}  // namespace

link::link(const link_spec& spec, std::uint64_t seed, std::string_view name,
           const fate_script* script)
    : spec_(&spec), key_(draw_key(seed, name, draw_purpose::fate)), overtakes_(spec.overtakes()) {
  if (spec.models == nullptr && script == nullptr) return;
  models_ = std::make_unique<model_process>(spec, seed, name, script);
  if (spec.models != nullptr) {
    const queue_spec& queue = spec.models->queue;
    queue_key_ = draw_key(seed, name, draw_purpose::queue);
    if (queue.kind == discipline::red) red_ = std::make_unique<red_process>(queue);
    if (queue.kind >= discipline::codel)
      managed_ =
          std::make_unique<managed>(managed{managed_queue(queue, fate_draws(queue_key_, 0)[0])});
  }
  overtakes_ = overtakes_ || holds_back(script);
  spec_ = &models_->current();
}

verdict link::offer(std::int64_t now, packet& p, packet_slab& slab, bool parted) {
  MDP_ASSERT(offered_ < packet_numbers);
  const std::uint64_t number = offered_++;
  const std::uint32_t bytes = p.bytes;
  model_process::fate f;
  if (models_) {
    copy_due_ = false;
    f = models_->decide(now, number);
    parted = parted || !f.carrier;
  }
  if (parted) return drop(now, number, bytes, verdict::no_carrier);
  if (bytes > spec_->mtu_bytes) return drop(now, number, bytes, verdict::too_large);
  std::int64_t jitter = 0;
  if (spec_->loss.possible() || spec_->jitter_ns != 0) {
    const auto draws = fate_draws(key_, number);
    const std::uint64_t loss_draw = models_ ? models_->loss_draw(draws[0]) : draws[0];
    f.lost = f.lost || (!f.spared && spec_->loss.happens(loss_draw));
    if (spec_->jitter_ns != 0 && !f.lost && !f.early) {
      const std::uint64_t delay_draw = models_ ? models_->delay_draw(draws[1]) : draws[1];
      jitter = sample(spec_->shape, delay_draw, spec_->jitter_ns);
    }
  }
  if (f.lost) return drop(now, number, bytes, verdict::lost);
  const verdict v = accept(now, p, slab, number, {jitter, f.hold_ns, f.early});
  if ((v != verdict::pass && v != verdict::waits) || !models_) return v;
  copy_due_ = f.duplicate;
  held_ns_ = f.hold_ns;
  copy_draw_ = f.copy_draw;
  if (f.harm != damage::none) {
    p.harm = static_cast<std::uint8_t>(f.harm) & 7;
    ++rare_counts().corrupted;
  }
  return v;
}

verdict link::offer_copy(std::int64_t now, packet& p, packet_slab& slab) {
  copy_due_ = false;
  held_ns_ = 0;
  p.harm = 0;
  const std::int64_t jitter = sample(spec_->shape, copy_draw_, spec_->jitter_ns);
  const verdict v = accept(now, p, slab, offered_ - 1, {jitter, 0, false});
  if (v == verdict::pass || v == verdict::waits) ++rare_counts().duplicated;
  return v;
}

bool link::queue_full(std::uint32_t bytes) const noexcept {
  return (spec_->queue_packets != 0 && queue_packets_ >= spec_->queue_packets) ||
         (spec_->queue_bytes != 0 && queue_bytes_ + bytes > spec_->queue_bytes);
}

verdict link::accept(std::int64_t now, packet& p, packet_slab& slab, std::uint64_t number,
                     const travel& t) {
  p.number = number & (packet_numbers - 1);
  if (managed_) {
    p.arrive = t.jitter_ns + t.hold_ns;  // until it leaves
    return verdict::waits;
  }
  std::int64_t depart = now;
  if (spec_->rate_bps != 0) {
    forget_departed(now, slab);
    if (queue_full(p.bytes) || (red_ && !admits(now, p, number)))
      return drop(now, number, p.bytes, verdict::queue_full);
    if (spec_->mark_packets != 0 && queue_packets_ >= spec_->mark_packets) mark(p);
    depart = serialise(now, p.bytes);
    ++queue_packets_;
    queue_bytes_ += p.bytes;
  }
  std::int64_t arrive = depart;
  if (!t.early) {
    arrive = std::max(depart, depart + spec_->delay_ns + t.jitter_ns);
    if (!spec_->reorder) arrive = last_arrival_ = std::max(arrive, last_arrival_);
  }
  p.depart = depart;
  p.arrive = arrive + t.hold_ns;
  chain_.absorb(p.arrive, event_kind::link_entry, number, p.bytes, verdict::pass);
  return verdict::pass;
}

void link::mark(packet& p) {
  if (set_congestion_mark(p)) ++rare_counts().marked;
}

std::int64_t link::serialise(std::int64_t now, std::uint32_t bytes) noexcept {
  if (models_ && models_->shapes()) return models_->shape(now, bytes);
  return wire_.send(now, bytes, spec_->rate_bps);
}

void link::forget_departed(std::int64_t now, const packet_slab& slab) noexcept {
  while (queue_head_ != no_packet && slab[queue_head_].depart <= now) {
    --queue_packets_;
    queue_bytes_ -= slab[queue_head_].bytes;
    queue_head_ = slab[queue_head_].next;
  }
}

std::uint32_t link::queued(std::int64_t now, const packet_slab& slab) noexcept {
  if (managed_) return managed_->waiting.packets() + (managed_->wire_free > now ? 1 : 0);
  forget_departed(now, slab);
  return queue_packets_;
}

void link::insert(packet_slab& slab, std::uint32_t index) {
  packet& p = slab[index];
  p.next = no_packet;
  // The chain holds what is in flight or, when packets overtake, only what has not departed: no
  // other packet of it can have been taken.
  const bool chained = overtakes_ ? queue_head_ != no_packet : head_ != no_packet;
  if (chained) {
    slab[tail_].next = index;
  } else if (!overtakes_) {
    head_ = index;
  }
  tail_ = index;
  if (spec_->rate_bps != 0 && queue_head_ == no_packet && !managed_) queue_head_ = index;
  if (!overtakes_) return;
  if (!early_) early_ = std::make_unique<std::vector<early>>();
  early_->push_back({p.arrive, offered_ - 1, index});
  std::push_heap(early_->begin(), early_->end(), [](const early& a, const early& b) {
    return a.arrive != b.arrive ? a.arrive > b.arrive : a.number > b.number;
  });
}

std::int64_t link::early_arrival() const noexcept {
  return early_->empty() ? no_event : early_->front().arrive;
}

std::uint32_t link::take(packet_slab& slab) noexcept {
  std::uint32_t index = head_;
  if (overtakes_) {
    std::pop_heap(early_->begin(), early_->end(), [](const early& a, const early& b) {
      return a.arrive != b.arrive ? a.arrive > b.arrive : a.number > b.number;
    });
    index = early_->back().index;
    early_->pop_back();
  }
  // Its time of arrival has come, so it has departed: out of the queue's chain before it is reused.
  if (queue_head_ != no_packet) forget_departed(slab[index].arrive, slab);
  if (!overtakes_) head_ = slab[index].next;
  slab[index].next = no_packet;
  return index;
}

link_counts& link::rare_counts() {
  if (!drops_) drops_ = std::make_unique<drops>();
  return drops_->counts;
}

verdict link::drop(std::int64_t now, std::uint64_t number, std::uint32_t bytes, verdict v) {
  note_drop(now, number, bytes, v);
  return v;
}

void link::note_drop(std::int64_t now, std::uint64_t number, std::uint32_t bytes, verdict v) {
  link_counts& counts = rare_counts();
  if (v == verdict::lost) ++counts.lost;
  if (v == verdict::queue_full) ++counts.queue_full;
  if (v == verdict::too_large) ++counts.too_large;
  if (v == verdict::no_carrier) ++counts.no_carrier;
  if (drops_->numbers.size() < dropped_listed_max) drops_->numbers.push_back(number);
  chain_.absorb(now, event_kind::link_entry, number, bytes, v);
}

link_counts link::counts() const noexcept {
  link_counts all = drops_ ? drops_->counts : link_counts{};
  all.offered = offered_;
  if (managed_) all.marked += managed_->waiting.marked();
  return all;
}

const std::vector<std::uint64_t>& link::dropped() const noexcept {
  static const std::vector<std::uint64_t> none;
  return drops_ ? drops_->numbers : none;
}

}  // namespace mdp::netsim
