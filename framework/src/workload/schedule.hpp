// When an open-loop sender means to send: fixed by rate and seed alone, never by what happens.
// Integers only, so that every compiler and CPU gives the same times.
#pragma once
#include <cstdint>

#include "mdp/base/random.hpp"
#include "mdp/base/time.hpp"

namespace mdp::workload {

// -ln(u / 2^32) in units of 2^-24, for u in 1 .. 2^32: base-2 logarithm by repeated squaring.
[[nodiscard]] std::uint64_t negative_log(std::uint64_t u) noexcept;

enum class arrival_kind : std::uint8_t {
  constant,  // equal gaps
  poisson,   // exponential gaps
  bursty,    // `burst_messages` at one instant, equal gaps between the bursts
  ramp,      // equal gaps that shrink or grow: the rate goes to `rate_end_per_s` in a straight line
};
struct arrival_plan {
  double rate_per_s = 0;  // mean; of a ramp: at the start
  arrival_kind kind = arrival_kind::constant;
  std::uint32_t burst_messages = 1;
  double rate_end_per_s = 0;
};

class schedule {
 public:
  schedule(const arrival_plan& plan, std::uint64_t seed);
  // A ramp ends at `end`.
  void begin(time_point start, time_point end) noexcept;
  [[nodiscard]] time_point next() const noexcept { return next_; }
  void advance() noexcept;

 private:
  void add(std::uint64_t whole, std::uint64_t fraction) noexcept;
  // Gap at this place of a ramp, ns times 2^16.
  [[nodiscard]] std::uint64_t ramp_interval() const noexcept;

  arrival_plan plan_;
  std::uint64_t interval_;      // mean, ns times 2^16
  std::uint64_t length_ = 1;    // of a ramp, ns
  std::uint32_t in_burst_ = 0;  // messages of this burst already due
  seeded_random random_;
  time_point start_{};
  std::uint64_t whole_ = 0;     // ns since the start ...
  std::uint64_t fraction_ = 0;  // ... and 2^-16 of it
  time_point next_ = never;
};

}  // namespace mdp::workload
