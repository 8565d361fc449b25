// Decimal text to integers without floating point: "1 %" is the same threshold on every compiler.
// Plain values, no state. A text that is no decimal number, or too long, gives nullopt.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace mdp::netsim {

// digits * 10^exponent, negative when `negative`; zero has no digits and is never negative.
struct decimal {
  std::uint64_t digits = 0;  // below 10^18
  std::int32_t exponent = 0;
  bool negative = false;

  // digits * 10^(exponent + scale), rounded towards zero; nullopt when it does not fit 63 bits.
  // The sign is not looked at.
  [[nodiscard]] std::optional<std::uint64_t> scaled(std::int32_t scale) const noexcept;
};

// JSON's number grammar with at most 18 significant digits.
[[nodiscard]] std::optional<decimal> parse_decimal(std::string_view text) noexcept;

// An event that happens when a uniform 64-bit draw lies below p * 2^64.
struct probability {
  std::uint64_t threshold = 0;  // floor(p * 2^64)
  bool certain = false;         // p = 1, for which 64 bits have no threshold

  [[nodiscard]] bool possible() const noexcept { return certain || threshold != 0; }
  [[nodiscard]] bool happens(std::uint64_t draw) const noexcept {
    return certain || draw < threshold;
  }
};

// nullopt below 0 % and above 100 %.
[[nodiscard]] std::optional<probability> probability_of_percent(const decimal& percent) noexcept;

}  // namespace mdp::netsim
