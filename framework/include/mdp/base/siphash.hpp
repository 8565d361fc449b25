// SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash for tables whose keys strangers choose.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace mdp {

struct siphash_key {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};

[[nodiscard]] inline std::uint64_t siphash(const siphash_key& key,
                                           std::span<const std::uint8_t> data) noexcept {
  std::uint64_t v0 = key.k0 ^ 0x736f6d6570736575ull;
  std::uint64_t v1 = key.k1 ^ 0x646f72616e646f6dull;
  std::uint64_t v2 = key.k0 ^ 0x6c7967656e657261ull;
  std::uint64_t v3 = key.k1 ^ 0x7465646279746573ull;
  const auto rounds = [&](int n) {
    while (n-- > 0) {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  };
  const auto absorb = [&](std::uint64_t word) {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  };
  std::size_t i = 0;
  const auto word_at = [&](std::size_t bytes) {
    std::uint64_t word = 0;
    for (std::size_t b = 0; b < bytes; ++b) word |= std::uint64_t{data[i + b]} << (8 * b);
    return word;
  };
  for (; i + 8 <= data.size(); i += 8) absorb(word_at(8));
  absorb(word_at(data.size() - i) | std::uint64_t{data.size() & 0xff} << 56);
  v2 ^= 0xff;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace mdp
