// Puts fragments of messages together in place: each unit of 64 bytes is written once, by whichever
// fragment brings it first. Rules: docs/protocol.md R-FRAG-*. Memory is bounded by message_buffers
// and by the credit that admitted the message.
#pragma once
#include <cstdint>
#include <span>

#include "id_map.hpp"
#include "mdp/base/time.hpp"
#include "mdp/wire/packet.hpp"
#include "message_buffers.hpp"

namespace mdp::engine {

class reassembler {
 public:
  enum class verdict : std::uint8_t { known, reserved, conflict, no_memory };

  // Makes room for message `id` of `total` bytes, or finds that it has. `conflict`: another total.
  verdict reserve(message_buffers& buffers, std::uint64_t id, std::uint32_t total);
  [[nodiscard]] bool knows(std::uint64_t id) noexcept { return partials_.find(id) != nullptr; }
  // Copies what is new. When the message is complete, returns it whole and forgets it; else empty.
  // The id must be reserved, offset and size checked against the total (wire::frames_well_formed).
  // `now` is kept for stalled().
  buffer::slice add(std::uint64_t id, std::uint32_t offset, std::span<const std::byte> data,
                    time_point now = {}) noexcept;
  // An incomplete message of which nothing has come since `before`.
  [[nodiscard]] bool stalled(std::uint64_t id, time_point before) noexcept {
    const partial* p = partials_.find(id);
    return p && p->touched <= before;
  }
  [[nodiscard]] std::uint32_t total(std::uint64_t id) noexcept { return partials_.find(id)->total; }
  // It is reserved, and no part of it was added.
  [[nodiscard]] bool untouched(std::uint64_t id) noexcept;
  // Lets a reserved message go; returns its total.
  std::uint32_t drop(std::uint64_t id) noexcept {
    const std::uint32_t total = partials_.find(id)->total;
    partials_.erase(id);
    return total;
  }
  [[nodiscard]] std::size_t size() const noexcept { return partials_.size(); }

 private:
  struct partial {
    buffer::slice memory;  // message, then its bitmap of received units
    std::uint32_t total = 0;
    std::uint32_t units_left = 0;
    time_point touched{};
  };
  id_map<partial> partials_;
};

}  // namespace mdp::engine
