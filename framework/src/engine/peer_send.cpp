// What a peer sends, and when it may: control frames, bodies, and what goes with them.
#include <algorithm>
#include <array>
#include <cstring>

#include "peer.hpp"

namespace mdp::engine {

bool peer::window_open() const noexcept {
  if (!announced) return false;  // silent: only probes go out until it is heard again
  std::uint64_t window = flow_->regulator.window_bytes();
  if (shake.theirs.rx_capacity_bytes > 0)
    window = std::min<std::uint64_t>(window, shake.theirs.rx_capacity_bytes);
  return flow_->sent.bytes_in_flight() + packet_bytes_ <= window ||
         !flow_->sent.anything_in_flight();
}

bool peer::control_due() noexcept {
  if (flow_->acks.ack_due() || credit_due_ || ping_due_) return true;
  // Those count as data: a peer that acknowledges nothing must not make us keep ever more.
  return (flow_->outcomes.pending() || flow_->queue.abandons_pending()) && window_open();
}

bool peer::needs_pruning() const noexcept {
  // Packets that only acknowledge are not acknowledged: a side that only answers would remember
  // them for ever. Something eliciting at times settles them.
  constexpr std::size_t records_max = 256;
  return flow_->sent.record_count() >= records_max && !flow_->sent.anything_in_flight();
}

bool peer::control_fits(std::size_t body_bytes) noexcept {
  std::size_t needed = flow_->acks.ack_waiting() ? flow_->acks.frame_bytes_needed() : 0;
  needed += flow_->outcomes.frame_bytes_needed() + (credit_due_ ? wire::frame_bytes(16) : 0);
  if (flow_->queue.abandons_pending()) needed += wire::frame_bytes(wire::abandon_entry_bytes);
  return wire::header_bytes + body_bytes + needed <= packet_bytes_;
}

bool peer::wants_transmit() noexcept {
  if (shake.due()) return true;
  if (state_ != peer_state::established) return false;
  if (!flow_) {
    if (!credit_due_ && !ping_due_ && !path_due() && mtu_probe_due() == 0) return false;
    wake();
  }
  return work_due(flow_->queue.ready(allowed_));
}

bool peer::work_due(bool body_ready) noexcept {
  if (control_due() || path_due() || flow_->probes_due > 0 || mtu_probe_due() > 0) return true;
  if (body_ready) return window_open();
  if (asked_for_credit_ || !flow_->queue.waiting()) return false;
  asked_for_credit_ = ping_due_ = true;  // the answer tells all the credit there is
  return true;
}

bool peer::transmit(time_point now, buffer::tx_batch& batch) noexcept {
  if (!wants_transmit()) return false;
  if (path_due() && !send_path_frames(now, batch)) return true;
  train_builder train(batch, address_, shared_,
                      marks_packets() ? buffer::ecn::ect0 : buffer::ecn::not_ect);
  resume_ = never;
  // Asked once a packet: choosing what goes next is most of the work.
  while (work_due(flow_->queue.ready(allowed_))) {
    if (train.full()) return true;
    if (mtu_probe_due() > 0) {
      if (!send_mtu_probe(now, train)) break;
      continue;
    }
    const bool body = flow_->queue.chosen() && may_send_body(now);
    if (!body && !control_due() && flow_->probes_due == 0) break;  // the pace forbids it
    // What is due goes along with a body that leaves room, else ahead of it in a packet of its own.
    const bool alone = !body || (control_due() && !control_fits(flow_->queue.next_length()));
    if (alone ? !send_control(now, train) : !send_body(now, train)) {
      // No block is free, and nobody tells when one is.
      resume_ = now + shared_.settings.granularity;
      return false;
    }
  }
  note_app_limited();
  return false;
}

bool peer::may_send_body(time_point now) noexcept {
  if (flow_->probes_due > 0) return true;
  if (!window_open()) return false;
  if (flow_->regulator.pace_allows(now, rtt_.smoothed())) return true;
  resume_ = flow_->regulator.pace_time();
  return false;
}

void peer::note_app_limited() noexcept {
  // Neither pace nor congestion window held anything back: it was the application, or the
  // receiver's limits.
  if (resume_ == never &&
      flow_->sent.bytes_in_flight() + packet_bytes_ <= flow_->regulator.window_bytes())
    flow_->regulator.on_app_limited(flow_->sent.bytes_in_flight());
}

bool peer::asks_for_ack() noexcept {
  // At least four acknowledgements a window, so that it opens smoothly; larger windows get them by
  // the receiver's own count.
  const std::uint64_t quarter = flow_->regulator.window_bytes() / packet_bytes_ / 4;
  if (quarter >= shared_.settings.ack_frequency_packets || ++flow_->unasked < quarter) return false;
  flow_->unasked = 0;
  return true;
}

std::size_t peer::write_control(time_point now, std::span<std::byte> out,
                                sent_packet& record) noexcept {
  std::size_t used = 0;
  // A probe repeats the acknowledgement: the last one may be what was lost.
  const bool probing = flow_->probes_due > 0 && flow_->acks.frame_bytes_needed() > 0;
  if ((flow_->acks.ack_waiting() || probing) && flow_->acks.frame_bytes_needed() <= out.size()) {
    used += flow_->acks.write(now, out);
    record.has_ack = flow_->acks.reported_all();
    record.ack_largest = flow_->acks.largest();
    ++shared_.counts.acks_sent;
  }
  if (flow_->nack_due) used += write_nack(now, out.subspan(used));
  const bool open = window_open();
  if (open && flow_->outcomes.pending() && out.size() - used >= wire::frame_bytes(8)) {
    used += flow_->outcomes.write(out.subspan(used), record.outcomes);
    record.eliciting = true;
  }
  if (open && flow_->queue.abandons_pending()) {
    const std::size_t written = flow_->queue.write_abandons(out.subspan(used));
    used += written;
    if (written > 0) record.abandons = record.eliciting = true;
  }
  if (credit_due_ && out.size() - used >= wire::frame_bytes(16)) {
    std::byte* p = wire::write_frame_head(out.data() + used, wire::frame_type::credit, 0, 16, 0);
    wire::store(p, credit_.limit().bytes);
    wire::store(p + 8, credit_.limit().messages);
    used += wire::frame_bytes(16);
    credit_due_ = false;
    record.credit = record.eliciting = true;
  }
  return used;
}

bool peer::send_control(time_point now, train_builder& train) noexcept {
  buffer::slice block = buffer::slice::acquire(shared_.control_blocks);
  if (!block) return false;
  sent_packet record;
  const std::span<std::byte> frames(block.data() + wire::header_bytes,
                                    packet_bytes_ - wire::header_bytes);
  std::size_t used = write_control(now, frames, record);
  const bool wants_ping =
      ping_due_ || ((flow_->probes_due > 0 || needs_pruning()) && !record.eliciting);
  if (wants_ping && frames.size() - used >= wire::frame_head_bytes) {
    wire::write_frame_head(frames.data() + used, wire::frame_type::ping, 0, 0, 0);
    used += wire::frame_head_bytes;
    // Long enough for a peer that has forgotten us to answer with a RESET.
    if (used + wire::header_bytes <= wire::reset_bytes) {
      wire::write_frame_head(frames.data() + used, wire::frame_type::pad, 0, 8, 0);
      wire::store(frames.data() + used + wire::frame_head_bytes, std::uint64_t{0});
      used += wire::frame_bytes(8);
    }
    record.eliciting = true;
    ping_due_ = false;
  }
  if (flow_->probes_due > 0) --flow_->probes_due;
  finish_packet(now, {block.subslice(0, static_cast<std::uint32_t>(wire::header_bytes + used))},
                wants_ping ? std::uint8_t{wire::flag_ack_now} : std::uint8_t{0}, record, train);
  return true;
}

buffer::slice peer::sendable(packet_body& body) noexcept {
  // A block that somebody else still reads (the transport, a receiver in the same process) must not
  // change: retransmission then works on a copy.
  if (body.block.unique()) return body.block;
  buffer::slice copy = buffer::slice::acquire(shared_.blocks);
  if (!copy) return copy;
  std::memcpy(copy.data(), body.block.data(), wire::header_bytes + body.block_length());
  body.block = copy;
  return copy;
}

packet_pieces peer::pieces_of(const packet_body& body, const buffer::slice& block,
                              std::uint32_t bytes) noexcept {
  // The head of its only frame ends where its payload begins: padding and other frames lie behind
  // both. A frame says how long its content is; all but the payload is the head's.
  const std::byte* const frame = block.data() + wire::header_bytes;
  const std::uint32_t content = wire::load<std::uint16_t>(frame + 2);
  const auto head = static_cast<std::uint32_t>(wire::header_bytes + wire::frame_head_bytes) +
                    content - body.held.size();
  return {block.subslice(0, head), &body.held, bytes - head - body.held.size()};
}

bool peer::send_body(time_point now, train_builder& train) noexcept {
  stats& s = shared_.counts;
  const std::uint64_t retransmitted = s.packets_retransmitted;
  const std::uint64_t messages = s.messages_sent;
  const std::uint64_t payload = s.payload_bytes_sent;
  const std::uint32_t index = flow_->queue.take(s);
  counts_.packets_retransmitted += s.packets_retransmitted - retransmitted;
  counts_.messages_sent += s.messages_sent - messages;
  counts_.payload_bytes_sent += s.payload_bytes_sent - payload;
  packet_body& body = shared_.bodies[index];
  buffer::slice block = sendable(body);
  if (!block || !cut_to_path_mtu(index)) {
    flow_->queue.resend(index);
    flow_->queue.drop_reference(index);
    return false;
  }
  sent_packet record;
  record.body = index;
  record.eliciting = true;
  std::size_t used = wire::header_bytes + body.length;
  const auto end = [&] { return block.data() + (used - body.held.size()); };  // in the block
  if (used < packet_bytes_ &&
      (control_due() || flow_->acks.ack_waiting() || flow_->probes_due > 0)) {
    used += write_control(now, {end(), packet_bytes_ - used}, record);
  }
  // A packet a little short of its train is padded: one train is worth more than the bytes.
  const std::uint32_t segment = train.segment();
  if (used < segment && segment - used <= segment / 8 && segment - used >= 8) {
    const std::size_t gap = segment - used;
    wire::write_frame_head(end(), wire::frame_type::pad, 0, gap - wire::frame_head_bytes, 0);
    std::memset(end() + wire::frame_head_bytes, 0, gap - wire::frame_head_bytes);
    used = segment;
  }
  std::uint8_t flags = 0;
  const bool more = flow_->queue.ready(allowed_);
  if (flow_->probes_due > 0) {
    --flow_->probes_due;
    flags = wire::flag_ack_now;
  }
  record.bytes = static_cast<std::uint32_t>(used);
  finish_packet(now,
                body.held ? pieces_of(body, block, static_cast<std::uint32_t>(used))
                          : packet_pieces{block.subslice(0, static_cast<std::uint32_t>(used))},
                more ? flags : std::uint8_t{wire::flag_ack_now}, record, train);
  return true;
}

void peer::seal(const packet_pieces& packet, const wire::packet_header& header) const noexcept {
  const std::span<std::byte> head(packet.head.data(), packet.head.size());
  if (!packet.held) return wire::seal_packet(head, header, crc_seed_);
  const std::array rest{packet.held->bytes(),
                        std::span<const std::byte>(packet.tail(), packet.tail_bytes)};
  wire::seal_packet(head, header, crc_seed_, rest);
}

void peer::finish_packet(time_point now, packet_pieces packet, std::uint8_t flags,
                         sent_packet& record, train_builder& train) noexcept {
  wire::packet_header header;
  header.flags = flags;
  header.connection = remote_connection_;
  header.number = flow_->sent.next_number();
  header.floor = static_cast<std::uint32_t>(flow_->window.floor());
  record.sent = now;
  record.bytes = packet.bytes();
  if (record.eliciting) {
    flow_->regulator.on_sent(now, record, !flow_->sent.anything_in_flight());
    if (asks_for_ack()) header.flags |= wire::flag_ack_now;
  }
  seal(packet, header);
  flow_->sent.on_sent(record);
  ++shared_.counts.packets_sent;
  ++counts_.packets_sent;
  shared_.counts.wire_bytes_sent += record.bytes;
  counts_.wire_bytes_sent += record.bytes;
  train.add(std::move(packet));
}

}  // namespace mdp::engine
