#include "mdp/netsim/link.hpp"

#include <algorithm>

#include "mdp/base/assert.hpp"

namespace mdp::netsim {
namespace {

__extension__ using wide = unsigned __int128;

constexpr std::uint64_t ns_per_s = 1'000'000'000;

// Uniform in 0 .. span, from 64 uniform bits.
std::int64_t scale_draw(std::uint64_t draw, std::int64_t span) {
  return static_cast<std::int64_t>((wide{draw} * (static_cast<std::uint64_t>(span) + 1)) >> 64);
}

}  // namespace

verdict link::offer(std::int64_t now, packet& p, packet_slab& slab) {
  const std::uint64_t number = offered_++;
  const std::uint32_t bytes = p.bytes;
  if (bytes > spec_->mtu_bytes) return drop(now, number, bytes, verdict::too_large);
  std::int64_t jitter = 0;
  if (spec_->loss.possible() || spec_->jitter_ns != 0) {
    const auto draws = fate_draws(key_, number);
    if (spec_->loss.happens(draws[0])) return drop(now, number, bytes, verdict::lost);
    jitter = scale_draw(draws[1], spec_->jitter_ns);
  }
  std::int64_t depart = now;
  if (spec_->rate_bps != 0) {
    forget_departed(now, slab);
    const bool full = (spec_->queue_packets != 0 && queue_packets_ >= spec_->queue_packets) ||
                      (spec_->queue_bytes != 0 && queue_bytes_ + bytes > spec_->queue_bytes);
    if (full) return drop(now, number, bytes, verdict::queue_full);
    depart = serialise(now, bytes);
    ++queue_packets_;
    queue_bytes_ += bytes;
  }
  std::int64_t arrive = depart + spec_->delay_ns + jitter;
  if (!spec_->reorder) arrive = last_arrival_ = std::max(arrive, last_arrival_);
  p.number = static_cast<std::uint32_t>(number);
  p.depart = depart;
  p.arrive = arrive;
  chain_.absorb(arrive, event_kind::link_entry, number, bytes, verdict::pass);
  return verdict::pass;
}

std::int64_t link::serialise(std::int64_t now, std::uint32_t bytes) noexcept {
  if (now > busy_until_) {
    busy_until_ = now;
    remainder_ = 0;
  }
  const std::uint64_t work = std::uint64_t{bytes} * 8 * ns_per_s + remainder_;
  busy_until_ += static_cast<std::int64_t>(work / spec_->rate_bps);
  remainder_ = work % spec_->rate_bps;
  return busy_until_;
}

void link::forget_departed(std::int64_t now, const packet_slab& slab) noexcept {
  while (queue_head_ != no_packet && slab[queue_head_].depart <= now) {
    --queue_packets_;
    queue_bytes_ -= slab[queue_head_].bytes;
    queue_head_ = slab[queue_head_].next;
  }
}

std::uint32_t link::queued(std::int64_t now, const packet_slab& slab) noexcept {
  forget_departed(now, slab);
  return queue_packets_;
}

void link::insert(packet_slab& slab, std::uint32_t index) {
  packet& p = slab[index];
  p.next = no_packet;
  // The chain holds what is in flight or, when packets overtake, only what has not departed: no
  // other packet of it can have been taken.
  const bool chained = spec_->reorder ? queue_head_ != no_packet : head_ != no_packet;
  if (chained) {
    slab[tail_].next = index;
  } else if (!spec_->reorder) {
    head_ = index;
  }
  tail_ = index;
  if (spec_->rate_bps != 0 && queue_head_ == no_packet) queue_head_ = index;
  if (!spec_->reorder) return;
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
  if (spec_->reorder) {
    std::pop_heap(early_->begin(), early_->end(), [](const early& a, const early& b) {
      return a.arrive != b.arrive ? a.arrive > b.arrive : a.number > b.number;
    });
    index = early_->back().index;
    early_->pop_back();
  }
  // Its time of arrival has come, so it has departed: out of the queue's chain before it is reused.
  if (queue_head_ != no_packet) forget_departed(slab[index].arrive, slab);
  if (!spec_->reorder) head_ = slab[index].next;
  slab[index].next = no_packet;
  return index;
}

verdict link::drop(std::int64_t now, std::uint64_t number, std::uint32_t bytes, verdict v) {
  if (!drops_) drops_ = std::make_unique<drops>();
  if (v == verdict::lost) ++drops_->counts.lost;
  if (v == verdict::queue_full) ++drops_->counts.queue_full;
  if (v == verdict::too_large) ++drops_->counts.too_large;
  if (drops_->numbers.size() < dropped_listed_max) drops_->numbers.push_back(number);
  chain_.absorb(now, event_kind::link_entry, number, bytes, v);
  return v;
}

link_counts link::counts() const noexcept {
  link_counts all = drops_ ? drops_->counts : link_counts{};
  all.offered = offered_;
  return all;
}

const std::vector<std::uint64_t>& link::dropped() const noexcept {
  static const std::vector<std::uint64_t> none;
  return drops_ ? drops_->numbers : none;
}

}  // namespace mdp::netsim
