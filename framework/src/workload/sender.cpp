#include "sender.hpp"

#include <algorithm>

#include "payload.hpp"

namespace mdp::workload {
namespace {

constexpr std::size_t burst_max = 256;  // submissions between two looks at the messenger

}  // namespace

sender::sender(sender_options options)
    : options_(std::move(options)),
      schedule_(options_.arrivals, splitmix64(options_.seed)),
      sizes_random_(splitmix64(options_.seed + 1)),
      base_(options_.first_sequence),
      next_(options_.first_sequence) {
  double sum = 0;
  std::uint32_t largest = payload_bytes_min;
  for (const auto& [bytes, weight] : options_.sizes) {
    sum += weight;
    largest = std::max(largest, bytes);
    size_limits_.emplace_back(static_cast<std::uint64_t>(sum * 4294967296.0), bytes);
  }
  if (!size_limits_.empty()) size_limits_.back().first = std::uint64_t{1} << 32;
  buffer_.resize(largest);
  for (std::size_t i = 0; i < buffer_.size(); ++i) buffer_[i] = static_cast<std::byte>(i);
  size_ = next_size();
}

std::uint32_t sender::next_size() noexcept {
  if (size_limits_.size() == 1) return size_limits_[0].second;
  const std::uint64_t draw = sizes_random_.next() >> 32;
  for (const auto& [limit, bytes] : size_limits_)
    if (draw < limit) return bytes;
  return static_cast<std::uint32_t>(payload_bytes_min);
}

void sender::begin(const phases& p) noexcept {
  phases_ = p;
  schedule_.begin(p.start, p.measure_until);
  metrics_.series.begin(p.measure_from, p.measure_until);
}

void sender::skip_to(time_point now) noexcept {
  while (options_.open_loop && schedule_.next() < std::min(now, phases_.measure_until))
    schedule_.advance();
}

sender::outstanding* sender::find(std::uint64_t sequence) noexcept {
  if (sequence < base_ || sequence - base_ >= window_.size()) return nullptr;
  return &window_[static_cast<std::size_t>(sequence - base_)];
}

bool sender::submit_one(time_point intended, time_point now) noexcept {
  const std::span<std::byte> payload(buffer_.data(), size_);
  write_stamp(payload, {static_cast<std::uint32_t>(next_), 0, options_.flow, 0, ns_of(intended)});
  const peer_id to = options_.targets[turn_];
  messaging::send_options how{.want = options_.want, .context = context_of(options_.flow, next_)};
  how.received_timeout = options_.timeout;
  if (delivered_wanted()) how.delivered_timeout = options_.timeout;
  const auto id = options_.messenger->submit(to, payload, how);
  const bool measured = intended >= phases_.measure_from;
  if (!id && id.error() != messaging::refusal::queue_full) {
    count_refusal(measured);
    return true;
  }
  if (!id) {
    blocked_ = true;
    return false;
  }
  if (++turn_ == options_.targets.size()) turn_ = 0;
  metrics_.sent += measured;
  if (tracks()) {
    outstanding& o = window_.push();
    o = {intended, now, waiting, measured};
    ++open_;
  }
  ++next_;
  size_ = next_size();
  return true;
}

// An open loop goes on by its schedule. A closed one would ask again at once, for ever: it turns to
// the others, until nobody is left.
void sender::count_refusal(bool measured) noexcept {
  metrics_.refused += measured;
  if (options_.open_loop) {
    if (++turn_ == options_.targets.size()) turn_ = 0;
    return;
  }
  options_.targets.erase(options_.targets.begin() + static_cast<std::ptrdiff_t>(turn_));
  if (turn_ == options_.targets.size()) turn_ = 0;
  stopped_ = options_.targets.empty();
}

bool sender::do_work(time_point now) noexcept {
  if (stopped_ || now < phases_.start) return false;
  bool any = false;
  blocked_ = false;
  if (options_.open_loop) {
    // A send that is late is still made, and still due at its intended time.
    for (std::size_t i = 0; i < burst_max && schedule_.next() <= now; ++i) {
      if (schedule_.next() >= phases_.measure_until) break;
      if (!submit_one(schedule_.next(), now)) break;
      metrics_.offered += schedule_.next() >= phases_.measure_from;
      schedule_.advance();
      any = true;
    }
    stopped_ = schedule_.next() >= phases_.measure_until;
    return any;
  }
  stopped_ = now >= phases_.measure_until;
  if (stopped_) return false;
  for (std::size_t i = 0; i < burst_max && (!tracks() || open_ < options_.in_flight); ++i) {
    if (stopped_) break;
    if (!submit_one(now, now)) break;
    metrics_.offered += now >= phases_.measure_from;
    any = true;
  }
  return any;
}

time_point sender::next_deadline() const noexcept {
  if (stopped_) return never;
  if (blocked_) return time_point{};  // as soon as the messenger has got something done
  if (options_.open_loop) return schedule_.next();
  if (!tracks() || open_ < options_.in_flight) return phases_.start;
  return phases_.measure_until;
}

void sender::complete(std::uint64_t sequence, time_point at) noexcept {
  outstanding* o = find(sequence);
  if (!o || o->is == settled) return;
  o->is = settled;
  --open_;
  if (o->measured) {
    ++metrics_.completed;
    const std::int64_t response = (at - o->intended).count();
    metrics_.response.record(response);
    metrics_.service.record((at - o->submitted).count());
    metrics_.series.latency(at, response);
    if (options_.expects_reply) metrics_.round_trip.record((at - o->submitted).count());
  }
  while (!window_.empty() && window_.front().is == settled) {
    window_.pop_front();
    ++base_;
  }
}

// Its end is known, and it is none that was wished for.
void sender::settle_lost(std::uint64_t sequence, std::uint64_t& count) noexcept {
  outstanding* lost = find(sequence);
  if (lost == nullptr || lost->is == settled) return;
  lost->is = settled;
  --open_;
  count += lost->measured;
}

void sender::on_event(messaging::event& e) noexcept {
  using messaging::event_kind;
  const std::uint64_t sequence = sequence_of(e.context);
  const outstanding* o = e.kind == event_kind::message ? nullptr : find(sequence);
  switch (e.kind) {
    case event_kind::message: {
      payload_stamp stamp;
      if (!options_.expects_reply) return;
      if (!read_stamp(e.payload.bytes(), stamp)) {
        ++metrics_.corrupted;
        return;
      }
      if (stamp.reply != 1 || stamp.flow != options_.flow) return;
      // The stamp holds the low half of the sequence: the window tells the rest.
      complete(
          base_ + static_cast<std::uint32_t>(stamp.sequence - static_cast<std::uint32_t>(base_)),
          e.time);
      return;
    }
    case event_kind::received:
      if (o && o->measured) metrics_.received.record((e.time - o->submitted).count());
      if (!options_.expects_reply && options_.want == messaging::confirm::received)
        complete(sequence, e.time);
      return;
    case event_kind::delivered:
      if (o && o->measured) metrics_.delivered.record((e.time - o->submitted).count());
      if (!options_.expects_reply) complete(sequence, e.time);
      return;
    case event_kind::timed_out_received:
    case event_kind::timed_out_delivered:
      return settle_lost(sequence, metrics_.timed_out);
    case event_kind::rejected:
    case event_kind::cancelled:
    case event_kind::expired:
    case event_kind::unknown:
      return settle_lost(sequence, metrics_.unknown);
    case event_kind::peer_up:
    case event_kind::peer_down:
    case event_kind::peer_moved:
      return;
  }
}

void sender::finish(time_point now) noexcept {
  // What was never answered took at least this long: it belongs into the percentiles.
  for (std::size_t i = 0; i < window_.size(); ++i) {
    const outstanding& o = window_[i];
    if (o.is == settled || !o.measured) continue;
    ++metrics_.expired;
    metrics_.response.record((now - o.intended).count());
    metrics_.service.record((now - o.submitted).count());
  }
  // So do messages that were due and could not even be submitted.
  if (options_.open_loop) {
    for (; schedule_.next() < phases_.measure_until; schedule_.advance()) {
      if (schedule_.next() < phases_.measure_from) continue;
      ++metrics_.offered;
      ++metrics_.expired;
      metrics_.response.record((now - schedule_.next()).count());
    }
  }
  stopped_ = true;
  metrics_.series.finish();
}

void sender::end_process() noexcept {
  for (std::size_t i = 0; i < window_.size(); ++i) {
    const outstanding& o = window_[i];
    metrics_.orphaned += o.is == waiting && o.measured;
  }
  stopped_ = true;
  metrics_.series.finish();
}

}  // namespace mdp::workload
