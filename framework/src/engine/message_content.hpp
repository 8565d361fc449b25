// A message on its way into packets: read once, from front to back.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>

#include "mdp/buffer/slice.hpp"
#include "mdp/wire/packet.hpp"

namespace mdp::engine {

// A payload as its application gave it: parts, joined in this order.
struct payload_parts {
  std::span<const std::span<const std::byte>> parts{};
  std::size_t bytes = 0;  // of all of them
  // The only part again, if it may be referred to until the peer has it; null: it must be copied.
  const buffer::slice* held = nullptr;
};

struct message_content {
  payload_parts payload;
  std::uint8_t frame_flags = 0;
  std::uint16_t channel = 0;
  std::uint32_t sequence = 0;
  bool idempotent = false;
  std::size_t part_offset = 0;  // of the first part, what was taken already

  // Of the payload and, with a channel, its head: what the frames carry, and what credit counts.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return payload.bytes + (channel > 0 ? wire::channel_head_bytes : 0);
  }
  // Writes the channel's head, if there is one; returns its bytes.
  std::size_t write_channel_head(std::byte* at) const noexcept {
    if (channel == 0) return 0;
    wire::store(at, sequence);
    wire::store(at + 4, channel);
    wire::store(at + 6, std::uint16_t{0});
    return wire::channel_head_bytes;
  }
  // The next `count` bytes of the payload: copied, or (of one that is held) referred to.
  void copy(std::byte* at, std::size_t count) noexcept {
    if (count == 0) return;
    if (part_offset + count > payload.parts.front().size()) return copy_across(at, count);
    std::memcpy(at, payload.parts.front().data() + part_offset, count);
    part_offset += count;
  }
  [[nodiscard]] buffer::slice refer(std::size_t count) noexcept;

  // The same as copy(), of any number of parts.
  void copy_across(std::byte* at, std::size_t count) noexcept;
};

}  // namespace mdp::engine
