// What the frames of a data packet that was admitted (peer_admit.cpp) mean to a peer.
#include <algorithm>
#include <cstring>

#include "outcome_run.hpp"
#include "peer.hpp"

namespace mdp::engine {

bool peer::handle_packet(time_point now, const endpoint_address& from,
                         const wire::packet_header& header, const buffer::slice& packet,
                         bool marked) noexcept {
  stats& s = shared_.counts;
  const std::span<const std::byte> frames = packet.bytes().subspan(wire::header_bytes);
  wake();
  switch (flow_->acks.classify(header.number)) {
    case ack_tracker::verdict::old:
      ++s.rejected_old;
      return false;
    case ack_tracker::verdict::duplicate:
      ++s.packets_duplicate;
      last_received_ = now;
      flow_->acks.on_duplicate();
      return true;
    case ack_tracker::verdict::fresh:
      break;
  }
  if (!wire::frames_well_formed(frames)) {
    ++s.rejected_malformed;
    return false;
  }
  last_received_ = now;
  now_ = now;
  flow_->id_base = flow_->window.floor();
  if (!admit(frames)) return false;
  note_source(from, header);
  ++s.packets_received;
  ++counts_.packets_received;
  s.wire_bytes_received += packet.size();
  counts_.wire_bytes_received += packet.size();
  const bool eliciting = apply(now, from, packet);
  watch_stalls(now);
  if (marked) {
    ++s.packets_marked;
    flow_->acks.on_congestion_mark();
  }
  flow_->acks.on_packet(now, header.number, eliciting, (header.flags & wire::flag_ack_now) != 0,
                        shared_.settings.ack_frequency_packets, ack_delay());
  return true;
}

bool peer::take_early(time_point now, const buffer::slice& hello) noexcept {
  stats& s = shared_.counts;
  const std::span<const std::byte> frames = hello.bytes().subspan(wire::early_offset);
  if (!wire::only_messages(frames)) {
    ++s.rejected_malformed;
    return false;
  }
  flow& f = wake();
  now_ = now;
  f.id_base = f.window.floor();
  if (!admit(frames)) return false;
  const std::uint64_t before = s.messages_received;
  wire::frame_reader reader(frames);
  wire::frame_view frame;
  while (reader.next(frame))
    if (frame.type == wire::frame_type::message) on_message(now, frame, hello);
  s.early_taken += s.messages_received - before;
  shake.early_taken = true;
  return true;
}

bool peer::apply(time_point now, const endpoint_address& from,
                 const buffer::slice& packet) noexcept {
  wire::frame_reader reader(packet.bytes().subspan(wire::header_bytes));
  wire::frame_view frame;
  bool eliciting = false;
  while (reader.next(frame)) {
    switch (frame.type) {
      case wire::frame_type::message:
        on_message(now, frame, packet);
        eliciting = true;
        break;
      case wire::frame_type::fragment:
        on_fragment(now, frame);
        eliciting = true;
        break;
      case wire::frame_type::ack:
        on_ack(now, frame);
        break;
      case wire::frame_type::outcome:
        on_outcome(frame);
        eliciting = true;
        break;
      case wire::frame_type::credit:
        on_credit(frame);
        eliciting = true;
        break;
      case wire::frame_type::ping:
        eliciting = true;
        // Whoever asks may be blocked: tell all the credit there is, now or when there is some.
        peer_blocked_ = true;
        raise_credit();
        break;
      case wire::frame_type::abandon:
        on_abandons(frame);
        eliciting = true;
        break;
      case wire::frame_type::path_challenge:
        on_path_challenge(from, frame);
        break;
      case wire::frame_type::path_response:
        on_path_response(frame);
        break;
      case wire::frame_type::nack:
        on_nack(now, frame);
        break;
      default:
        break;  // padding, and types of later versions
    }
  }
  return eliciting;
}

void peer::on_credit(const wire::frame_view& frame) noexcept {
  allowed_.bytes = std::max(allowed_.bytes, wire::load<std::uint64_t>(frame.body.data()));
  allowed_.messages = std::max(allowed_.messages, wire::load<std::uint64_t>(frame.body.data() + 8));
  asked_for_credit_ = false;
}

void peer::on_lost(time_point now, sent_packet& packet) noexcept {
  stats& s = shared_.counts;
  if (packet.mtu_probe) {
    ++s.mtu_probes_lost;
    mtu_.on_probe_lost(now, packet.bytes);
  }
  if (!packet.eliciting) return;
  mtu_.on_lost(packet.bytes);
  ++s.packets_lost;
  ++counts_.packets_lost;
  if (flow_->regulator.on_lost(now, packet, flow_->sent.bytes_in_flight())) ++s.loss_events;
  if (packet.outcomes != no_index) {
    flow_->outcomes.on_lost(packet.outcomes);
    packet.outcomes = no_index;
  }
  if (packet.credit) credit_due_ = true;
  if (packet.abandons) flow_->queue.on_abandons_lost();
  if (packet.body != no_index) {
    flow_->queue.resend(packet.body);
    // The record stays for a late acknowledgement, and with it its reference, unless all is
    // settled.
    if (shared_.bodies[packet.body].acked) {
      flow_->queue.drop_reference(packet.body);
      packet.body = no_index;
    }
  }
}

void peer::on_congestion_marks(time_point now, std::uint32_t reported, time_point newest,
                               std::uint64_t in_flight) noexcept {
  // Frames overtake each other: only a count that grows is news.
  if (static_cast<std::int32_t>(reported - marks_reported_) <= 0) return;
  marks_reported_ = reported;
  if (marks_packets() && flow_->regulator.on_congestion_mark(now, newest, in_flight))
    ++shared_.counts.congestion_marks;
}

void peer::on_ack(time_point now, const wire::frame_view& frame) noexcept {
  const config& c = shared_.settings;
  duration sample{};
  const std::uint64_t in_flight = flow_->sent.bytes_in_flight();
  const std::uint32_t probes = flow_->sent.probes();
  time_point newest = time_point::min();
  const bool news = flow_->sent.on_ack(now, frame.body, sample, [&](sent_packet& p, bool was_lost) {
    if (p.mtu_probe) {
      on_mtu_probe_acked(now, p);
      return;
    }
    newest = std::max(newest, p.sent);
    if (was_lost && p.eliciting) ++shared_.counts.packets_spurious;
    mtu_.on_acked(p.bytes);
    if (flow_->regulator.on_packet_acked(now, p, was_lost)) ++shared_.counts.loss_events_undone;
    if (p.has_ack) flow_->acks.on_ack_acked(p.ack_largest);
    if (p.outcomes != no_index) {
      flow_->outcomes.on_acked(p.outcomes,
                               [this](std::uint64_t id) { flow_->closed_unread.erase(id); });
      raise_credit();
    }
    if (p.body != no_index) flow_->queue.on_acked(p.body, *this);
    p.outcomes = p.body = no_index;
  });
  on_congestion_marks(now, wire::load<std::uint32_t>(frame.body.data() + 12), newest, in_flight);
  // How long an ACK was lost or on its way before it was repeated is no part of a round trip.
  const duration waited = std::chrono::microseconds(frame.id);
  const bool again = (frame.flags & wire::frame_ack_again) != 0;
  const bool measured = news && (!again || waited <= c.max_ack_delay);
  if (measured) rtt_.update(sample, std::min(waited, c.max_ack_delay));
  flow_->regulator.on_ack(now, rtt_, measured, in_flight, probes);
  detect_losses(now);
}

void peer::detect_losses(time_point now) noexcept {
  flow_->sent.detect_losses(
      now, loss_delay(), [&](sent_packet& p) { on_lost(now, p); },
      [&](sent_packet& p) {
        if (p.body != no_index) flow_->queue.drop_reference(p.body);
      });
  end_mtu_round(now);
}

void peer::on_outcome(const wire::frame_view& frame) noexcept {
  const auto kind = static_cast<wire::outcome_kind>(frame.flags);
  for (std::size_t at = 0; at < frame.body.size(); at += 8) {
    const outcome_run run = outcome_at(frame, at);
    flow_->queue.on_outcome(kind, run.first, run.count, *this);
  }
}

void peer::on_abandons(const wire::frame_view& frame) noexcept {
  for (std::size_t i = 0; i < frame.body.size(); i += wire::abandon_entry_bytes) {
    const std::byte* at = frame.body.data() + i;
    const std::uint64_t id = wire::expand(flow_->id_base, wire::load<std::uint32_t>(at));
    if (flow_->window.closed(id)) {
      if (!flow_->closed_unread.find(id)) flow_->outcomes.add(id, wire::outcome_kind::completed);
      continue;
    }
    const std::uint64_t bytes = wire::load<std::uint32_t>(at + 4);
    if (flow_->partials.knows(id)) {
      on_released(flow_->partials.drop(id));
    } else if ((wire::load<std::uint16_t>(at + 14) & wire::abandon_charged) != 0) {
      credit_.on_accepted(bytes);
      on_released(bytes);
    }
    flow_->window.close(id);
    ++shared_.counts.messages_given_up;
    flow_->outcomes.add(id, wire::outcome_kind::cancelled);
    flow_->closed_unread.insert(id, true);
    if (const auto channel = wire::load<std::uint16_t>(at + 12); channel > 0)
      flow_->channels.skip(channel, wire::load<std::uint32_t>(at + 8),
                           [this](event&& e) { deliver(std::move(e)); });
  }
}

buffer::slice peer::payload_of(const wire::frame_view& frame,
                               const buffer::slice& packet) noexcept {
  const auto size = static_cast<std::uint32_t>(frame.body.size());
  buffer::block_pool& pool = *packet.owner()->owner;
  // Small messages would hold large receive blocks for long: when those run short, copy.
  if (pool.available() * 4 < pool.block_count()) {
    if (buffer::slice copy = shared_.buffers.acquire(size)) {
      if (size > 0) std::memcpy(copy.data(), frame.body.data(), size);
      return copy.subslice(0, size);
    }
  }
  const auto offset = static_cast<std::uint32_t>(frame.body.data() - packet.data());
  return packet.subslice(offset, size);
}

void peer::deliver(event&& e) noexcept {
  shared_.events.push() = std::move(e);
}

void peer::on_complete(time_point now, std::uint64_t id, std::uint8_t frame_flags,
                       buffer::slice content) noexcept {
  stats& s = shared_.counts;
  ++s.messages_received;
  ++counts_.messages_received;
  s.payload_bytes_received += content.size();
  counts_.payload_bytes_received += content.size();
  flow_->window.close(id);
  if ((frame_flags & wire::frame_in_channel) != 0) {
    event e;
    describe(e, now, id, frame_flags);
    const auto sequence = wire::load<std::uint32_t>(content.data());
    e.channel = wire::load<std::uint16_t>(content.data() + 4);
    e.payload =
        content.subslice(wire::channel_head_bytes,
                         content.size() - static_cast<std::uint32_t>(wire::channel_head_bytes));
    flow_->channels.add(sequence, std::move(e),
                        [this](event&& ready) { deliver(std::move(ready)); });
    return;
  }
  event& e = shared_.events.push();
  describe(e, now, id, frame_flags);
  e.payload = std::move(content);
}

void peer::describe(event& e, time_point now, std::uint64_t id,
                    std::uint8_t frame_flags) const noexcept {
  e.kind = event_kind::message;
  e.confirm = (frame_flags & wire::frame_wants_delivered) != 0;
  e.session = session_;
  e.channel = 0;
  e.peer = peer_id{id_};
  e.id = message_id{id};
  e.context = 0;
  e.time = now;
  e.reason = nullptr;
}

void peer::on_message(time_point now, const wire::frame_view& frame,
                      const buffer::slice& packet) noexcept {
  const std::uint64_t id = wire::expand(flow_->id_base, frame.id);
  if (flow_->window.closed(id)) {
    ++shared_.counts.messages_duplicate;
    return;
  }
  // In one packet it may come whole before a fragment of another total: the first one stands.
  if (flow_->partials.knows(id)) credit_.on_refused(flow_->partials.drop(id));
  credit_.on_accepted(frame.body.size());
  on_complete(now, id, frame.flags, payload_of(frame, packet));
}

void peer::on_fragment(time_point now, const wire::frame_view& frame) noexcept {
  const std::uint64_t id = wire::expand(flow_->id_base, frame.id);
  if (flow_->window.closed(id)) {
    ++shared_.counts.messages_duplicate;
    return;
  }
  const auto offset = wire::load<std::uint32_t>(frame.body.data() + 4);
  buffer::slice whole = flow_->partials.add(id, offset, frame.body.subspan(8), now);
  if (whole) on_complete(now, id, frame.flags, std::move(whole));
}

}  // namespace mdp::engine
