// A message as its frame, or its fragments, carry it.
#pragma once
#include <cstdint>
#include <span>

#include "mdp/wire/packet.hpp"

namespace mdp::engine {

// What one frame is made of.
struct message_content {
  std::span<const std::byte> payload;
  std::uint8_t frame_flags = 0;
  std::uint16_t channel = 0;
  std::uint32_t sequence = 0;
  bool idempotent = false;
  [[nodiscard]] std::size_t bytes() const noexcept {
    return payload.size() + (channel > 0 ? wire::channel_head_bytes : 0);
  }
  void copy_to(std::byte* at, std::size_t from, std::size_t count) const noexcept;
};

}  // namespace mdp::engine
