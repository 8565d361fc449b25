// What packets carry of messages: framed once, sent as often as it takes.
#pragma once
#include <cstdint>
#include <vector>

#include "flow_control.hpp"
#include "mdp/buffer/slice.hpp"
#include "sent_packet.hpp"

namespace mdp::engine {

// The frames of one packet. Its block has room for the packet header in front. A payload that was
// not copied is `held`: it goes between the head of its only frame, in the block, and the padding
// and whatever else follows, which lie in the block right behind that head.
struct packet_body {
  buffer::slice block;              // from the header room to the end of the block
  buffer::slice held;               // payload that lies elsewhere; empty: all is in the block
  std::uint32_t length = 0;         // bytes of frames, `held` included
  std::uint32_t message_count = 0;  // whole messages: ids first_id .. first_id + message_count - 1
  std::uint64_t first_id = 0;       // fragment (message_count == 0): its message
  credit charge;                    // what its first transmission costs
  std::uint32_t next = no_index;    // the following fragment of the same message
  std::uint32_t references = 0;     // packets in the loss detector that carry it
  std::uint32_t retries = 0;
  std::uint32_t payload_bytes = 0;
  bool idempotent = false;  // all of its messages are
  bool acked = false;
  bool sent = false;
  bool queued = false;  // waits in the queue for retransmission

  // Bytes of frames that lie in the block.
  [[nodiscard]] std::uint32_t block_length() const noexcept { return length - held.size(); }
  // Nobody sends it again, though packets may still refer to it.
  void let_go() noexcept {
    block.reset();
    held.reset();
  }
};

// All bodies of an endpoint, reused through a free list; there are never more than blocks.
class body_table {
 public:
  explicit body_table(std::size_t count);
  [[nodiscard]] packet_body& operator[](std::uint32_t i) noexcept { return bodies_[i]; }
  [[nodiscard]] std::uint32_t acquire() noexcept;  // no_index when all are used
  void release(std::uint32_t i) noexcept;

 private:
  std::size_t count_;
  std::vector<packet_body> bodies_;  // those that were ever used
  std::vector<std::uint32_t> free_;
};

}  // namespace mdp::engine
