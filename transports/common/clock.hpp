// The clock of transports on real networks: CLOCK_MONOTONIC.
#pragma once
#include <algorithm>
#include <cstdint>
#include <ctime>

#include "mdp/base/time.hpp"

namespace mdp::transport {

[[nodiscard]] inline time_point monotonic_now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return at_ns(std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec);
}

// Nanoseconds from `now` to `deadline`, not negative; -1 for no deadline.
[[nodiscard]] inline std::int64_t ns_until(time_point deadline, time_point now) noexcept {
  if (deadline == never) return -1;
  return deadline <= now ? 0 : (deadline - now).count();
}

// `now + d`, but not beyond `deadline`; safe for any values.
[[nodiscard]] inline time_point earlier_of(time_point deadline, time_point now,
                                           duration d) noexcept {
  if (d <= duration::zero() || deadline <= now) return std::min(deadline, now);
  return deadline - now > d ? now + d : deadline;
}

}  // namespace mdp::transport
