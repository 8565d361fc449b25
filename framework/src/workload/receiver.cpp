#include "receiver.hpp"

#include <algorithm>

namespace mdp::workload {
namespace {
constexpr std::uint64_t window_bits = 131072;  // twice what a peer may have open
constexpr std::uint32_t slot_mask = 0xfffff;
}  // namespace

receiver::receiver(const receiver_options& options) : options_(options), buffer_(65536) {
  for (const flow_answer& a : options_.answers) {
    if (a.reply_bytes > buffer_.size()) buffer_.resize(a.reply_bytes);
  }
}

void receiver::begin(const phases& p) noexcept {
  phases_ = p;
  metrics_.series.begin(p.measure_from, p.measure_until);
}

bool receiver::is_duplicate(peer_id from, const payload_stamp& stamp) {
  const std::uint32_t sequence = stamp.sequence;
  const std::size_t slot = from.value & slot_mask;
  if (stamp.flow >= seen_.size()) seen_.resize(stamp.flow + std::size_t{1});
  std::vector<seen_window>& peers = seen_[stamp.flow];
  if (slot >= peers.size()) peers.resize(slot + 1);
  seen_window& w = peers[slot];
  // Another peer may have had this slot before.
  if (w.from != from) w = {.from = from, .newest = 0, .any = false, .bits = {}};
  if (w.bits.empty()) w.bits.resize(window_bits / 64);
  const auto bit = [&](std::uint64_t n) -> std::uint64_t& { return w.bits[n % window_bits / 64]; };
  const auto mask = [](std::uint64_t n) { return std::uint64_t{1} << (n % 64); };
  std::uint64_t number = sequence;
  if (w.any) {
    const auto ahead = static_cast<std::int32_t>(sequence - static_cast<std::uint32_t>(w.newest));
    number = w.newest + static_cast<std::uint64_t>(static_cast<std::int64_t>(ahead));
    if (ahead <= 0) {
      if (w.newest - number >= window_bits) return true;
      if ((bit(number) & mask(number)) != 0) return true;
      bit(number) |= mask(number);
      return false;
    }
    for (std::uint64_t n = w.newest + 1; n < number && n < w.newest + window_bits; ++n)
      bit(n) &= ~mask(n);
  }
  w.any = true;
  w.newest = number;
  bit(number) |= mask(number);
  return false;
}

void receiver::on_event(messaging::event& e) noexcept {
  if (e.kind != messaging::event_kind::message) return;
  payload_stamp stamp;
  if (!read_stamp(e.payload.bytes(), stamp)) {
    ++metrics_.corrupted;
    return;
  }
  if (is_duplicate(e.peer, stamp)) {
    ++metrics_.duplicated;
    return;
  }
  if (e.time >= phases_.measure_from && e.time < phases_.measure_until) {
    ++metrics_.arrived;
    metrics_.arrived_bytes += e.payload.size();
    metrics_.series.count(e.time);
  }
  if (at_ns(stamp.intended_ns) >= phases_.measure_from)
    metrics_.one_way.record((e.time - at_ns(stamp.intended_ns)).count());
  if (stamp.flow >= options_.answers.size() || !options_.answers[stamp.flow].replies) return;
  const std::uint32_t bytes = options_.answers[stamp.flow].reply_bytes;
  const reply r{e.peer, bytes != 0 ? bytes : e.payload.size(), stamp};
  if (!waiting_.empty() || !send(r)) waiting_.push_back(r);
}

bool receiver::send(const reply& r) noexcept {
  if (r.bytes > buffer_.size()) buffer_.resize(r.bytes);
  const std::span<std::byte> payload(buffer_.data(),
                                     std::max<std::size_t>(r.bytes, payload_bytes_min));
  payload_stamp stamp = r.stamp;
  stamp.reply = 1;
  write_stamp(payload, stamp);
  const auto id = options_.messenger->submit(r.to, payload, {});
  // A peer that has gone needs no answer; a full queue is tried again.
  return id.has_value() || id.error() != messaging::refusal::queue_full;
}

bool receiver::do_work(time_point) noexcept {
  bool any = false;
  while (!waiting_.empty() && send(waiting_.front())) {
    waiting_.pop_front();
    any = true;
  }
  return any;
}

}  // namespace mdp::workload
