// How far the path lets packets overtake each other: what loss detection must tolerate before it
// calls a packet lost. Begins at the thresholds of RFC 9002 section 6.1, grows with what is seen,
// and forgets it when nothing is seen any more (after RFC 8985 sections 3.3.2 and 6.2).
#pragma once
#include <algorithm>
#include <cstdint>

#include "mdp/base/time.hpp"

namespace mdp::engine {

class reordering {
 public:
  static constexpr std::uint64_t packets_min = 3;

  // A packet `distance` numbers below one acknowledged earlier was acknowledged, `took` after it
  // was sent.
  void on_late(std::uint64_t distance, duration took) noexcept {
    if (distance < packets_min) return;
    current_.distance = std::max(current_.distance, distance);
    current_.took = std::max(current_.took, took);
  }
  // Once a round trip.
  void on_round() noexcept {
    if (++rounds_ < rounds_remembered) return;
    rounds_ = 0;
    previous_ = current_;
    current_ = {};
  }
  // Numbers by which an acknowledged packet must lie above a lost one: twice what was seen, since
  // the next may be later still.
  [[nodiscard]] std::uint64_t packets() const noexcept {
    return std::max(2 * std::max(current_.distance, previous_.distance), packets_min);
  }
  // The time threshold, `usual` without reordering; at most twice that.
  [[nodiscard]] duration delay(duration usual) const noexcept {
    return std::clamp(std::max(current_.took, previous_.took) * 9 / 8, usual, 2 * usual);
  }

 private:
  static constexpr std::uint32_t rounds_remembered = 16;  // once to twice that
  struct extent {
    std::uint64_t distance = 0;
    duration took{};
  };

  extent current_;
  extent previous_;
  std::uint32_t rounds_ = 0;
};

}  // namespace mdp::engine
