// Every packet sent and not yet settled: acknowledgement, loss by packets and by time, probe
// time-outs. RFC 9002 sections 5 and 6, on 64-bit numbers of one space. Rules: docs/protocol.md
// R-LOSS-*. Values in, values out: what happens to a packet's content is told through callbacks.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>

#include "mdp/base/ring.hpp"
#include "mdp/base/time.hpp"
#include "mdp/wire/packet.hpp"
#include "reordering.hpp"
#include "rtt_estimator.hpp"
#include "sent_packet.hpp"

namespace mdp::engine {

class loss_detector {
 public:
  explicit loss_detector(std::uint64_t next_number = 0) noexcept
      : base_(next_number), first_unsettled_(next_number) {}
  [[nodiscard]] std::uint64_t next_number() const noexcept { return base_ + packets_.size(); }
  void on_sent(const sent_packet& packet) noexcept {
    packets_.push_back(packet);
    if (!packet.eliciting) return;
    bytes_in_flight_ += packet.bytes;
    ++eliciting_in_flight_;
    last_eliciting_ = packet.sent;
  }

  // Checks an ACK body against what was sent, in O(ranges).
  [[nodiscard]] bool ack_valid(std::span<const std::byte> body) const noexcept;
  // Settles what an (already checked) ACK reports; acked(packet, was_lost) for each that is new.
  // Returns true when the largest number was news, and no later one was known (RFC 9002 section
  // 5.1): then `sample` is its round trip.
  template <class Acked>
  bool on_ack(time_point now, std::span<const std::byte> body, duration& sample, Acked&& acked);
  // Declares losses; lost(packet) for each. Sets the time of the next check. forgotten(packet) for
  // each lost packet that is given up: a late acknowledgement of it would no longer be noticed.
  template <class Lost, class Forgotten>
  void detect_losses(time_point now, duration loss_delay, Lost&& lost, Forgotten&& forgotten);
  // Declares those in flight lost that were sent by `sent_before` and match(packet): the peer says
  // that they have not come. O(packets in flight).
  template <class Match, class Lost>
  void declare_lost(time_point sent_before, Match&& match, Lost&& lost) {
    if (!any_acked_) return;
    for (std::uint64_t n = std::max(first_unsettled_, base_); n < next_number(); ++n) {
      sent_packet& p = packets_[static_cast<std::size_t>(n - base_)];
      if (p.state != sent_packet::fate::in_flight || p.sent > sent_before || !match(p)) continue;
      settle(p, sent_packet::fate::lost);
      lost(p);
    }
  }
  // The oldest packet in flight with content to repeat, for a probe; nullptr if there is none.
  [[nodiscard]] sent_packet* oldest_with_content() noexcept;
  // settle(packet) for all that is unsettled: the session ends.
  template <class Settle>
  void abandon(Settle&& settle) {
    for (std::size_t i = 0; i < packets_.size(); ++i)
      if (packets_[i].state != sent_packet::fate::acked) settle(packets_[i]);
    base_ += packets_.size();
    packets_.clear();
    bytes_in_flight_ = eliciting_in_flight_ = 0;
    loss_time_ = never;
  }

  // With nothing ack-eliciting in flight, forgets packets that only acknowledged: nobody waits for
  // them. What a lost packet carried is kept until it is forgotten in time.
  void drop_settled() noexcept {
    if (eliciting_in_flight_ > 0) return;
    while (!packets_.empty() && carries_nothing(packets_.front())) {
      packets_.pop_front();
      ++base_;
    }
  }

  [[nodiscard]] std::uint64_t bytes_in_flight() const noexcept { return bytes_in_flight_; }
  [[nodiscard]] bool anything_in_flight() const noexcept { return eliciting_in_flight_ > 0; }
  // Packets remembered, settled or not.
  [[nodiscard]] std::size_t record_count() const noexcept { return packets_.size(); }
  // When the oldest packet, if lost, may be forgotten, and what it carried with it; else `never`.
  [[nodiscard]] time_point forget_time(duration loss_delay) const noexcept {
    if (packets_.empty() || packets_[0].state != sent_packet::fate::lost) return never;
    return packets_[0].sent + remembered_for(loss_delay);
  }
  [[nodiscard]] time_point loss_time() const noexcept { return loss_time_; }
  [[nodiscard]] time_point probe_time(duration timeout, duration timeout_max) const noexcept {
    if (eliciting_in_flight_ == 0) return never;
    const int doublings = std::min<int>(static_cast<int>(probes_), 20);
    return last_eliciting_ + std::min(timeout * (1 << doublings), timeout_max);
  }
  void on_probe_timeout() noexcept { ++probes_; }
  // The time threshold of loss, `usual` while packets keep their order.
  [[nodiscard]] duration loss_delay(duration usual) const noexcept {
    return reordering_.delay(usual);
  }
  [[nodiscard]] std::uint32_t probes() const noexcept { return probes_; }

