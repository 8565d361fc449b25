// What a peer asks before it sends: is the window open, may a packet leave now, and if not, when.
// Joins a controller with rate samples, pacing and the rule that one round trip's losses are one
// event. Owned by a peer; values in, values out.
#pragma once
#include <memory>

#include "controller.hpp"
#include "delivery_rate.hpp"
#include "engine/rtt_estimator.hpp"
#include "pacer.hpp"

namespace mdp::engine::congestion {

class regulator {
 public:
  regulator(congestion_kind kind, const config& settings, std::uint32_t packet_bytes)
      : kind_(kind),
        packet_bytes_(packet_bytes),
        controller_(make_controller(kind, settings, packet_bytes)) {}

  // Another algorithm from here on; it begins as on a new path.
  void use(congestion_kind kind, const config& settings) {
    kind_ = kind;
    controller_ = make_controller(kind, settings, packet_bytes_);
  }
  [[nodiscard]] congestion_kind kind() const noexcept { return kind_; }
  void set_packet_bytes(std::uint32_t bytes) noexcept {
    packet_bytes_ = bytes;
    controller_->set_packet_bytes(bytes);
  }

  // An ack-eliciting packet leaves; before it is remembered.
  void on_sent(time_point now, sent_packet& p, bool idle) noexcept {
    rate_.on_sent(now, p, idle);
    if (controller_->pacing_rate() > 0) pacer_.on_sent(p.bytes);
  }
  // One packet newly acknowledged. True: it showed the last loss event to be a mistake.
  bool on_packet_acked(time_point now, const sent_packet& p, bool was_lost) noexcept;
  // The end of an ACK frame, before losses are looked for. `in_flight` before it; `rtt_sample`: 0
  // when there is none; `probes`: time-outs in a row before it.
  void on_ack(time_point now, const rtt_estimator& rtt, bool rtt_sample, std::uint64_t in_flight,
              std::uint32_t probes) noexcept;
  // True: it began a loss event, that is a round trip's first loss.
  bool on_lost(time_point now, sent_packet& p, std::uint64_t in_flight) noexcept;
  // The peer reported a congestion mark; `newest`: sending time of the newest packet that its frame
  // acknowledged. Like a loss, once a round trip (RFC 9002 section 7.1), but never undone. True: it
  // counted.
  bool on_congestion_mark(time_point now, time_point newest, std::uint64_t in_flight) noexcept;
  // There is nothing to send, though window and pace would allow it.
  void on_app_limited(std::uint64_t in_flight) noexcept { rate_.on_app_limited(in_flight); }

  [[nodiscard]] std::uint64_t window_bytes() const noexcept { return controller_->window_bytes(); }
  [[nodiscard]] std::uint64_t pacing_rate() const noexcept { return controller_->pacing_rate(); }
  // The pace allows a packet. Below a round trip of 1 ms nothing is paced: timers are too coarse.
  [[nodiscard]] bool pace_allows(time_point now, duration rtt) noexcept {
    const std::uint64_t rate = rtt < pacing_rtt_min ? 0 : controller_->pacing_rate();
    if (rate > 0) return pacer_.allows(now, rate, packet_bytes_);
    pacer_.pause();
    return true;
  }
  // When to ask again.
  [[nodiscard]] time_point pace_time() const noexcept {
    return pacer_.next_time(controller_->pacing_rate(), packet_bytes_);
  }

 private:
  static constexpr duration pacing_rtt_min = std::chrono::milliseconds(1);
  static constexpr std::uint32_t blackout_probes = 2;  // three probe time-outs have passed

  congestion_kind kind_;
  std::uint32_t packet_bytes_;
  std::unique_ptr<controller> controller_;
  delivery_rate rate_;
  pacer pacer_;
  std::uint64_t lost_bytes_ = 0;
  std::uint64_t acked_bytes_ = 0;                  // by the frame at hand
  time_point recovery_start_ = time_point::min();  // the last loss event
  std::uint32_t event_losses_ = 0;                 // of the last event, still believed lost
  std::uint8_t event_ = 0;
  bool blackout_ = false;
};

}  // namespace mdp::engine::congestion
