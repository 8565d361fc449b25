// The first 16 bytes of every message that a workload sends.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>

#include "mdp/base/random.hpp"
#include "mdp/base/time.hpp"

namespace mdp::workload {

struct payload_stamp {
  std::uint32_t sequence = 0;  // low half of the sender's count
  std::uint32_t check = 0;     // of sequence, size and intended time: finds corruption
  std::int64_t intended_ns = 0;
};
inline constexpr std::size_t payload_bytes_min = sizeof(payload_stamp);
static_assert(payload_bytes_min == 16);

[[nodiscard]] inline std::uint32_t check_of(std::uint32_t sequence, std::int64_t intended,
                                            std::size_t size) noexcept {
  return static_cast<std::uint32_t>(splitmix64(splitmix64(sequence + (std::uint64_t{size} << 32)) ^
                                               static_cast<std::uint64_t>(intended)));
}
inline void write_stamp(std::span<std::byte> payload, std::uint64_t sequence,
                        time_point intended) noexcept {
  payload_stamp s{static_cast<std::uint32_t>(sequence), 0, ns_of(intended)};
  s.check = check_of(s.sequence, s.intended_ns, payload.size());
  std::memcpy(payload.data(), &s, sizeof s);
}
// False: too short or damaged.
[[nodiscard]] inline bool read_stamp(std::span<const std::byte> payload,
                                     payload_stamp& s) noexcept {
  if (payload.size() < sizeof s) return false;
  std::memcpy(&s, payload.data(), sizeof s);
  return s.check == check_of(s.sequence, s.intended_ns, payload.size());
}

}  // namespace mdp::workload
