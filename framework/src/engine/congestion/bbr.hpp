// BBR version 3 (draft-ietf-ccwg-bbr): paces at the measured bottleneck rate and bounds what is in
// flight by the measured path, probing both in turn.
//
// Deliberate differences, all for paths that lose at random: outside of probing, losses lower the
// short-term bounds only when a round loses more than the 2 % that probing tolerates. When half
// as much is still lost at a rate well below, without a queue, it is taken for the path's own loss:
// tolerated, and sent on top. Losses end
// startup only when the rate grows no more. Round trips close to the least one confirm it.
#pragma once
#include <array>

#include "controller.hpp"

namespace mdp::engine::congestion {

class bbr final : public controller {
 public:
  bbr(std::uint32_t packet_bytes, std::uint32_t initial_packets) noexcept;
  void on_acked(const ack_event& e) noexcept override;
  // A loss alone changes nothing: the share of a round that is lost does.
  void on_loss_event(time_point, std::uint64_t) noexcept override {}
  void on_spurious() noexcept override {}
  void on_persistent_congestion() noexcept override;
  [[nodiscard]] std::uint64_t window_bytes() const noexcept override { return window_; }
  [[nodiscard]] std::uint64_t pacing_rate() const noexcept override { return pacing_rate_; }

 private:
  enum class phase : std::uint8_t { startup, drain, down, cruise, refill, up, probe_rtt };
  [[nodiscard]] std::uint64_t max_rate() const noexcept { return std::max(rates_[0], rates_[1]); }
  [[nodiscard]] std::uint64_t rate() const noexcept { return std::min(max_rate(), rate_low_); }
  // The gain's percentage of the bandwidth-delay product.
  [[nodiscard]] std::uint64_t path_bytes(std::uint64_t percent) const noexcept;
  [[nodiscard]] std::uint64_t window_min() const noexcept { return 4 * packet_; }
  void enter(phase p, time_point now) noexcept;
  void measure(const ack_event& e) noexcept;
  void on_round(const ack_event& e) noexcept;
  void check_startup_done(const ack_event& e, bool too_lossy) noexcept;
  void lower_bounds() noexcept;
  void judge_losses(std::uint64_t share) noexcept;
  void forget_calm() noexcept;
  void end_cruise() noexcept;
  // A round trip that saw (nearly) no queue.
  [[nodiscard]] bool near_min(duration rtt) const noexcept {
    return rtt <= min_rtt_ + min_rtt_ / 32;
  }
  [[nodiscard]] bool calm_was_quiet() const noexcept {
    return calm_rtt_ != duration::max() && near_min(calm_rtt_);
  }
  // Permille of a round; the share of a single round varies.
  [[nodiscard]] std::uint64_t tolerated_loss() const noexcept { return 20 + 2 * path_loss_; }
  void run_phase(const ack_event& e) noexcept;
  void run_up(const ack_event& e) noexcept;
  void run_probe_rtt(const ack_event& e) noexcept;
  void begin_down(time_point now) noexcept;
  void set_pace() noexcept;
  void set_window(const ack_event& e) noexcept;

  phase phase_ = phase::startup;
  bool full_ = false;  // startup found the bottleneck's rate
  std::uint64_t window_;
  std::uint64_t window_before_ = 0;  // the round-trip probe
  std::uint64_t pacing_rate_ = 0;
  std::array<std::uint64_t, 2> rates_{};       // maxima of the last probing cycle and of this one
  std::uint64_t rate_low_ = UINT64_MAX;        // short-term bound
  std::uint64_t in_flight_low_ = UINT64_MAX;   // short-term bound
  std::uint64_t in_flight_high_ = UINT64_MAX;  // found lossy above it
  std::uint64_t round_rate_ = 0;               // maximum of this round
  std::uint64_t round_in_flight_ = 0;          // the same of bytes in flight
  std::uint64_t round_delivered_ = 0;          // totals at the start of the round
  std::uint64_t round_lost_ = 0;
  std::uint64_t path_loss_ = 0;       // permille that is lost without a queue of ours
  std::uint64_t calm_delivered_ = 0;  // outside of probing, since the last cut or probing
  std::uint64_t calm_lost_ = 0;
  duration calm_rtt_ = duration::max();   // least of the same time
  duration round_rtt_ = duration::max();  // least of this round
  std::uint64_t cut_share_ = 0;           // permille lost in the round before the cut
  std::uint64_t rate_cut_ = 0;            // bound to return to after the experiment
  std::uint32_t judge_in_ = 0;            // rounds until the cut's effect on losses is judged
  std::uint64_t full_rate_ = 0;
  std::uint32_t full_rounds_ = 0;
  std::uint32_t phase_rounds_ = 0;
  std::uint32_t cycle_ = 0;
  std::uint64_t up_step_ = 0;  // bytes by which probing raises the bound each round
  time_point phase_start_{};
  time_point cycle_start_{};
  duration min_rtt_ = duration::max();
  time_point min_rtt_at_{};
};

}  // namespace mdp::engine::congestion
