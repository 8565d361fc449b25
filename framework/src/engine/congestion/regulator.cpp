#include "regulator.hpp"

#include "bbr.hpp"
#include "cubic.hpp"
#include "fixed_window.hpp"
#include "ledbat.hpp"
#include "swift.hpp"

namespace mdp::engine::congestion {

std::unique_ptr<controller> make_controller(congestion_kind kind, const config& settings,
                                            std::uint32_t packet_bytes) {
  const std::uint32_t initial = settings.initial_window_packets;
  switch (kind) {
    case congestion_kind::cubic:
      return std::make_unique<cubic>(packet_bytes, initial);
    case congestion_kind::swift:
      return std::make_unique<swift>(packet_bytes, initial, settings.swift_target);
    case congestion_kind::bbr:
      return std::make_unique<bbr>(packet_bytes, initial);
    case congestion_kind::ledbat:
      return std::make_unique<ledbat>(packet_bytes, initial);
    case congestion_kind::fixed:
      break;
  }
  return std::make_unique<fixed_window>(packet_bytes, settings.congestion_window_bytes);
}

bool regulator::on_packet_acked(time_point now, const sent_packet& p, bool was_lost) noexcept {
  if (!p.eliciting) return false;
  rate_.on_acked(now, p);
  acked_bytes_ += p.bytes;
  if (!was_lost) return false;
  lost_bytes_ -= std::min<std::uint64_t>(lost_bytes_, p.bytes);
  if (p.loss_event != event_ || event_losses_ == 0 || --event_losses_ > 0) return false;
  controller_->on_spurious();
  return true;
}

void regulator::on_ack(time_point now, const rtt_estimator& rtt, bool rtt_sample,
                       std::uint64_t in_flight, std::uint32_t probes) noexcept {
  blackout_ = probes >= blackout_probes;
  delivery_rate::sample sample;
  if (!rate_.take(rtt.minimum(), sample)) return;
  ack_event e;
  e.now = now;
  e.bytes = acked_bytes_;
  e.in_flight = in_flight;
  e.delivered = rate_.delivered();
  e.lost = lost_bytes_;
  e.rate = sample.rate;
  e.rtt = rtt_sample ? rtt.adjusted() : duration::zero();
  e.smoothed = rtt.smoothed();
  e.app_limited = sample.app_limited;
  e.in_recovery = sample.sent <= recovery_start_;
  e.round_start = sample.round_start;
  acked_bytes_ = 0;
  controller_->on_acked(e);
}

bool regulator::on_lost(time_point now, sent_packet& p, std::uint64_t in_flight) noexcept {
  lost_bytes_ += p.bytes;
  // What was sent before the last event was answered for by it (RFC 9002 section 7.3.1).
  const bool fresh = p.sent > recovery_start_;
  if (fresh) {
    recovery_start_ = now;
    ++event_;
    event_losses_ = 0;
    controller_->on_loss_event(now, in_flight);
    if (blackout_) controller_->on_persistent_congestion();
    blackout_ = false;
  }
  ++event_losses_;
  p.loss_event = event_;
  return fresh;
}

bool regulator::on_congestion_mark(time_point now, time_point newest,
                                   std::uint64_t in_flight) noexcept {
  if (newest <= recovery_start_) return false;
  recovery_start_ = now;
  ++event_;
  event_losses_ = 0;
  controller_->on_loss_event(now, in_flight);
  return true;
}

}  // namespace mdp::engine::congestion
