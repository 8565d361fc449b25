#include "mdp/netsim/damage.hpp"

namespace mdp::netsim {
namespace {

constexpr std::size_t header_bytes = 16;

void invert(std::span<std::byte> bytes, std::size_t bit) {
  bytes[bit / 8] ^= std::byte{1} << (bit % 8);
}

void invert_one_of(std::span<std::byte> bytes, std::uint64_t draw) {
  if (!bytes.empty()) invert(bytes, draw % (bytes.size() * 8));
}

bool bit_of(std::span<const std::byte> bytes, std::size_t bit) {
  return (bytes[bit / 8] >> (bit % 8) & std::byte{1}) != std::byte{0};
}

// A one's complement sum stays when what one word gains at a place another loses.
void swap_bits(std::span<std::byte> bytes, std::uint64_t draw) {
  const std::size_t words = bytes.size() / 2;
  if (words < 2) return;
  const std::size_t place = draw % 16;
  const std::size_t first = draw / 16 % words;
  for (std::size_t step = 1; step < words; ++step) {
    const std::size_t other = (first + step) % words;
    if (bit_of(bytes, first * 16 + place) == bit_of(bytes, other * 16 + place)) continue;
    invert(bytes, first * 16 + place);
    invert(bytes, other * 16 + place);
    return;
  }
}

}  // namespace

void spoil_bytes(damage kind, std::span<std::byte> bytes, std::uint64_t draw) noexcept {
  const bool has_payload = bytes.size() > header_bytes;
  switch (kind) {
    case damage::none:
      return;
    case damage::bit:
      return invert_one_of(bytes, draw);
    case damage::header:
      return invert_one_of(has_payload ? bytes.first(header_bytes) : bytes, draw);
    case damage::payload:
      return invert_one_of(has_payload ? bytes.subspan(header_bytes) : bytes, draw);
    case damage::checksum:
      return swap_bits(bytes, draw);
  }
}

}  // namespace mdp::netsim
