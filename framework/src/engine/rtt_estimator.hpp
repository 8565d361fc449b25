// Smoothed round-trip time and its variation (RFC 9002 section 5; RFC 6298), in integers.
#pragma once
#include <algorithm>

#include "mdp/base/time.hpp"

namespace mdp::engine {

class rtt_estimator {
 public:
  explicit rtt_estimator(duration initial) noexcept
      : latest_(initial), smoothed_(initial), variation_(initial / 2) {}

  // `sample`: from the sending of the largest newly acknowledged packet to its acknowledgement.
  // `ack_delay`: what the peer says it waited, not subtracted below the minimum seen.
  void update(duration sample, duration ack_delay) noexcept {
    sample = std::max(sample, duration(1));
    latest_ = sample;
    peer_delay_ = std::max(ack_delay, peer_delay_ * 7 / 8);
    minimum_ = has_sample_ ? std::min(minimum_, sample) : sample;
    if (sample - ack_delay >= minimum_) sample -= ack_delay;
    adjusted_ = sample;
    if (!has_sample_) {
      has_sample_ = true;
      smoothed_ = sample;
      variation_ = sample / 2;
      return;
    }
    const duration error = smoothed_ > sample ? smoothed_ - sample : sample - smoothed_;
    variation_ = (3 * variation_ + error) / 4;
    smoothed_ = (7 * smoothed_ + sample) / 8;
  }

  [[nodiscard]] bool has_sample() const noexcept { return has_sample_; }
  [[nodiscard]] duration latest() const noexcept { return latest_; }
  // The latest sample without the peer's delay; 0 before any.
  [[nodiscard]] duration adjusted() const noexcept { return adjusted_; }
  [[nodiscard]] duration smoothed() const noexcept { return smoothed_; }
  [[nodiscard]] duration variation() const noexcept { return variation_; }
  [[nodiscard]] duration minimum() const noexcept { return has_sample_ ? minimum_ : smoothed_; }
  // Time threshold of loss: 9/8 of the larger of smoothed and latest (RFC 9002 section 6.1.2).
  [[nodiscard]] duration loss_delay(duration granularity) const noexcept {
    return std::max(std::max(smoothed_, latest_) * 9 / 8, granularity);
  }
  // Probe time-out before back-off (RFC 9002 section 6.2.1). `ack_delay`: what the peer is expected
  // to wait; one whose own estimate of the round trip is longer waits longer, and says so.
  [[nodiscard]] duration probe_timeout(duration granularity, duration ack_delay) const noexcept {
    return smoothed_ + std::max(4 * variation_, granularity) + std::max(ack_delay, peer_delay_);
  }

 private:
  duration latest_;
  duration adjusted_{};
  duration smoothed_;
  duration variation_;
  duration minimum_{};
  duration peer_delay_{};  // the longest of late that the peer said it waited
  bool has_sample_ = false;
};

}  // namespace mdp::engine
