// Messages on their way to one peer. A message is framed once, when it is submitted, into the block
// that will go to the wire: small messages side by side in one *body*, a large one as a body for
// each fragment. A body is sent, and on loss sent again under a new packet number, until it is
// acknowledged. Rules: docs/protocol.md R-MSG-*, R-CONF-*. One owner, no threads; allocates only to
// grow.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "event.hpp"
#include "flow_control.hpp"
#include "id_map.hpp"
#include "loss_detector.hpp"
#include "mdp/base/result.hpp"
#include "mdp/base/ring.hpp"
#include "mdp/wire/packet.hpp"
#include "stats.hpp"

namespace mdp::engine {

// The frames of one packet. Its block has room for the packet header in front.
struct packet_body {
  buffer::slice block;              // from the header room to the end of the block
  std::uint32_t length = 0;         // bytes of frames
  std::uint32_t message_count = 0;  // whole messages: ids first_id .. first_id + message_count - 1
  std::uint64_t first_id = 0;       // fragment (message_count == 0): its message
  credit needs;                     // the limits that admit it
  std::uint32_t references = 0;     // packets in the loss detector that carry it
  std::uint32_t retries = 0;
  std::uint32_t payload_bytes = 0;
  bool acked = false;
  bool sent = false;
  bool queued = false;  // waits in the queue for retransmission
};

// All bodies of an endpoint, reused through a free list; there are never more than transmit blocks.
class body_table {
 public:
  explicit body_table(std::size_t count);
  [[nodiscard]] packet_body& operator[](std::uint32_t i) noexcept { return bodies_[i]; }
  [[nodiscard]] std::uint32_t acquire() noexcept;  // no_index when all are used
  void release(std::uint32_t i) noexcept;

 private:
  std::vector<packet_body> bodies_;
  std::vector<std::uint32_t> free_;
};

struct send_limits {
  std::uint32_t max_message_bytes;
  std::uint32_t max_messages;
  std::uint32_t body_bytes;  // frames of one packet
};

class send_queue {
 public:
  send_queue(body_table& bodies, buffer::block_pool& blocks, const send_limits& limits)
      : bodies_(bodies), blocks_(blocks), limits_(limits) {}

  [[nodiscard]] result<message_id, refusal> submit(std::span<const std::byte> payload,
                                                   std::uint8_t wants, std::uint64_t context);
  // Something to send that `allowed` admits.
  [[nodiscard]] bool ready(const credit& allowed) noexcept;
  // Something to send, but credit is short.
  [[nodiscard]] bool blocked(const credit& allowed) noexcept;
  // The next body to send, retransmissions first; ready() must be true.
  [[nodiscard]] std::uint32_t take(stats& s) noexcept;
  // Bytes of frames of the body that take() would return; ready() must be true.
  [[nodiscard]] std::uint32_t next_length() noexcept {
    const std::uint32_t i = !retransmit_.empty() ? retransmit_.front()
                            : closed_.empty()    ? open_
                                                 : closed_.front();
    return bodies_[i].length;
  }
  // Nothing waits, admitted or not.
  [[nodiscard]] bool drained() const noexcept {
    return retransmit_.empty() && closed_.empty() && open_ == no_index;
  }
  // A packet with this body was lost, or a probe wants it again.
  void resend(std::uint32_t body) noexcept;
  // A packet with this body was acknowledged: emit(kind, id, context) for each message that is
  // news.
  template <class Emit>
  void on_acked(std::uint32_t body, Emit&& emit);
  // The peer reported what became of messages first .. first + count - 1.
  template <class Emit>
  void on_outcome(std::uint64_t first, std::uint32_t count, Emit&& emit);
  // One packet less carries this body.
  void drop_reference(std::uint32_t body) noexcept;
  // The session is lost: emit(unknown, id, context) for all that wanted a confirmation; all is let
  // go.
  template <class Emit>
  void abandon(Emit&& emit);

  // No message waits, is in flight or awaits a confirmation.
  [[nodiscard]] bool idle() const noexcept { return messages_.empty() && waiting_.size() == 0; }
  [[nodiscard]] std::uint64_t next_id() const noexcept { return base_ + messages_.size(); }
  void set_body_bytes(std::uint32_t bytes) noexcept { limits_.body_bytes = bytes; }

