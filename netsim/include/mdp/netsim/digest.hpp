// The running fingerprint of a simulation: one 64-bit chain per entity (link, endpoint) over its
// events, combined by a sum, so that neither threads nor partitions can change it. Never sees an
// address in memory. Equal digests mean equal event histories for all practical purposes; no
// security measure.
#pragma once
#include <cstdint>
#include <string>

#include "mdp/base/random.hpp"

namespace mdp::netsim {

enum class event_kind : std::uint8_t {
  link_entry = 1,  // a packet was offered to a link; time: of arrival at its end, or of the drop
  delivery = 2,    // a packet reached an endpoint
  wake_up = 3,     // an endpoint's deadline came
};

// What became of a packet.
enum class verdict : std::uint8_t {
  pass = 0,
  lost = 1,  // random loss
  queue_full = 2,
  too_large = 3,   // above the link's MTU
  closed = 4,      // its sender or its receiver had closed
  no_carrier = 5,  // the link was down
  waits = 6,       // in a queue that decides later; never in a chain
};

class event_chain {
 public:
  void absorb(std::int64_t time_ns, event_kind kind, std::uint64_t number, std::uint32_t bytes,
              verdict v) noexcept {
    const std::uint64_t tail = std::uint64_t{static_cast<std::uint8_t>(kind)} << 56 |
                               std::uint64_t{static_cast<std::uint8_t>(v)} << 48 | bytes;
    std::uint64_t h = (value_ ^ static_cast<std::uint64_t>(time_ns)) * 0x9e3779b97f4a7c15ull;
    h = (h ^ h >> 32 ^ number) * 0xd6e8feb86659fd93ull;
    h = (h ^ h >> 32 ^ tail) * 0xbf58476d1ce4e5b9ull;
    value_ = h ^ h >> 29;
  }
  // This chain's addend in the digest of the whole; `entity` numbers the entities.
  [[nodiscard]] std::uint64_t share(std::uint64_t entity) const noexcept {
    return value_ == 0 ? 0 : splitmix64(value_ ^ splitmix64(entity));
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 0;
};

// 16 hexadecimal digits.
[[nodiscard]] std::string digest_text(std::uint64_t digest);

}  // namespace mdp::netsim
