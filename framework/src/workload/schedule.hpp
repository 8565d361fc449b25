// When an open-loop sender means to send: fixed by rate and seed alone, never by what happens.
// Integers only, so that every compiler and CPU gives the same times.
#pragma once
#include <cstdint>

#include "mdp/base/random.hpp"
#include "mdp/base/time.hpp"

namespace mdp::workload {

// -ln(u / 2^32) in units of 2^-24, for u in 1 .. 2^32: base-2 logarithm by repeated squaring.
[[nodiscard]] std::uint64_t negative_log(std::uint64_t u) noexcept;

class schedule {
 public:
  schedule(double rate_per_s, bool poisson, std::uint64_t seed);
  void begin(time_point start) noexcept;
  [[nodiscard]] time_point next() const noexcept { return next_; }
  void advance() noexcept;

 private:
  std::uint64_t interval_;  // mean, ns times 2^16
  bool poisson_;
  seeded_random random_;
  time_point start_{};
  std::uint64_t whole_ = 0;     // ns since the start ...
  std::uint64_t fraction_ = 0;  // ... and 2^-16 of it
  time_point next_ = never;
};

}  // namespace mdp::workload
