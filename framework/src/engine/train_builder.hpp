// What the peers of one endpoint share, and how their packets are put into batches.
#pragma once
#include <cstdint>

#include "config.hpp"
#include "event.hpp"
#include "mdp/base/endpoint_address.hpp"
#include "mdp/base/random.hpp"
#include "mdp/base/ring.hpp"
#include "mdp/buffer/datagram.hpp"
#include "message_buffers.hpp"
#include "send_queue.hpp"
#include "stats.hpp"

namespace mdp::engine {

// What peers of one endpoint share.
struct shared_parts {
  const config& settings;
  stats& counts;
  ring<event>& events;
  body_table& bodies;
  buffer::block_pool& blocks;          // bodies
  buffer::block_pool& control_blocks;  // packets without a body: never starved by messages
  message_buffers& buffers;
  std::uint32_t train_segments_max;
  std::uint32_t train_bytes_max;
  random_source& random;
  std::uint32_t& half_open;  // peers in state `accepted`
};

// A packet as a gather list. Most are in one piece: the head.
struct packet_pieces {
  buffer::slice head;
  const buffer::slice* held = nullptr;  // payload that lies elsewhere, between head and tail
  std::uint32_t tail_bytes = 0;         // right behind the head, in its block

  [[nodiscard]] std::uint32_t bytes() const noexcept {
    return head.size() + (held ? held->size() : 0) + tail_bytes;
  }
  [[nodiscard]] std::byte* tail() const noexcept { return head.data() + head.size(); }
};

// Appends packets to a batch as trains of equal-sized packets.
class train_builder {
 public:
  train_builder(buffer::tx_batch& batch, const endpoint_address& to, const shared_parts& shared,
                buffer::ecn codepoint)
      : batch_(batch), to_(to), shared_(shared), codepoint_(codepoint) {}
  ~train_builder() { finish(); }
  train_builder(const train_builder&) = delete;
  train_builder& operator=(const train_builder&) = delete;
  [[nodiscard]] bool full() const noexcept {
    // Room for the open train and for one more item.
    return batch_.full() || batch_.parts_free() < pieces_max ||
           batch_.pending().size() + (packets_ > 0 ? 2 : 1) > buffer::tx_batch::items_max;
  }
  // Size of the packets of the open train, 0 when none is open.
  [[nodiscard]] std::uint32_t segment() const noexcept { return segment_; }
  void add(packet_pieces&& packet) noexcept;
  void finish() noexcept;

 private:
  static constexpr std::size_t pieces_max = 3;

  buffer::tx_batch& batch_;
  const endpoint_address& to_;
  const shared_parts& shared_;
  buffer::ecn codepoint_;
  std::uint32_t segment_ = 0;
  std::uint32_t packets_ = 0;
};

}  // namespace mdp::engine
