#include "option_reader.hpp"

#include <fmt/format.h>

#include <vector>

namespace mdp::netsim {
namespace {

constexpr std::uint64_t rate_mbps_max = 10'000'000;  // 10 Tb/s: keeps all sums far below 2^63

}  // namespace

void refuse(const std::string& pointer, const std::string& message) {
  throw options_error(fmt::format("{}: {}", pointer.empty() ? "/" : pointer, message));
}

void expect(const option_value& v, option_kind kind, const std::string& pointer) {
  if (v.kind == kind) return;
  refuse(pointer, fmt::format("expected {}, found {}", to_string(kind), to_string(v.kind)));
}

decimal number_of(const option_value& v, const std::string& pointer, std::uint64_t max) {
  expect(v, option_kind::number, pointer);
  const auto value = parse_decimal(v.text);
  if (!value) refuse(pointer, v.text + " has more than 18 digits or a huge exponent");
  if (value->negative) refuse(pointer, v.text + " is negative");
  // 10^-6 of the unit is fine enough to compare with a limit that is a whole number.
  const auto micros = value->scaled(6);
  if (!micros || *micros > max * 1'000'000) {
    refuse(pointer, fmt::format("{} is above {}", v.text, max));
  }
  return *value;
}

std::uint64_t whole_number_of(const option_value& v, const std::string& pointer, std::uint64_t min,
                              std::uint64_t max) {
  const decimal value = number_of(v, pointer, max);
  if (value.exponent < 0) refuse(pointer, v.text + " is no whole number");
  const std::uint64_t whole = *value.scaled(0);
  if (whole < min) refuse(pointer, fmt::format("{} is below {}", v.text, min));
  return whole;
}

std::int64_t time_of(const option_value& v, const std::string& pointer, std::uint64_t max_us) {
  return static_cast<std::int64_t>(*number_of(v, pointer, max_us).scaled(3));
}

std::uint64_t rate_of(const option_value& v, const std::string& pointer) {
  const decimal rate = number_of(v, pointer, rate_mbps_max);
  const std::uint64_t bps = *rate.scaled(6);
  if (bps == 0 && rate.digits != 0) refuse(pointer, v.text + " is below 1 bit/s");
  return bps;
}

probability probability_of(const option_value& v, const std::string& pointer) {
  const auto p = probability_of_percent(number_of(v, pointer, 100));
  if (!p) refuse(pointer, v.text + " is above 100");
  return *p;
}

bool boolean_of(const option_value& v, const std::string& pointer) {
  expect(v, option_kind::boolean, pointer);
  return v.boolean;
}

std::size_t choice_of(const option_value& v, const std::string& pointer,
                      std::span<const std::string_view> choices) {
  expect(v, option_kind::string, pointer);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (v.text == choices[i]) return i;
  }
  refuse(pointer, fmt::format("\"{}\" is none of {}", v.text, listed(choices)));
}

void read_object(const option_value& v, const std::string& pointer,
                 std::span<const option_key> keys) {
  expect(v, option_kind::object, pointer);
  for (const option_member& m : v.members) {
    const std::string at = child(pointer, m.name);
    bool known = false;
    for (const option_key& key : keys) {
      if (m.name != key.name) continue;
      key.read(m.value, at);
      known = true;
    }
    if (known) continue;
    std::vector<std::string_view> names;
    for (const option_key& key : keys) names.push_back(key.name);
    refuse(at, "unknown key; known: " + listed(names));
  }
}

std::string listed(std::span<const std::string_view> names) {
  std::string all;
  for (const std::string_view name : names) all += (all.empty() ? "" : ", ") + std::string(name);
  return all;
}

}  // namespace mdp::netsim
