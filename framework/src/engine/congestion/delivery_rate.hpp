// How fast the network delivers: bytes acknowledged over the longer of the time they took to send
// and to be acknowledged (draft-ietf-ccwg-bbr section 4.1). Also counts round trips: one ends when
// a packet sent after its start is acknowledged.
#pragma once
#include <algorithm>
#include <cstdint>

#include "engine/sent_packet.hpp"

namespace mdp::engine::congestion {

class delivery_rate {
 public:
  // Before the packet is remembered. `idle`: nothing was in flight.
  void on_sent(time_point now, sent_packet& p, bool idle) noexcept {
    if (idle) first_sent_ = delivered_at_ = now;
    p.delivered = delivered_;
    p.delivered_at = delivered_at_;
    p.first_sent = first_sent_;
    p.app_limited = delivered_ < app_limited_until_;
  }
  // There was nothing more to send, with `in_flight` bytes out: samples of what is out, and of
  // what is sent before it is acknowledged, tell the application's rate.
  void on_app_limited(std::uint64_t in_flight) noexcept {
    app_limited_until_ = std::max<std::uint64_t>(delivered_ + in_flight, 1);
  }
  void on_acked(time_point now, const sent_packet& p) noexcept {
    delivered_ += p.bytes;
    delivered_at_ = now;
    // The packet sent last decides; several may have left at one time.
    if (any_ &&
        (p.sent < newest_.sent || (p.sent == newest_.sent && p.delivered <= newest_.delivered)))
      return;
    any_ = true;
    newest_ = {p.sent, p.delivered, p.delivered_at, p.first_sent, p.app_limited};
  }

  struct sample {
    std::uint64_t rate = 0;  // bytes/s; 0: too short to tell
    time_point sent{};       // of the newest packet acknowledged
    bool app_limited = false;
    bool round_start = false;
  };
  // After the last packet of an ACK. False when nothing was acknowledged.
  bool take(duration least_interval, sample& out) noexcept {
    if (!any_) return false;
    any_ = false;
    first_sent_ = newest_.sent;
    out.sent = newest_.sent;
    out.app_limited = newest_.app_limited;
    out.round_start = newest_.delivered >= round_end_;
    if (out.round_start) round_end_ = delivered_;
    const duration interval =
        std::max(newest_.sent - newest_.first_sent, delivered_at_ - newest_.delivered_at);
    out.rate = 0;
    if (interval > duration::zero() && interval >= least_interval)
      out.rate = (delivered_ - newest_.delivered) * 1'000'000'000 /
                 static_cast<std::uint64_t>(interval.count());
    return true;
  }
  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }

 private:
  struct mark {
    time_point sent{};
    std::uint64_t delivered = 0;
    time_point delivered_at{};
    time_point first_sent{};
    bool app_limited = false;
  };
  std::uint64_t delivered_ = 0;
  time_point delivered_at_{};
  time_point first_sent_{};
  std::uint64_t app_limited_until_ = 0;
  std::uint64_t round_end_ = 0;
  mark newest_;  // what the newest packet acknowledged by the frame at hand says
  bool any_ = false;
};

}  // namespace mdp::engine::congestion
