#include "cubic.hpp"

namespace mdp::engine::congestion {
namespace {

// beta = 0.7 and C = 0.4 packets/s^3 (RFC 9438 section 4.6).
constexpr std::uint64_t beta_percent = 70;
constexpr std::uint64_t fast_convergence_percent = 85;  // (1 + beta) / 2
// alpha = 3 (1 - beta) / (1 + beta) = 9 / 17 (section 4.3).
constexpr std::uint64_t alpha_numerator = 9;
constexpr std::uint64_t alpha_denominator = 17;
constexpr std::int64_t cubic_time_max_ms = 200'000;  // keeps cubes in 64 bits; 3 million packets

}  // namespace

std::uint64_t cube_root(std::uint64_t n) noexcept {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 21; bit > 0; bit >>= 1) {
    const std::uint64_t r = root | bit;
    if (r <= 2'642'245 && r * r * r <= n) root = r;  // the root of 2^64 - 1
  }
  return root;
}

cubic::cubic(std::uint32_t packet_bytes, std::uint32_t initial_packets) noexcept
    : controller(packet_bytes) {
  state_.window = std::uint64_t{packet_bytes} * initial_packets;
  undo_ = state_;
}

std::uint64_t cubic::pacing_rate() const noexcept {
  return rate_of(state_.window, smoothed_, slow_start() ? 200 : 125);
}

void cubic::on_acked(const ack_event& e) noexcept {
  smoothed_ = e.smoothed;
  if (slow_start() && e.round_start) hystart_.on_round_start();
  if (slow_start() && e.rtt > duration::zero()) hystart_.on_sample(e.rtt);
  if (e.app_limited) {
    // A window that was not used proves nothing (RFC 9002 section 7.8), nor does time (RFC 9438
    // section 5.8).
    if (limited_since_ == never) limited_since_ = e.now;
    return;
  }
  if (limited_since_ != never) epoch_ += e.now - limited_since_;
  limited_since_ = never;
  if (e.in_recovery) return;
  if (slow_start()) {
    grow_slowly(e);
  } else {
    avoid_congestion(e);
  }
}

void cubic::grow_slowly(const ack_event& e) noexcept {
  state_.window += hystart_.conservative() ? e.bytes / hystart::growth_divisor : e.bytes;
  if (hystart_.done()) state_.threshold = state_.window;
}

void cubic::begin_epoch(time_point now) noexcept {
  in_epoch_ = true;
  epoch_ = now;
  reno_ = state_.window;
  reno_carry_ = window_carry_ = 0;
  state_.plateau = std::max(state_.plateau, state_.window);
  // K^3 = (W_max - cwnd) / C, in milliseconds.
  const std::uint64_t missing = state_.plateau - state_.window;
  const std::uint64_t cube = scale(missing, 2'500'000'000, packet_);
  to_plateau_ = std::chrono::milliseconds(cube_root(cube));
}

std::uint64_t cubic::cubic_window(duration since_epoch) const noexcept {
  const auto offset =
      std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch - to_plateau_).count();
  const auto ms = static_cast<std::uint64_t>(
      std::min<std::int64_t>(offset < 0 ? -offset : offset, cubic_time_max_ms));
  const std::uint64_t change = scale(ms * ms * ms, packet_, 2'500'000'000);
  if (offset >= 0) return state_.plateau + change;
  return state_.plateau > change ? state_.plateau - change : 0;
}

void cubic::avoid_congestion(const ack_event& e) noexcept {
  if (!in_epoch_) begin_epoch(e.now);
  std::uint64_t& window = state_.window;
  // A Reno flow of the same average (section 4.3): alpha is 1 once it is where the loss was.
  const bool recovered = reno_ >= state_.before_loss;
  reno_carry_ += e.bytes * packet_ * (recovered ? alpha_denominator : alpha_numerator);
  reno_ += reno_carry_ / (window * alpha_denominator);
  reno_carry_ %= window * alpha_denominator;
  const duration t = e.now - epoch_;
  if (cubic_window(t) < reno_) {
    window = std::max(window, reno_);
    return;
  }
  // Where the cubic will be a round trip from now, reached in that round trip (section 4.4).
  const std::uint64_t target = std::clamp(cubic_window(t + e.smoothed), window, window * 3 / 2);
  window_carry_ += (target - window) * e.bytes;
  const std::uint64_t step = window_carry_ / window;
  window_carry_ %= window;
  window += step;
}

void cubic::on_loss_event(time_point, std::uint64_t) noexcept {
  undo_ = state_;
  const bool shrinking = state_.window < state_.plateau;
  state_.plateau = shrinking ? state_.window * fast_convergence_percent / 100 : state_.window;
  state_.before_loss = state_.window;
  state_.window = std::max<std::uint64_t>(state_.window * beta_percent / 100, 2 * packet_);
  state_.threshold = state_.window;
  in_epoch_ = false;
}

void cubic::on_spurious() noexcept {
  if (undo_.window > state_.window) state_ = undo_;
  in_epoch_ = false;
}

void cubic::on_persistent_congestion() noexcept {
  state_.window = 2 * packet_;
  in_epoch_ = false;
}

}  // namespace mdp::engine::congestion
