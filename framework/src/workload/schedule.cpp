#include "schedule.hpp"

#include <algorithm>
#include <bit>

namespace mdp::workload {

std::uint64_t negative_log(std::uint64_t u) noexcept {
  // log2(u) = e + log2(m), m in [1, 2): each squaring of m yields one more binary digit.
  const auto e = static_cast<unsigned>(std::bit_width(u)) - 1;
  std::uint64_t m = e >= 31 ? u >> (e - 31) : u << (31 - e);  // 1.31 fixed point
  std::uint64_t log = 0;
  for (int bit = 0; bit < 24; ++bit) {
    m = m * m >> 31;
    log <<= 1;
    if (m >> 32) {
      log |= 1;
      m >>= 1;
    }
  }
  const std::uint64_t log2_u = (std::uint64_t{e} << 24) + log;
  constexpr std::uint64_t ln2 = 2977044472u;  // ln 2 times 2^32
  return ((std::uint64_t{32} << 24) - log2_u) * ln2 >> 32;
}

schedule::schedule(double rate_per_s, bool poisson, std::uint64_t seed)
    : interval_(static_cast<std::uint64_t>(1e9 * 65536 / std::max(rate_per_s, 0.1))),
      poisson_(poisson),
      random_(seed) {}

void schedule::begin(time_point start) noexcept {
  start_ = start;
  whole_ = fraction_ = 0;
  next_ = start;
  if (poisson_) advance();
}

void schedule::advance() noexcept {
  std::uint64_t step_whole = interval_ >> 16;
  std::uint64_t step_fraction = interval_ & 0xffff;
  if (poisson_) {
    const std::uint64_t log = negative_log((random_.next() >> 32) + 1);  // 2^-24
    // interval * log without overflow: high and low part of the interval apart.
    step_whole = (interval_ >> 16) * log >> 24;
    step_fraction = ((interval_ >> 16) * log & 0xffffff) >> 8;
  }
  fraction_ += step_fraction;
  whole_ += step_whole + (fraction_ >> 16);
  fraction_ &= 0xffff;
  next_ = start_ + duration(static_cast<std::int64_t>(whole_));
}

}  // namespace mdp::workload
