#include "bbr.hpp"

namespace mdp::engine::congestion {
namespace {

// Percentages of the draft, sections 2.4 and 5.6.1.
constexpr std::uint64_t startup_pace = 277;
constexpr std::uint64_t drain_pace = 50;
constexpr std::uint64_t down_pace = 90;
constexpr std::uint64_t up_pace = 125;
constexpr std::uint64_t pace_margin = 99;  // a little below the rate, so that queues drain
constexpr std::uint64_t window_gain = 200;
constexpr std::uint64_t up_window_gain = 225;
constexpr std::uint64_t probe_rtt_gain = 50;
constexpr std::uint64_t loss_permille_max = 20;        // LossThresh
constexpr std::uint64_t path_loss_permille_max = 200;  // more is never taken for the path's own
constexpr std::uint64_t judge_pace = 75;
constexpr std::uint32_t rounds_to_judge = 3;  // until what a cut changed has been seen
constexpr std::uint64_t beta_percent = 70;
constexpr std::uint64_t headroom_percent = 85;
constexpr std::uint64_t growth_percent = 125;  // startup goes on while the rate grows so much
constexpr std::uint32_t full_rounds_max = 3;
constexpr duration probe_rtt_interval = std::chrono::seconds(5);
constexpr duration min_rtt_span = std::chrono::seconds(10);
constexpr duration probe_rtt_time = std::chrono::milliseconds(200);
constexpr duration cruise_time = std::chrono::seconds(2);
constexpr std::uint32_t cruise_rounds_max = 63;

std::uint64_t permille(std::uint64_t lost, std::uint64_t delivered) {
  return lost * 1000 / std::max<std::uint64_t>(lost + delivered, 1);
}

// Flows that began together should not probe together; by the cycle, since nothing here is random.
duration cruise_jitter(std::uint32_t cycle) {
  return std::chrono::milliseconds(cycle * 619 % 1000);
}

}  // namespace

bbr::bbr(std::uint32_t packet_bytes, std::uint32_t initial_packets) noexcept
    : controller(packet_bytes), window_(std::uint64_t{packet_bytes} * initial_packets) {}

std::uint64_t bbr::path_bytes(std::uint64_t percent) const noexcept {
  if (min_rtt_ == duration::max() || max_rate() == 0) return window_;
  const std::uint64_t product =
      scale(rate(), static_cast<std::uint64_t>(min_rtt_.count()), 1'000'000'000);
  return product * percent / 100;
}

void bbr::enter(phase p, time_point now) noexcept {
  phase_ = p;
  phase_start_ = now;
  phase_rounds_ = 0;
}

void bbr::begin_down(time_point now) noexcept {
  enter(phase::down, now);
  cycle_start_ = now;
  ++cycle_;
  // The maximum of the cycle before last is forgotten, unless this one measured nothing.
  if (rates_[1] == 0) return;
  rates_[0] = rates_[1];
  rates_[1] = 0;
}

void bbr::measure(const ack_event& e) noexcept {
  if (e.rate > 0 && (!e.app_limited || e.rate > max_rate()))
    rates_[1] = std::max(rates_[1], e.rate);
  round_rate_ = std::max(round_rate_, e.rate);
  round_in_flight_ = std::max(round_in_flight_, e.in_flight);
  if (e.rtt <= duration::zero()) return;
  round_rtt_ = std::min(round_rtt_, e.rtt);
  if (e.rtt <= min_rtt_ || e.now - min_rtt_at_ > min_rtt_span) {
    min_rtt_ = e.rtt;
    min_rtt_at_ = e.now;
  } else if (near_min(e.rtt)) {
    min_rtt_at_ = e.now;  // close enough to confirm it: no queue has to be emptied to see it again
  }
}

void bbr::on_acked(const ack_event& e) noexcept {
  measure(e);
  if (e.round_start) on_round(e);
  run_phase(e);
  set_pace();
  set_window(e);
}

void bbr::on_round(const ack_event& e) noexcept {
  ++phase_rounds_;
  const std::uint64_t delivered = e.delivered - round_delivered_;
  const std::uint64_t lost = e.lost > round_lost_ ? e.lost - round_lost_ : 0;
  const bool too_lossy = lost > 4 * packet_ && permille(lost, delivered) > tolerated_loss();
  if (phase_ == phase::startup) check_startup_done(e, too_lossy);
  if (too_lossy && phase_ == phase::up) {
    in_flight_high_ = std::max(round_in_flight_, path_bytes(beta_percent));
    begin_down(e.now);
  } else if ((phase_ == phase::down || phase_ == phase::cruise) && phase_rounds_ > 2) {
    // What a round delivers was sent in the round before: the first two tell of another phase.
    calm_delivered_ += delivered;
    calm_lost_ += lost;
    calm_rtt_ = std::min(calm_rtt_, round_rtt_);
    if (too_lossy || judge_in_ > 0) judge_losses(permille(lost, delivered));
  }
  round_delivered_ = e.delivered;
  round_lost_ = e.lost;
  round_rate_ = 0;
  round_in_flight_ = 0;
  round_rtt_ = duration::max();
}

void bbr::check_startup_done(const ack_event& e, bool too_lossy) noexcept {
  if (e.app_limited) return;
  if (max_rate() * 100 >= full_rate_ * growth_percent) {
    full_rate_ = max_rate();
    full_rounds_ = 0;
  } else {
    ++full_rounds_;
  }
  // Losses alone do not end it: while the rate still grows, no queue of ours is what loses.
  if (full_rounds_ < (too_lossy ? 1 : full_rounds_max)) return;
  full_ = true;
  if (too_lossy) in_flight_high_ = std::max(path_bytes(100), round_in_flight_ * beta_percent / 100);
  enter(phase::drain, e.now);
}

void bbr::judge_losses(std::uint64_t share) noexcept {
  if (judge_in_ == 0) {
    // An experiment: send less than arrives. A queue that overflowed then does so no longer.
    lower_bounds();
    rate_cut_ = rate_low_;
    rate_low_ = rate_low_ * judge_pace / 100;
    cut_share_ = share;
    judge_in_ = rounds_to_judge;
    return;
  }
  --judge_in_;
  if (judge_in_ + 1 == rounds_to_judge) forget_calm();  // it tells of what was sent before the cut
  if (judge_in_ > 0) return;
  rate_low_ = rate_cut_;
  const std::uint64_t left = permille(calm_lost_, calm_delivered_);
  if (!calm_was_quiet() || left <= loss_permille_max || 2 * left < cut_share_) return;
  path_loss_ = std::min(left, path_loss_permille_max);
  rate_low_ = in_flight_low_ = in_flight_high_ = UINT64_MAX;
}

void bbr::forget_calm() noexcept {
  calm_delivered_ = calm_lost_ = 0;
  calm_rtt_ = duration::max();
}

void bbr::end_cruise() noexcept {
  // Only the experiment raises it above what is tolerated anyhow, and only without a queue.
  const std::uint64_t most =
      calm_was_quiet() ? std::max(path_loss_, loss_permille_max) : path_loss_;
  if (calm_delivered_ > 0) path_loss_ = std::min(permille(calm_lost_, calm_delivered_), most);
  forget_calm();
  judge_in_ = 0;
  rate_low_ = in_flight_low_ = UINT64_MAX;
}

void bbr::lower_bounds() noexcept {
  rate_low_ = std::max(round_rate_, std::min(rate_low_, max_rate()) * beta_percent / 100);
  in_flight_low_ =
      std::max(round_in_flight_, std::min(in_flight_low_, window_) * beta_percent / 100);
}

void bbr::run_phase(const ack_event& e) noexcept {
  const bool rtt_stale = e.now - min_rtt_at_ > probe_rtt_interval;
  if (full_ && rtt_stale && phase_ != phase::probe_rtt) {
    window_before_ = window_;
    enter(phase::probe_rtt, e.now);
    return;
  }
  switch (phase_) {
    case phase::startup:
      return;
    case phase::drain:
      if (e.in_flight <= path_bytes(100)) begin_down(e.now);
      return;
    case phase::down:
      if (e.in_flight <= std::min(path_bytes(100), in_flight_high_ / 100 * headroom_percent) ||
          phase_rounds_ > 3)
        enter(phase::cruise, e.now);
      return;
    case phase::cruise:
      if (e.now - cycle_start_ < cruise_time + cruise_jitter(cycle_) &&
          phase_rounds_ < std::min<std::uint64_t>(path_bytes(100) / packet_, cruise_rounds_max))
        return;
      end_cruise();
      enter(phase::refill, e.now);
      return;
    case phase::refill:
      if (phase_rounds_ == 0) return;
      up_step_ = packet_;
      enter(phase::up, e.now);
      return;
    case phase::up:
      run_up(e);
      return;
    case phase::probe_rtt:
      run_probe_rtt(e);
      return;
  }
}

void bbr::run_up(const ack_event& e) noexcept {
  if (in_flight_high_ != UINT64_MAX && e.in_flight + 2 * packet_ >= in_flight_high_) {
    // The bound itself is in the way: raise it, twice as fast each round.
    if (e.round_start) up_step_ *= 2;
    in_flight_high_ += std::max<std::uint64_t>(scale(up_step_, e.bytes, window_), 1);
  }
  if (e.now - phase_start_ > min_rtt_ && e.in_flight > path_bytes(up_pace)) begin_down(e.now);
}

void bbr::run_probe_rtt(const ack_event& e) noexcept {
  if (e.now - phase_start_ < std::max(probe_rtt_time, e.smoothed) || phase_rounds_ == 0) return;
  // What was measured meanwhile is the path without our queue.
  min_rtt_at_ = e.now;
  window_ = std::max(window_, window_before_);
  rate_low_ = in_flight_low_ = UINT64_MAX;
  begin_down(e.now);
  enter(phase::cruise, e.now);
}

void bbr::set_pace() noexcept {
  if (max_rate() == 0) return;
  std::uint64_t gain = 100;
  if (phase_ == phase::startup) gain = startup_pace;
  if (phase_ == phase::drain) gain = drain_pace;
  if (phase_ == phase::down) gain = down_pace;
  if (phase_ == phase::up) gain = up_pace;
  // The rate is of what arrives: what the path loses is sent on top of it.
  const std::uint64_t sent = scale(rate(), 1000, 1000 - path_loss_);
  const std::uint64_t pace = sent * gain / 100 * pace_margin / 100;
  // Startup never slows down before it has found the rate.
  if (full_ || pace > pacing_rate_) pacing_rate_ = std::max<std::uint64_t>(pace, packet_);
}

void bbr::set_window(const ack_event& e) noexcept {
  // Room for one burst of acknowledgements and of pacing beyond the path itself.
  const std::uint64_t extra = std::max<std::uint64_t>(pacing_rate_ / 500, 10 * packet_);
  const std::uint64_t target =
      path_bytes(phase_ == phase::up ? up_window_gain : window_gain) + extra;
  if (full_) {
    window_ = std::min(window_ + e.bytes, target);
  } else if (window_ < target) {
    window_ += e.bytes;
  }
  std::uint64_t bound = in_flight_low_;
  const bool probing = phase_ == phase::refill || phase_ == phase::up;
  if (in_flight_high_ != UINT64_MAX)
    bound = std::min(bound, probing ? in_flight_high_ : in_flight_high_ / 100 * headroom_percent);
  if (phase_ == phase::probe_rtt) bound = std::min(bound, path_bytes(probe_rtt_gain));
  window_ = std::max(std::min(window_, bound), window_min());
}

void bbr::on_persistent_congestion() noexcept {
  window_ = window_min();
}

}  // namespace mdp::engine::congestion
