// Random additions to a delay, from inverse distribution functions in integers: no libm, so the
// same bits on every machine. Pure functions.
#pragma once
#include <cstdint>

namespace mdp::netsim {

enum class jitter_shape : std::uint8_t {
  uniform,    // 0 .. scale
  normal,     // mean 0, standard deviation `scale`; half of the packets come earlier
  lognormal,  // median `scale`, sigma 1/2
  pareto,     // minimum `scale`, shape 3
};

// The value whose probability not to be exceeded is draw / 2^64, for scale_ns of 0 .. one hour.
// Tails end at a probability of 2^-17. The error is below 0.1 % of the scale, or of the value.
[[nodiscard]] std::int64_t sample(jitter_shape shape, std::uint64_t draw,
                                  std::int64_t scale_ns) noexcept;

}  // namespace mdp::netsim
