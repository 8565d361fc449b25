// The least of the samples of one to two spans of time: forgets a minimum that no longer holds.
#pragma once
#include <algorithm>

#include "mdp/base/time.hpp"

namespace mdp::engine::congestion {

class windowed_min {
 public:
  explicit windowed_min(duration span) noexcept : span_(span) {}
  void update(time_point now, duration sample) noexcept {
    if (now - start_ >= span_) {
      previous_ = current_;
      current_ = duration::max();
      start_ = now;
    }
    current_ = std::min(current_, sample);
  }
  // duration::max() before any sample.
  [[nodiscard]] duration get() const noexcept { return std::min(previous_, current_); }

 private:
  duration span_;
  time_point start_{};
  duration current_ = duration::max();
  duration previous_ = duration::max();
};

}  // namespace mdp::engine::congestion
