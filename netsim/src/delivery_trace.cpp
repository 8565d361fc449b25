#include "mdp/netsim/delivery_trace.hpp"

#include <algorithm>

namespace mdp::netsim {
namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;

std::int64_t time_of(const delivery_trace& trace, std::uint64_t opportunity) noexcept {
  const std::uint64_t round = opportunity / trace.size();
  const std::uint64_t ms = round * trace.back() + trace[opportunity % trace.size()];
  return static_cast<std::int64_t>(ms) * ns_per_ms;
}

}  // namespace

std::uint64_t mean_rate_bps(const delivery_trace& trace) noexcept {
  const std::uint64_t bits = std::uint64_t{trace.size()} * delivery_bytes * 8;
  return std::max<std::uint64_t>(bits * 1000 / trace.back(), 1);
}

std::int64_t delivery_process::send(const delivery_trace& trace, std::int64_t now,
                                    std::uint32_t bytes) noexcept {
  if (now > last_ns_) {
    left_ = 0;
    // Rounds that passed meanwhile are stepped over whole, but for the one whose end may be now.
    const auto round = static_cast<std::uint64_t>(now / ns_per_ms) / trace.back();
    if (round > 1) next_ = std::max(next_, (round - 1) * trace.size());
    while (time_of(trace, next_) < now) ++next_;
  }
  std::uint32_t wanted = bytes + delivery_overhead_bytes;
  while (left_ < wanted) {
    wanted -= left_;
    left_ = delivery_bytes;
    last_ns_ = time_of(trace, next_++);
  }
  left_ -= wanted;
  return last_ns_;
}

}  // namespace mdp::netsim
