#include "swift.hpp"

namespace mdp::engine::congestion {
namespace {

constexpr std::uint64_t excess_percent = 80;  // beta: how much of the excess is cut
constexpr std::uint64_t kept_percent_min = 50;
constexpr duration base_span = std::chrono::seconds(30);

}  // namespace

swift::swift(std::uint32_t packet_bytes, std::uint32_t initial_packets, duration target) noexcept
    : controller(packet_bytes),
      target_(target),
      window_(std::uint64_t{packet_bytes} * initial_packets),
      base_(base_span) {}

std::uint64_t swift::pacing_rate() const noexcept {
  return rate_of(window_, smoothed_, slow_start_ ? 200 : 125);
}

void swift::on_acked(const ack_event& e) noexcept {
  smoothed_ = e.smoothed;
  if (e.rtt > duration::zero()) base_.update(e.now, e.rtt);
  if (e.rtt <= duration::zero() || e.rtt <= limit()) {
    grow(e);
    return;
  }
  slow_start_ = false;
  if (e.now - last_cut_ < e.smoothed) return;
  const auto excess = static_cast<std::uint64_t>((e.rtt - limit()).count());
  shrink(e.now, 100 - excess_percent * excess / static_cast<std::uint64_t>(e.rtt.count()));
}

duration swift::limit() const noexcept {
  // On long paths a queue of an eighth of the round trip costs little, and our own bursts need it.
  return base_.get() + std::max(target_, base_.get() / 8);
}

void swift::grow(const ack_event& e) noexcept {
  if (e.app_limited || e.in_recovery) return;
  if (slow_start_) {
    window_ += e.bytes;
    return;
  }
  carry_ += e.bytes * packet_;
  window_ += carry_ / window_;
  carry_ %= window_;
}

void swift::shrink(time_point now, std::uint64_t percent_kept) noexcept {
  last_cut_ = now;
  window_ = std::max<std::uint64_t>(window_ * std::max(percent_kept, kept_percent_min) / 100,
                                    2 * packet_);
}

void swift::on_loss_event(time_point now, std::uint64_t) noexcept {
  undo_ = window_;
  slow_start_ = false;
  if (now - last_cut_ >= smoothed_) shrink(now, kept_percent_min);
}

void swift::on_spurious() noexcept {
  window_ = std::max(window_, undo_);
}

void swift::on_persistent_congestion() noexcept {
  window_ = 2 * packet_;
}

}  // namespace mdp::engine::congestion
