// When the last bit leaves a wire of a rate, exactly: whole nanoseconds and the rest of one, so
// that nothing drifts. One owner.
#pragma once
#include <cstdint>

namespace mdp::netsim {

struct bit_clock {
  std::int64_t busy_until = 0;  // the last bit accepted leaves then ...
  std::uint64_t remainder = 0;  // ... and this many 1/rate_bps nanoseconds later

  // `bytes` more, not before `now`, at rate_bps > 0: when they have left.
  std::int64_t send(std::int64_t now, std::uint32_t bytes, std::uint64_t rate_bps) noexcept {
    constexpr std::uint64_t ns_per_s = 1'000'000'000;
    if (now > busy_until) {
      busy_until = now;
      remainder = 0;
    }
    const std::uint64_t work = std::uint64_t{bytes} * 8 * ns_per_s + remainder;
    busy_until += static_cast<std::int64_t>(work / rate_bps);
    remainder = work % rate_bps;
    return busy_until;
  }
};

}  // namespace mdp::netsim
