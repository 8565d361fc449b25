// Messages that tests recognise when they arrive.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>

#include "mdp/messaging/messenger.hpp"

namespace mdp::test {

// What a test message carries: who sent it, and its number among the sender's.
struct stamp {
  std::uint32_t thread = 0;
  std::uint32_t number = 0;
};

[[nodiscard]] inline stamp stamp_of(const messaging::event& e) {
  stamp s;
  std::memcpy(&s, e.payload.data(), sizeof s);
  return s;
}

[[nodiscard]] inline std::span<const std::byte> bytes_of(const stamp& s) {
  return std::as_bytes(std::span(&s, 1));
}

}  // namespace mdp::test