 private:
  enum flag : std::uint8_t { wants_bits = 3, flag_received = 4, flag_done = 8, flag_delayed = 16 };
  struct message {
    std::uint64_t context = 0;
    std::uint32_t bodies_left = 0;
    std::uint8_t flags = 0;
  };
  [[nodiscard]] message* find(std::uint64_t id) noexcept {
    if (id >= base_)
      return id < next_id() ? &messages_[static_cast<std::size_t>(id - base_)] : nullptr;
    return waiting_.find(id);
  }
  [[nodiscard]] bool make_room() noexcept;
  [[nodiscard]] bool append_small(std::span<const std::byte> payload, std::uint8_t frame_flags);
  [[nodiscard]] bool append_fragments(std::span<const std::byte> payload, std::uint8_t frame_flags);
  [[nodiscard]] std::uint32_t new_body() noexcept;
  void close_open() noexcept;
  void forget_done() noexcept;
  template <class Emit>
  void on_message_acked(std::uint64_t id, Emit&& emit);

  body_table& bodies_;
  buffer::block_pool& blocks_;
  send_limits limits_;
  ring<message> messages_;  // ids base_ ..
  std::uint64_t base_ = 0;
  id_map<message> waiting_;  // received, still unconfirmed, below base_
  ring<std::uint32_t> retransmit_;
  ring<std::uint32_t> closed_;     // never sent, complete
  std::uint32_t open_ = no_index;  // never sent, may take more small messages
  std::uint64_t submitted_bytes_ = 0;
};

template <class Emit>
void send_queue::on_message_acked(std::uint64_t id, Emit&& emit) {
  message* m = find(id);
  if (!m || (m->flags & flag_done) != 0) return;
  if (m->bodies_left > 0 && --m->bodies_left > 0) return;
  if ((m->flags & flag_received) == 0) {
    m->flags |= flag_received;
    if ((m->flags & want_received) != 0) emit(event_kind::received, id, m->context);
  }
  if ((m->flags & want_delivered) == 0) m->flags |= flag_done;
}

template <class Emit>
void send_queue::on_acked(std::uint32_t index, Emit&& emit) {
  packet_body& body = bodies_[index];
  if (!body.acked) {
    body.acked = true;
    body.block.reset();  // packets may still refer to the body, but nobody sends it again
    if (body.message_count == 0) {
      on_message_acked(body.first_id, emit);
    } else {
      for (std::uint64_t id = body.first_id; id < body.first_id + body.message_count; ++id)
        on_message_acked(id, emit);
    }
    forget_done();
  }
  drop_reference(index);
}

template <class Emit>
void send_queue::on_outcome(std::uint64_t first, std::uint32_t count, Emit&& emit) {
  for (std::uint64_t id = first; id < first + count; ++id) {
    message* m = find(id);
    if (!m || (m->flags & flag_done) != 0 || (m->flags & want_delivered) == 0) continue;
    m->flags |= flag_done;
    const std::uint64_t context = m->context;
    // Delivered implies received, even when the acknowledgement was lost.
    if ((m->flags & want_received) != 0 && (m->flags & flag_received) == 0)
      emit(event_kind::received, id, context);
    emit(event_kind::delivered, id, context);
    if (id < base_) waiting_.erase(id);
  }
  forget_done();
}

template <class Emit>
void send_queue::abandon(Emit&& emit) {
  const auto lose = [&](std::uint64_t id, const message& m) {
    if ((m.flags & flag_done) == 0 && (m.flags & wants_bits) != 0)
      emit(event_kind::unknown, id, m.context);
  };
  // In the order of submission: what was set aside is older, but a map has no order of its own.
  std::vector<std::uint64_t> older;
  waiting_.for_each([&](std::uint64_t id, message&) { older.push_back(id); });
  std::sort(older.begin(), older.end());
  for (const std::uint64_t id : older) lose(id, *waiting_.find(id));
  for (std::size_t i = 0; i < messages_.size(); ++i) lose(base_ + i, messages_[i]);
  waiting_.clear();
  messages_.clear();
  // Bodies that packets carry were let go by the loss detector's abandon().
  for (std::size_t i = 0; i < retransmit_.size(); ++i) drop_reference(retransmit_[i]);
  for (std::size_t i = 0; i < closed_.size(); ++i) drop_reference(closed_[i]);
  retransmit_.clear();
  closed_.clear();
  if (open_ != no_index) drop_reference(open_);
  open_ = no_index;
  base_ = 0;
  submitted_bytes_ = 0;
}

}  // namespace mdp::engine
