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
  std::uint16_t check = 0;     // of everything else here and the size: finds corruption
  std::uint8_t flow = 0;       // number of the flow within the scenario
  std::uint8_t reply = 0;      // 1: answers the request with this flow and sequence
  std::int64_t intended_ns = 0;
};
inline constexpr std::size_t payload_bytes_min = sizeof(payload_stamp);
static_assert(payload_bytes_min == 16);

[[nodiscard]] inline std::uint16_t check_of(const payload_stamp& s, std::size_t size) noexcept {
  const std::uint64_t head = s.sequence + (std::uint64_t{s.flow} << 32) +
                             (std::uint64_t{s.reply} << 40) + (std::uint64_t{size} << 41);
  return static_cast<std::uint16_t>(
      splitmix64(splitmix64(head) ^ static_cast<std::uint64_t>(s.intended_ns)) >> 48);
}
// Fills in the check.
inline void write_stamp(std::span<std::byte> payload, payload_stamp s) noexcept {
  s.check = check_of(s, payload.size());
  std::memcpy(payload.data(), &s, sizeof s);
}
// False: too short or damaged.
[[nodiscard]] inline bool read_stamp(std::span<const std::byte> payload,
                                     payload_stamp& s) noexcept {
  if (payload.size() < sizeof s) return false;
  std::memcpy(&s, payload.data(), sizeof s);
  return s.check == check_of(s, payload.size());
}

// The flow whose reply this claims to be, unchecked: tells who is to look at the message.
// -1: no reply.
[[nodiscard]] inline int reply_to_flow(std::span<const std::byte> payload) noexcept {
  payload_stamp s;
  if (payload.size() < sizeof s) return -1;
  std::memcpy(&s, payload.data(), sizeof s);
  return s.reply == 1 ? s.flow : -1;
}

// What a sender hands over with each message, to get it back in the message's events: its flow and
// the message's sequence. Never 0, which stands for messages that no sender awaits.
[[nodiscard]] constexpr std::uint64_t context_of(std::uint8_t flow,
                                                 std::uint64_t sequence) noexcept {
  return (std::uint64_t{flow} + 1) << 48 | (sequence & 0xffff'ffff'ffff);
}
// -1: of no flow.
[[nodiscard]] constexpr int flow_of(std::uint64_t context) noexcept {
  return static_cast<int>(context >> 48) - 1;
}
[[nodiscard]] constexpr std::uint64_t sequence_of(std::uint64_t context) noexcept {
  return context & 0xffff'ffff'ffff;
}

}  // namespace mdp::workload
