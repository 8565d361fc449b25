// Draws of which each is like the one before: netem's get_crandom() (Linux, net/sched/sch_netem.c),
// in its arithmetic of 32 bits. Successive draws correlate by r, k apart by r^k; they are no longer
// uniform, so that an event of a small probability happens less often than it says (tc-netem(8)).
#pragma once
#include <cstdint>

#include "mdp/netsim/decimal.hpp"

namespace mdp::netsim {

class correlated_draw {
 public:
  // r of the draw before and 1 - r of `fresh`, which is uniform; the first is `fresh` alone.
  [[nodiscard]] std::uint64_t next(std::uint64_t fresh, const probability& r) noexcept {
    if (!r.possible()) return fresh;
    const std::uint64_t share = r.certain ? whole : r.threshold >> 32;
    const std::uint64_t high = fresh >> 32;
    last_ = begun_ ? (high * (whole - share) + last_ * share) >> 32 : high;
    begun_ = true;
    return last_ << 32 | (fresh & (whole - 1));
  }

 private:
  static constexpr std::uint64_t whole = std::uint64_t{1} << 32;
  std::uint64_t last_ = 0;  // its high half
  bool begun_ = false;
};

}  // namespace mdp::netsim
