#include "mdp/netsim/red.hpp"

#include <algorithm>

namespace mdp::netsim {
namespace {

constexpr std::uint64_t one = std::uint64_t{1} << 32;  // a probability of 1

constexpr std::uint32_t queued_max = (1u << 20) - 1;  // keeps products within 64 bits

std::uint64_t scaled(const probability& p) noexcept {
  return p.certain ? one : p.threshold >> 32;
}

}  // namespace

// average * (1 - 2^-shift) ^ packets: as if so many had come to an empty queue.
void red_process::decay(std::uint64_t packets) noexcept {
  std::uint64_t factor = one - (one >> spec_.weight_shift);
  for (; packets > 0 && average_ > 0; packets >>= 1) {
    if (packets & 1) average_ = average_ * (factor >> 4) >> 28;  // below 2^36 by 28 bits
    factor = factor * factor >> 32;
  }
}

red_process::answer red_process::on_arrival(std::uint32_t queued, std::uint64_t idle_packets,
                                            std::uint64_t draw) noexcept {
  if (queued == 0) {
    decay(idle_packets);
  } else {
    const std::uint64_t now = std::uint64_t{std::min(queued, queued_max)} << fraction_bits;
    average_ = average_ - (average_ >> spec_.weight_shift) + (now >> spec_.weight_shift);
  }
  const std::uint64_t least = std::uint64_t{spec_.min_packets} << fraction_bits;
  const std::uint64_t most = std::uint64_t{spec_.max_packets} << fraction_bits;
  if (average_ < least) {
    since_ = 0;
    return answer::take;
  }
  if (average_ >= 2 * most) {
    since_ = 0;
    return answer::drop;
  }
  const std::uint64_t at_most = scaled(spec_.max);
  const std::uint64_t base = average_ < most ? at_most * (average_ - least) / (most - least)
                                             : at_most + (one - at_most) * (average_ - most) / most;
  // Evenly spread: the more have passed since the last, the likelier.
  const std::uint64_t used = std::min(since_ * base, one);
  ++since_;
  const bool hit = used >= one - base || (draw >> 32) < base * one / (one - used);
  if (!hit) return answer::take;
  since_ = 0;
  return answer::signal;
}

}  // namespace mdp::netsim
