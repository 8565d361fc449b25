// HyStart++ (RFC 9406): leaves slow start when round trips grow, by way of a conservative phase
// that goes back to slow start if the growth was a mistake.
#pragma once
#include <algorithm>
#include <cstdint>

#include "mdp/base/time.hpp"

namespace mdp::engine::congestion {

class hystart {
 public:
  static constexpr std::uint64_t growth_divisor = 4;  // CSS_GROWTH_DIVISOR

  void on_round_start() noexcept {
    if (conservative_ && ++conservative_rounds_ >= rounds_max) done_ = true;
    last_round_min_ = round_min_;
    round_min_ = duration::max();
    samples_ = 0;
  }
  void on_sample(duration rtt) noexcept {
    round_min_ = std::min(round_min_, rtt);
    if (++samples_ < samples_min || last_round_min_ == duration::max()) return;
    if (conservative_) {
      if (round_min_ < baseline_) conservative_ = false;
      return;
    }
    const duration threshold =
        std::clamp<duration>(last_round_min_ / 8, threshold_min, threshold_max);
    if (round_min_ < last_round_min_ + threshold) return;
    baseline_ = round_min_;
    conservative_ = true;
    conservative_rounds_ = 0;
  }
  // Grow a quarter as fast.
  [[nodiscard]] bool conservative() const noexcept { return conservative_; }
  // Slow start is over.
  [[nodiscard]] bool done() const noexcept { return done_; }

 private:
  static constexpr std::uint32_t samples_min = 8;  // N_RTT_SAMPLE
  static constexpr std::uint32_t rounds_max = 5;   // CSS_ROUNDS
  static constexpr duration threshold_min = std::chrono::milliseconds(4);
  static constexpr duration threshold_max = std::chrono::milliseconds(16);

  duration round_min_ = duration::max();
  duration last_round_min_ = duration::max();
  duration baseline_{};
  std::uint32_t samples_ = 0;
  std::uint32_t conservative_rounds_ = 0;
  bool conservative_ = false;
  bool done_ = false;
};

}  // namespace mdp::engine::congestion
