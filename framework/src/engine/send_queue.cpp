#include "send_queue.hpp"

#include <algorithm>
#include <cstring>

namespace mdp::engine {

body_table::body_table(std::size_t count) : bodies_(count) {
  free_.reserve(count);
  for (std::size_t i = count; i-- > 0;) free_.push_back(static_cast<std::uint32_t>(i));
}

std::uint32_t body_table::acquire() noexcept {
  if (free_.empty()) return no_index;
  const std::uint32_t i = free_.back();
  free_.pop_back();
  return i;
}

void body_table::release(std::uint32_t i) noexcept {
  bodies_[i].block.reset();
  free_.push_back(i);
}

std::uint32_t send_queue::new_body() noexcept {
  buffer::slice block = buffer::slice::acquire(blocks_);
  if (!block) return no_index;
  const std::uint32_t i = bodies_.acquire();
  if (i == no_index) return no_index;
  packet_body& b = bodies_[i];
  b.block = std::move(block);
  b.length = 0;
  b.message_count = 0;
  b.references = 1;  // held by the queue until it is taken
  b.retries = 0;
  b.payload_bytes = 0;
  b.acked = b.sent = b.queued = false;
  return i;
}

void send_queue::drop_reference(std::uint32_t body) noexcept {
  if (--bodies_[body].references == 0) bodies_.release(body);
}

void send_queue::close_open() noexcept {
  if (open_ == no_index) return;
  closed_.push_back(open_);
  open_ = no_index;
}

bool send_queue::make_room() noexcept {
  // Messages that everybody but the peer's application is done with step aside: they block nobody.
  while (!messages_.empty()) {
    message& m = messages_.front();
    if ((m.flags & flag_done) == 0) {
      if ((m.flags & flag_received) == 0 || waiting_.size() >= limits_.max_messages) break;
      waiting_.insert(base_, m);
    }
    messages_.pop_front();
    ++base_;
    if (messages_.size() < limits_.max_messages) return true;
  }
  return messages_.size() < limits_.max_messages;
}

void send_queue::forget_done() noexcept {
  while (!messages_.empty() && (messages_.front().flags & flag_done) != 0) {
    messages_.pop_front();
    ++base_;
  }
}

result<message_id, refusal> send_queue::submit(std::span<const std::byte> payload,
                                               std::uint8_t wants, std::uint64_t context) {
  if (payload.size() > limits_.max_message_bytes) return failure(refusal::too_large);
  if (messages_.size() >= limits_.max_messages && !make_room()) return failure(refusal::queue_full);
  const std::uint8_t frame_flags = (wants & want_delivered) ? wire::frame_wants_delivered : 0;
  const std::uint64_t id = next_id();
  submitted_bytes_ += payload.size();
  const bool small = wire::frame_bytes(payload.size()) <= limits_.body_bytes;
  if (!(small ? append_small(payload, frame_flags) : append_fragments(payload, frame_flags))) {
    submitted_bytes_ -= payload.size();
    return failure(refusal::queue_full);
  }
  message& m = messages_.push();
  m.context = context;
  m.flags = static_cast<std::uint8_t>(wants & wants_bits);
  const std::size_t data = (limits_.body_bytes - wire::fragment_head_bytes) / 64 * 64;
  m.bodies_left = small ? 1 : static_cast<std::uint32_t>((payload.size() + data - 1) / data);
  return message_id{id};
}

bool send_queue::append_small(std::span<const std::byte> payload, std::uint8_t frame_flags) {
  const std::size_t size = wire::frame_bytes(payload.size());
  if (open_ != no_index && bodies_[open_].length + size > limits_.body_bytes) close_open();
  if (open_ == no_index) {
    open_ = new_body();
    if (open_ == no_index) return false;
    bodies_[open_].first_id = next_id();
  }
  packet_body& body = bodies_[open_];
  std::byte* at = body.block.data() + wire::header_bytes + body.length;
  wire::store(at + size - 8, std::uint64_t{0});  // the padding; the payload overwrites the rest
  at = wire::write_frame_head(at, wire::frame_type::message, frame_flags, payload.size(),
                              static_cast<std::uint32_t>(next_id()));
  if (!payload.empty()) std::memcpy(at, payload.data(), payload.size());
  body.length += static_cast<std::uint32_t>(size);
  ++body.message_count;
  body.payload_bytes += static_cast<std::uint32_t>(payload.size());
  body.needs = {submitted_bytes_, next_id() + 1};
  return true;
}

bool send_queue::append_fragments(std::span<const std::byte> payload, std::uint8_t frame_flags) {
  const std::size_t data = (limits_.body_bytes - wire::fragment_head_bytes) / 64 * 64;
  if (blocks_.available() < (payload.size() + data - 1) / data) return false;
  close_open();
  const std::size_t before = closed_.size();
  for (std::size_t offset = 0; offset < payload.size(); offset += data) {
    const std::uint32_t index = new_body();
    if (index == no_index) {  // another thread took the blocks meanwhile
      for (std::size_t i = before; i < closed_.size(); ++i) drop_reference(closed_[i]);
      while (closed_.size() > before) closed_.pop_back();
      return false;
    }
    const std::size_t size = std::min(data, payload.size() - offset);
    packet_body& body = bodies_[index];
    std::byte* at = body.block.data() + wire::header_bytes;
    body.length = static_cast<std::uint32_t>(wire::frame_bytes(8 + size));
    wire::store(at + body.length - 8, std::uint64_t{0});
    at = wire::write_frame_head(at, wire::frame_type::fragment, frame_flags, 8 + size,
                                static_cast<std::uint32_t>(next_id()));
    wire::store(at, static_cast<std::uint32_t>(payload.size()));
    wire::store(at + 4, static_cast<std::uint32_t>(offset));
    std::memcpy(at + 8, payload.data() + offset, size);
    body.payload_bytes = static_cast<std::uint32_t>(size);
    body.first_id = next_id();
    body.needs = {submitted_bytes_, next_id() + 1};
    closed_.push_back(index);
  }
  return true;
}

bool send_queue::ready(const credit& allowed) noexcept {
  while (!retransmit_.empty() && bodies_[retransmit_.front()].acked) {
    drop_reference(retransmit_.front());
    retransmit_.pop_front();
  }
  if (!retransmit_.empty()) return true;
  if (closed_.empty() && open_ == no_index) return false;
  const credit& needs = bodies_[closed_.empty() ? open_ : closed_.front()].needs;
  return needs.bytes <= allowed.bytes && needs.messages <= allowed.messages;
}

bool send_queue::blocked(const credit& allowed) noexcept {
  return !ready(allowed) && !drained();
}

std::uint32_t send_queue::take(stats& s) noexcept {
  std::uint32_t index = no_index;
  if (!retransmit_.empty()) {
    index = retransmit_.front();
    retransmit_.pop_front();
    bodies_[index].queued = false;
  } else {
    if (closed_.empty()) close_open();
    index = closed_.front();
    closed_.pop_front();
  }
  packet_body& body = bodies_[index];
  const std::uint32_t messages = std::max(body.message_count, 1u);
  if (body.sent) {
    ++s.packets_retransmitted;
    s.retry_max = std::max<std::uint64_t>(s.retry_max, ++body.retries);
    for (std::uint64_t id = body.first_id; id < body.first_id + messages; ++id) {
      message* m = find(id);
      if (!m || (m->flags & flag_delayed) != 0) continue;
      m->flags |= flag_delayed;
      ++s.messages_delayed;
    }
  } else {
    const std::byte* frame = body.block.data() + wire::header_bytes;
    const bool later_fragment =
        body.message_count == 0 && wire::load<std::uint32_t>(frame + 12) > 0;
    if (!later_fragment) s.messages_sent += messages;
    s.payload_bytes_sent += body.payload_bytes;
  }
  body.sent = true;
  return index;  // the queue's reference goes to the packet
}

void send_queue::resend(std::uint32_t index) noexcept {
  if (bodies_[index].acked || bodies_[index].queued) return;
  bodies_[index].queued = true;
  ++bodies_[index].references;
  retransmit_.push_back(index);
}

}  // namespace mdp::engine
