// Time as the engine sees it: nanoseconds of a clock that the transport owns (real or virtual).
#pragma once
#include <chrono>
#include <cstdint>

namespace mdp {

using duration = std::chrono::nanoseconds;

// A clock without now(): only a transport knows the time. Its epoch is arbitrary; differences
// count.
struct transport_clock {
  using duration = mdp::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<transport_clock, duration>;
  static constexpr bool is_steady = true;
};

using time_point = transport_clock::time_point;

// "No deadline": later than any time.
inline constexpr time_point never = time_point::max();

[[nodiscard]] constexpr time_point at_ns(std::int64_t ns) {
  return time_point(duration(ns));
}
[[nodiscard]] constexpr std::int64_t ns_of(time_point t) {
  return t.time_since_epoch().count();
}

}  // namespace mdp
