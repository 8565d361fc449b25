// Random draws and exact decimals: the integers that decide fates.
#include <gtest/gtest.h>

#include <set>

#include "mdp/netsim/decimal.hpp"
#include "mdp/netsim/philox.hpp"

namespace mdp::netsim {
namespace {

// Known answers of Random123 (kat_vectors, philox4x32 10).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}),
            (philox_counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(
      philox4x32_10({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
      (philox_counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(
      philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (philox_counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, KeysDifferBySeedNameAndPurpose) {
  std::set<philox_key> keys;
  for (const std::uint64_t seed : {0u, 1u, 2u, 42u}) {
    for (const char* name : {"", "a/up", "a/down", "b/up"}) {
      keys.insert(draw_key(seed, name, draw_purpose::fate));
      keys.insert(draw_key(seed, name, static_cast<draw_purpose>(2)));
    }
  }
  EXPECT_EQ(keys.size(), 32u);
}

TEST(Decimal, ReadsJsonNumbersExactly) {
  const auto check = [](const char* text, std::uint64_t digits, std::int32_t exponent) {
    const auto value = parse_decimal(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->digits, digits) << text;
    EXPECT_EQ(value->exponent, exponent) << text;
  };
  check("0", 0, 0);
  check("-0.000", 0, 0);
  check("1", 1, 0);
  check("100", 1, 2);
  check("0.1", 1, -1);
  check("12.50", 125, -1);
  check("1e-3", 1, -3);
  check("2.5E+4", 25, 3);
  check("0.000000000000000000123", 123, -21);
  for (const char* text : {"", "-", ".", "1x", "1e", "1e99999", "1.2.3", "1234567890123456789"}) {
    EXPECT_FALSE(parse_decimal(text)) << text;
  }
}

TEST(Decimal, ScalesTowardsZero) {
  EXPECT_EQ(parse_decimal("0.0015")->scaled(3), 1u);
  EXPECT_EQ(parse_decimal("33.333")->scaled(3), 33333u);
  EXPECT_EQ(parse_decimal("25e3")->scaled(3), 25'000'000u);
  EXPECT_EQ(parse_decimal("1e-30")->scaled(3), 0u);
  EXPECT_FALSE(parse_decimal("1e19")->scaled(0));
  EXPECT_FALSE(parse_decimal("10")->scaled(18));
}

TEST(Probability, ThresholdsAreExact) {
  const auto of = [](const char* text) { return probability_of_percent(*parse_decimal(text)); };
  EXPECT_EQ(of("0")->threshold, 0u);
  EXPECT_FALSE(of("0")->possible());
  EXPECT_EQ(of("50")->threshold, std::uint64_t{1} << 63);
  EXPECT_EQ(of("25")->threshold, std::uint64_t{1} << 62);
  // floor(2^64 / 100) and floor(2^64 / 1000), from any spelling.
  EXPECT_EQ(of("1")->threshold, 184467440737095516u);
  EXPECT_EQ(of("1.000")->threshold, 184467440737095516u);
  EXPECT_EQ(of("1e0")->threshold, 184467440737095516u);
  EXPECT_EQ(of("0.1")->threshold, 18446744073709551u);
  EXPECT_TRUE(of("100")->certain);
  EXPECT_TRUE(of("100")->happens(UINT64_MAX));
  EXPECT_FALSE(of("99.9999")->certain);
  EXPECT_FALSE(of("100.0001"));
  EXPECT_FALSE(of("101"));
  EXPECT_FALSE(of("-1"));
  EXPECT_FALSE(of("1e30"));
  EXPECT_FALSE(of("1e-60")->possible());
  EXPECT_TRUE(of("50")->happens((std::uint64_t{1} << 63) - 1));
  EXPECT_FALSE(of("50")->happens(std::uint64_t{1} << 63));
}

}  // namespace
}  // namespace mdp::netsim
