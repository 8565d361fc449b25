#include "ledbat.hpp"

namespace mdp::engine::congestion {
namespace {

// Section 4 of the draft.
constexpr duration target = std::chrono::milliseconds(60);
constexpr std::uint64_t gain_divisor_max = 16;
constexpr duration base_span = std::chrono::minutes(2);
constexpr int pause_round_trips = 2;
constexpr int slowdown_interval = 9;  // times the length of the last slowdown

}  // namespace

ledbat::ledbat(std::uint32_t packet_bytes, std::uint32_t initial_packets) noexcept
    : controller(packet_bytes),
      window_(std::uint64_t{packet_bytes} * std::min(initial_packets, 2u)),
      base_(base_span),
      current_(duration::zero()) {}

std::uint64_t ledbat::window_bytes() const noexcept {
  return slowdown_end_ != never ? 2 * packet_ : window_;
}

std::uint64_t ledbat::pacing_rate() const noexcept {
  return rate_of(window_bytes(), smoothed_, slow_start_ ? 200 : 125);
}

std::uint64_t ledbat::gain_divisor() const noexcept {
  if (base_.get() == duration::max()) return gain_divisor_max;  // nothing was measured yet
  const duration base = std::max(base_.get(), duration(1));
  const auto ratio = static_cast<std::uint64_t>((2 * target + base - duration(1)) / base);
  return std::clamp<std::uint64_t>(ratio, 1, gain_divisor_max);
}

void ledbat::on_acked(const ack_event& e) noexcept {
  smoothed_ = e.smoothed;
  if (e.rtt > duration::zero()) {
    base_.update(e.now, e.rtt);
    if (e.round_start) current_ = windowed_min(e.smoothed);
    current_.update(e.now, e.rtt);
  }
  run_slowdown(e.now);
  if (slowdown_end_ != never || e.app_limited || e.in_recovery) return;
  adjust(e);
}

void ledbat::run_slowdown(time_point now) noexcept {
  if (slowdown_end_ != never && now >= slowdown_end_) {
    // Back to where it was, by slow start.
    slowdown_end_ = never;
    window_ = 2 * packet_;
    slow_start_ = true;
    return;
  }
  if (slow_start_ || slowdown_end_ != never || now < next_slowdown_) return;
  threshold_ = window_;
  slowdown_start_ = now;
  slowdown_end_ = now + pause_round_trips * smoothed_;
  next_slowdown_ = never;
}

void ledbat::leave_slow_start(time_point now) noexcept {
  slow_start_ = false;
  // The first slowdown comes two round trips after the first slow start; later ones take a tenth of
  // the time.
  if (first_slow_start_) {
    next_slowdown_ = now + pause_round_trips * smoothed_;
  } else if (slowdown_start_ != never) {
    next_slowdown_ = now + slowdown_interval * (now - slowdown_start_);
    slowdown_start_ = never;
  }
  first_slow_start_ = false;
}

void ledbat::adjust(const ack_event& e) noexcept {
  const duration delay =
      current_.get() == duration::max() ? duration::zero() : current_.get() - base_.get();
  const std::uint64_t divisor = gain_divisor();
  if (slow_start_) {
    window_ += e.bytes / divisor;
    // The first one stops before it fills the queue; later ones know where to stop.
    if (window_ >= threshold_ || (first_slow_start_ && delay > target * 3 / 4))
      leave_slow_start(e.now);
    return;
  }
  carry_ += e.bytes * packet_;
  const std::uint64_t grown = carry_ / (window_ * divisor);
  carry_ %= window_ * divisor;
  std::uint64_t shrunk = 0;
  if (delay > target) {
    // Multiplicative: of each acknowledged byte the part by which the delay exceeds the target, and
    // half of them at most.
    const auto excess = static_cast<std::uint64_t>((delay - target).count());
    shrunk =
        std::min(scale(e.bytes, excess, static_cast<std::uint64_t>(target.count())), e.bytes / 2);
  }
  window_ = std::max<std::uint64_t>(window_ + grown - std::min(shrunk, window_), 2 * packet_);
}

void ledbat::on_loss_event(time_point now, std::uint64_t) noexcept {
  undo_ = window_;
  window_ = std::max<std::uint64_t>(window_ / 2, 2 * packet_);
  if (slow_start_) leave_slow_start(now);
}

void ledbat::on_spurious() noexcept {
  window_ = std::max(window_, undo_);
}

void ledbat::on_persistent_congestion() noexcept {
  window_ = 2 * packet_;
}

}  // namespace mdp::engine::congestion
