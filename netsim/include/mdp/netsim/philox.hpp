// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): a counter-based generator. The draw for packet k
// of a link is a pure function of (seed, link name, purpose, k), so no fate depends on what
// happened before. Pure functions; the same bits on every compiler and CPU.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "mdp/base/random.hpp"

namespace mdp::netsim {

using philox_counter = std::array<std::uint32_t, 4>;
using philox_key = std::array<std::uint32_t, 2>;

[[nodiscard]] constexpr philox_counter philox4x32_10(philox_counter c, philox_key k) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xd2511f53u} * c[0];
    const std::uint64_t p1 = std::uint64_t{0xcd9e8d57u} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k[0] += 0x9e3779b9u;
    k[1] += 0xbb67ae85u;
  }
  return c;
}

// What a block of draws is for: each purpose has its own key, so that a new kind of fault moves
// nothing.
enum class draw_purpose : std::uint64_t {
  fate = 1,  // independent loss, jitter
  loss_model = 2,
  duplication = 3,
  corruption = 4,
  reordering = 5,
  damage = 6,  // where a corrupted packet is hit
  swarm = 7,   // which kinds of faults a seed has
  queue = 8,   // whom a queue drops early; where flows lie in its table
};

// FNV-1a, 64 bits.
[[nodiscard]] constexpr std::uint64_t name_hash(std::string_view name) noexcept {
  std::uint64_t h = 0xcbf29ce484222325ull;
  for (const char c : name) {
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  }
  return h;
}

[[nodiscard]] constexpr philox_key draw_key(std::uint64_t seed, std::string_view link_name,
                                            draw_purpose purpose) noexcept {
  const std::uint64_t mixed = splitmix64(splitmix64(seed) ^ name_hash(link_name));
  const std::uint64_t key = splitmix64(mixed + static_cast<std::uint64_t>(purpose));
  return {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
}

// The two 64-bit draws that decide packet `number`: [0] loss, [1] jitter.
[[nodiscard]] constexpr std::array<std::uint64_t, 2> fate_draws(philox_key key,
                                                                std::uint64_t number) noexcept {
  const philox_counter block = philox4x32_10(
      {static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32), 0, 0}, key);
  return {std::uint64_t{block[1]} << 32 | block[0], std::uint64_t{block[3]} << 32 | block[2]};
}

}  // namespace mdp::netsim
