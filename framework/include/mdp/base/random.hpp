// The only source of randomness that the engine may use: handed in, never global.
#pragma once
#include <cstdint>

namespace mdp {

class random_source {
 public:
  virtual ~random_source() = default;
  [[nodiscard]] virtual std::uint64_t next() noexcept = 0;
};

// One step of SplitMix64 (Steele, Lea, Flood 2014): mixes a 64-bit value; the same on any compiler.
[[nodiscard]] constexpr std::uint64_t splitmix64(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

// Deterministic generator: a SplitMix64 sequence. Not for secrets.
class seeded_random final : public random_source {
 public:
  explicit seeded_random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept override {
    const std::uint64_t value = splitmix64(state_);
    state_ += 0x9e3779b97f4a7c15ull;
    return value;
  }

 private:
  std::uint64_t state_;
};

// Entropy of the operating system (getrandom), for nodes on real networks.
class system_random final : public random_source {
 public:
  std::uint64_t next() noexcept override;
};

}  // namespace mdp
