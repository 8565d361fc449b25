// Values of options, each checked, with an error that begins with the JSON pointer of the culprit.
// Pure functions that throw options_error.
#pragma once
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "mdp/netsim/decimal.hpp"
#include "option_tree.hpp"

namespace mdp::netsim {

[[noreturn]] void refuse(const std::string& pointer, const std::string& message);
void expect(const option_value& v, option_kind kind, const std::string& pointer);

// A number of 0 .. max.
[[nodiscard]] decimal number_of(const option_value& v, const std::string& pointer,
                                std::uint64_t max);
[[nodiscard]] std::uint64_t whole_number_of(const option_value& v, const std::string& pointer,
                                            std::uint64_t min, std::uint64_t max);
// Nanoseconds from microseconds; at most one hour, or `max_us`.
inline constexpr std::uint64_t time_us_max = 3'600'000'000;
[[nodiscard]] std::int64_t time_of(const option_value& v, const std::string& pointer,
                                   std::uint64_t max_us = time_us_max);
[[nodiscard]] std::uint64_t rate_of(const option_value& v, const std::string& pointer);
[[nodiscard]] probability probability_of(const option_value& v, const std::string& pointer);
[[nodiscard]] bool boolean_of(const option_value& v, const std::string& pointer);
// The position of a text among `choices`.
[[nodiscard]] std::size_t choice_of(const option_value& v, const std::string& pointer,
                                    std::span<const std::string_view> choices);

// One key that an object may have.
struct option_key {
  std::string_view name;
  std::function<void(const option_value&, const std::string& pointer)> read;
};
// Reads an object that has no other keys than these.
void read_object(const option_value& v, const std::string& pointer,
                 std::span<const option_key> keys);
inline void read_object(const option_value& v, const std::string& pointer,
                        std::initializer_list<option_key> keys) {
  read_object(v, pointer, std::span<const option_key>(keys.begin(), keys.size()));
}

// "a, b, c"
[[nodiscard]] std::string listed(std::span<const std::string_view> names);

}  // namespace mdp::netsim
