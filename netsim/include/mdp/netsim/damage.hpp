// What a link that corrupts packets does to their bytes. Pure functions.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace mdp::netsim {

// What corruption does to a packet's bytes, at a place that is drawn.
enum class damage : std::uint8_t {
  none,
  bit,       // one bit anywhere is inverted (as netem)
  header,    // one bit of the first 16 bytes
  payload,   // one bit behind the first 16 bytes, or anywhere in a shorter packet
  checksum,  // a 0 and a 1 at one place of two 16-bit words: the Internet checksum (RFC 1071) holds
};

// Damages `bytes` at the place that `draw` (uniform 64 bits) names. Bytes without two 16-bit words
// that differ at the drawn place (kind checksum) and empty ones stay whole.
void spoil_bytes(damage kind, std::span<std::byte> bytes, std::uint64_t draw) noexcept;

}  // namespace mdp::netsim
