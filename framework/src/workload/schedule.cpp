#include "schedule.hpp"

#include <algorithm>
#include <bit>

namespace mdp::workload {

namespace {

std::uint64_t interval_of(double rate_per_s) noexcept {
  return static_cast<std::uint64_t>(1e9 * 65536 / std::max(rate_per_s, 0.001));
}

}  // namespace

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

schedule::schedule(const arrival_plan& plan, std::uint64_t seed)
    : plan_(plan), interval_(interval_of(plan.rate_per_s)), random_(seed) {
  plan_.burst_messages = std::max<std::uint32_t>(plan_.burst_messages, 1);
}

void schedule::begin(time_point start, time_point end) noexcept {
  start_ = start;
  length_ = static_cast<std::uint64_t>(std::max<std::int64_t>((end - start).count(), 1));
  whole_ = fraction_ = 0;
  in_burst_ = 0;
  next_ = start;
  if (plan_.kind == arrival_kind::poisson) advance();
}

std::uint64_t schedule::ramp_interval() const noexcept {
  // Rates in thousandths of a message a second, the place in 65,536ths of the ramp: 64 bits hold
  // the product. One gap at the rate of its beginning is off by half a gap over the whole ramp.
  const auto from = static_cast<std::int64_t>(plan_.rate_per_s * 1000);
  const auto to = static_cast<std::int64_t>(plan_.rate_end_per_s * 1000);
  const auto place = static_cast<std::int64_t>(std::min(whole_, length_) / ((length_ >> 16) + 1));
  const std::int64_t rate = from + (to - from) * place / 65536;
  return std::uint64_t{1'000'000'000'000} * 65536 /
         static_cast<std::uint64_t>(std::max<std::int64_t>(rate, 1));
}

void schedule::add(std::uint64_t whole, std::uint64_t fraction) noexcept {
  fraction_ += fraction;
  whole_ += whole + (fraction_ >> 16);
  fraction_ &= 0xffff;
  next_ = start_ + duration(static_cast<std::int64_t>(whole_));
}

void schedule::advance() noexcept {
  switch (plan_.kind) {
    case arrival_kind::constant:
      return add(interval_ >> 16, interval_ & 0xffff);
    case arrival_kind::poisson: {
      const std::uint64_t log = negative_log((random_.next() >> 32) + 1);  // 2^-24
      // interval * log without overflow: high and low part of the interval apart.
      const std::uint64_t product = (interval_ >> 16) * log;
      return add(product >> 24, (product & 0xffffff) >> 8);
    }
    case arrival_kind::bursty:
      if (++in_burst_ < plan_.burst_messages) return;
      in_burst_ = 0;
      return add((interval_ >> 16) * plan_.burst_messages +
                     ((interval_ & 0xffff) * plan_.burst_messages >> 16),
                 (interval_ & 0xffff) * plan_.burst_messages & 0xffff);
    case arrival_kind::ramp: {
      const std::uint64_t gap = ramp_interval();
      return add(gap >> 16, gap & 0xffff);
    }
  }
}

}  // namespace mdp::workload