 private:
  [[nodiscard]] static bool carries_nothing(const sent_packet& p) noexcept {
    if (p.mtu_probe && p.state == sent_packet::fate::in_flight) return false;
    return p.state == sent_packet::fate::acked || (p.body == no_index && p.outcomes == no_index);
  }
  void settle(sent_packet& p, sent_packet::fate state) noexcept {
    if (p.state == sent_packet::fate::in_flight && p.eliciting) {
      bytes_in_flight_ -= p.bytes;
      --eliciting_in_flight_;
    }
    p.state = state;
  }
  // Loss delays after which a late acknowledgement is no longer waited for.
  static constexpr int forget_after = 8;
  // How long a lost packet is remembered: an estimate that a sleeping machine inflated must not
  // keep its content for minutes.
  [[nodiscard]] static duration remembered_for(duration loss_delay) noexcept {
    return std::min<duration>(forget_after * loss_delay, std::chrono::seconds(10));
  }
  // The oldest packet is of no more interest.
  [[nodiscard]] bool front_settled(time_point lost_before) const noexcept;

  ring<sent_packet> packets_;
  reordering reordering_;
  std::uint64_t round_end_ = 0;  // an acknowledgement of this number ends a round trip
  std::uint64_t base_ = 0;       // number of packets_[0]
  std::uint64_t largest_acked_ = 0;
  bool any_acked_ = false;
  std::uint64_t first_unsettled_ = 0;  // no packet below is in flight
  std::uint64_t bytes_in_flight_ = 0;
  std::uint64_t eliciting_in_flight_ = 0;
  std::uint32_t probes_ = 0;
  time_point last_eliciting_{};
  time_point loss_time_ = never;
};

template <class Acked>
bool loss_detector::on_ack(time_point now, std::span<const std::byte> body, duration& sample,
                           Acked&& acked) {
  std::uint64_t last = wire::load<std::uint64_t>(body.data());
  std::uint64_t first = last - wire::load<std::uint32_t>(body.data() + 8);
  bool news = false;
  bool progress = false;
  const std::uint64_t largest = last;
  for (std::size_t at = wire::ack_body_bytes_min;; at += 8) {
    // Downwards from the newest: runs that are known already are stepped over whole, so that an ACK
    // costs what it brings, not what it repeats.
    const std::uint64_t lowest = std::max(first, base_);
    for (std::uint64_t n = last + 1; n > lowest;) {
      --n;
      sent_packet& p = packets_[static_cast<std::size_t>(n - base_)];
      if (p.state == sent_packet::fate::acked) {
        n -= std::min<std::uint64_t>(p.acked_below, n - lowest);
        continue;
      }
      const bool was_lost = p.state == sent_packet::fate::lost;
      settle(p, sent_packet::fate::acked);
      progress = progress || p.eliciting;
      if (n == largest && p.eliciting && (!any_acked_ || n > largest_acked_)) {
        news = true;
        sample = now - p.sent;
      }
      if (any_acked_ && n < largest_acked_ && p.eliciting)
        reordering_.on_late(largest_acked_ - n, now - p.sent);
      acked(p, was_lost);
    }
    if (last >= lowest)
      packets_[static_cast<std::size_t>(last - base_)].acked_below =
          static_cast<std::uint32_t>(last - lowest);
    if (at + 8 > body.size()) break;
    last = first - wire::load<std::uint32_t>(body.data() + at) - 1;
    first = last + 1 - wire::load<std::uint32_t>(body.data() + at + 4);
  }
  if (!any_acked_ || largest > largest_acked_) largest_acked_ = largest;
  any_acked_ = true;
  if (progress) probes_ = 0;
  if (largest >= round_end_) {
    reordering_.on_round();
    round_end_ = next_number();
  }
  return news;
}

template <class Lost, class Forgotten>
void loss_detector::detect_losses(time_point now, duration loss_delay, Lost&& lost,
                                  Forgotten&& forgotten) {
  loss_time_ = never;
  if (!any_acked_) return;
  const std::uint64_t end = std::min(largest_acked_, next_number());
  bool prefix = true;
  for (std::uint64_t n = std::max(first_unsettled_, base_); n < end; ++n) {
    sent_packet& p = packets_[static_cast<std::size_t>(n - base_)];
    if (p.state == sent_packet::fate::in_flight) {
      // Nobody waits for a packet that carried only an acknowledgement: it is over at once.
      const bool over = !p.eliciting && !p.mtu_probe;
      if (over || n + reordering_.packets() <= largest_acked_ || p.sent + loss_delay <= now) {
        settle(p, sent_packet::fate::lost);
        lost(p);
      } else {
        prefix = false;
        loss_time_ = std::min(loss_time_, p.sent + loss_delay);
      }
    }
    if (prefix) first_unsettled_ = n + 1;
  }
  // A lost packet stays known for a while: a late acknowledgement still counts.
  while (!packets_.empty() && front_settled(now - remembered_for(loss_delay))) {
    forgotten(packets_.front());
    packets_.pop_front();
    ++base_;
  }
}

}  // namespace mdp::engine
