// Spreads packets over time: a token bucket that holds at most 2 ms of the rate, and from 10 to 256
// packets. What is owed is sent in bursts, so that a timer fires a few hundred times a second at
// most, not once a packet. Rules: docs/protocol.md R-PACE-*.
#pragma once
#include <algorithm>
#include <cstdint>

#include "mdp/base/time.hpp"

namespace mdp::engine::congestion {

class pacer {
 public:
  static constexpr std::uint64_t burst_packets_min = 10;
  static constexpr std::uint64_t burst_packets_max = 256;
  static constexpr std::uint64_t burst_ms = 2;

  // `rate` in bytes/s, 0: no limit. May a packet leave now?
  [[nodiscard]] bool allows(time_point now, std::uint64_t rate,
                            std::uint32_t packet_bytes) noexcept {
    if (rate == 0) return true;
    refill(now, rate, packet_bytes);
    return tokens_ >= static_cast<std::int64_t>(packet_bytes);
  }
  void on_sent(std::uint32_t bytes) noexcept { tokens_ -= bytes; }
  // Packets leave unpaced: when pacing begins, it owes nothing and may begin with a burst.
  void pause() noexcept {
    tokens_ = 0;
    started_ = false;
  }
  // When half a burst may leave. After allows() said no, with the same arguments.
  [[nodiscard]] time_point next_time(std::uint64_t rate,
                                     std::uint32_t packet_bytes) const noexcept {
    const std::int64_t wanted = burst(rate, packet_bytes) / 2 - tokens_;
    return filled_ + time_of(static_cast<std::uint64_t>(std::max<std::int64_t>(wanted, 1)), rate);
  }

 private:
  [[nodiscard]] static std::int64_t burst(std::uint64_t rate, std::uint32_t packet) noexcept {
    return static_cast<std::int64_t>(
        std::clamp(rate / 1000 * burst_ms, burst_packets_min * packet, burst_packets_max * packet));
  }
  // Rounded up: after it, the bytes are there.
  [[nodiscard]] static duration time_of(std::uint64_t bytes, std::uint64_t rate) noexcept {
    return duration(static_cast<std::int64_t>((bytes * 1'000'000'000 + rate - 1) / rate));
  }
  void refill(time_point now, std::uint64_t rate, std::uint32_t packet_bytes) noexcept {
    const std::int64_t room = burst(rate, packet_bytes) - tokens_;
    if (room <= 0 || !started_ ||
        now - filled_ >= time_of(static_cast<std::uint64_t>(room), rate)) {
      tokens_ += std::max<std::int64_t>(room, 0);
      filled_ = now;
      started_ = true;
      return;
    }
    const auto elapsed = static_cast<std::uint64_t>((now - filled_).count());
    const std::uint64_t bytes = elapsed * rate / 1'000'000'000;
    if (bytes == 0) return;  // the time since is kept, not rounded away
    tokens_ += static_cast<std::int64_t>(bytes);
    filled_ = now;
  }

  std::int64_t tokens_ = 0;  // bytes; below zero after packets that did not ask
  time_point filled_{};
  bool started_ = false;
};

}  // namespace mdp::engine::congestion
