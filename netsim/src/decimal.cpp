#include "mdp/netsim/decimal.hpp"

#include <charconv>

namespace mdp::netsim {
namespace {

__extension__ using wide = unsigned __int128;

constexpr int digits_max = 18;
constexpr std::int32_t exponent_limit = 10'000;

// 10^k for k <= 38.
constexpr wide power_of_ten(std::int32_t k) {
  wide value = 1;
  for (std::int32_t i = 0; i < k; ++i) value *= 10;
  return value;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads digits and a point into `value`; false when there are too many or none.
bool read_digits(std::string_view& text, decimal& value) {
  bool point = false;
  bool any = false;
  int significant = 0;
  while (!text.empty() && (is_digit(text.front()) || (text.front() == '.' && !point))) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '.') {
      point = true;
      continue;
    }
    any = true;
    if (significant > 0 || c != '0') ++significant;
    if (significant > digits_max) return false;
    value.digits = value.digits * 10 + static_cast<std::uint64_t>(c - '0');
    if (point) --value.exponent;
  }
  return any;
}

bool read_exponent(std::string_view text, decimal& value) {
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  std::int32_t exponent = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc{} || stop != text.data() + text.size()) return false;
  if (exponent > exponent_limit || exponent < -exponent_limit) return false;
  value.exponent += exponent;
  return true;
}

}  // namespace

std::optional<decimal> parse_decimal(std::string_view text) noexcept {
  decimal value;
  if (!text.empty() && text.front() == '-') {
    value.negative = true;
    text.remove_prefix(1);
  }
  if (text.size() > 64 || !read_digits(text, value) || !read_exponent(text, value)) return {};
  while (value.digits != 0 && value.digits % 10 == 0) {
    value.digits /= 10;
    ++value.exponent;
  }
  if (value.digits == 0) value = {};
  return value;
}

std::optional<std::uint64_t> decimal::scaled(std::int32_t scale) const noexcept {
  const std::int32_t power = exponent + scale;
  if (digits == 0) return 0;
  if (power < -digits_max) return 0;
  if (power < 0) return static_cast<std::uint64_t>(digits / power_of_ten(-power));
  if (power > digits_max) return {};
  const wide value = digits * power_of_ten(power);
  if (value > INT64_MAX) return {};
  return static_cast<std::uint64_t>(value);
}

std::optional<probability> probability_of_percent(const decimal& percent) noexcept {
  if (percent.negative) return {};
  if (percent.digits == 0) return probability{};
  const std::int32_t power = percent.exponent - 2;
  if (power > 0) return {};
  if (power < -38) return probability{};
  const wide divisor = power_of_ten(-power);
  if (percent.digits > divisor) return {};
  if (percent.digits == divisor) return probability{0, true};
  // digits < 10^18 < 2^60: the shifted value fits 124 bits.
  return probability{static_cast<std::uint64_t>((wide{percent.digits} << 64) / divisor), false};
}

}  // namespace mdp::netsim
