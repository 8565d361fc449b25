#include "peer.hpp"

#include <algorithm>
#include <cstring>

namespace mdp::engine {
namespace {

constexpr std::uint32_t generation_step = 1u << 20;
constexpr std::size_t outcome_backlog_max = 8192;  // ranges

std::uint64_t largest_message(const wire::hello& theirs) {
  if (theirs.message_bytes == 0) return theirs.credit_bytes;
  return std::min<std::uint64_t>(theirs.credit_bytes, theirs.message_bytes);
}

}  // namespace

peer::peer(const shared_parts& shared, std::uint32_t id)
    : shared_(shared),
      id_(id),
      packet_bytes_(shared.settings.max_packet_bytes),
      rtt_(shared.settings.initial_rtt),
      congestion_(shared.settings.congestion_control),
      credit_(shared.settings.receive_window_bytes, shared.settings.receive_window_messages) {}

void peer::open(time_point now, const endpoint_address& address, bool is_pinned) noexcept {
  address_ = address;
  pinned = is_pinned;
  announced = false;
  congestion_ = shared_.settings.congestion_control;
  was_up = false;
  shake = handshake{};
  counts_ = {};
  last_received_ = now;
  frame_for_anyone();
}

void peer::enter(peer_state state) noexcept {
  if (state_ == peer_state::accepted) --shared_.half_open;
  state_ = state;
  if (state_ == peer_state::accepted) ++shared_.half_open;
}

void peer::frame_for_anyone() noexcept {
  // What is framed before the peer has said what it takes must suit any.
  packet_bytes_ = std::min<std::uint32_t>(shared_.settings.max_packet_bytes, wire::hello_bytes_min);
  if (!flow_) return;
  flow_->queue.set_body_bytes(body_bytes_of(packet_bytes_));
  flow_->queue.begin_early();
  flow_->queue.set_body_charge({wire::first_credit_bytes_min, wire::first_credit_messages_min});
}

void peer::begin_connecting() noexcept {
  enter(peer_state::connecting);
  frame_for_anyone();
}

void peer::close() noexcept {
  enter(peer_state::free);
  id_ += generation_step;
  if (id_ < generation_step) id_ += generation_step;  // generation 0 is none: 0 names no peer
  path_.reset();
}

void peer::reset_session() noexcept {
  flow_.reset();
  remains_ = flow::remains();
  rtt_ = rtt_estimator(shared_.settings.initial_rtt);
  credit_ = receive_credit(shared_.settings.receive_window_bytes,
                           shared_.settings.receive_window_messages);
  marks_reported_ = 0;
  ecn_failed_ = false;
  allowed_ = {};
  credit_due_ = ping_due_ = asked_for_credit_ = peer_blocked_ = false;
  resume_ = never;
  newest_ = 0;
  path_.reset();
  ++session_;
  frame_for_anyone();
}

void peer::begin_session(time_point now, peer_state state, std::uint64_t our_nonce,
                         const wire::hello& theirs) noexcept {
  enter(state);
  ++shared_.counts.sessions_begun;
  shake.our_nonce = our_nonce;
  shake.theirs = theirs;
  shake.next.reset();
  shake.verifying = shake.send_hello = shake.early_taken = false;
  if (flow_) {
    flow_->queue.end_early();
    flow_->queue.set_body_charge(body_charge());
  }
  shake.retry = never;
  shake.give_up = state == peer_state::accepted ? now + shared_.settings.connect_timeout : never;
  remote_connection_ = theirs.connection;
  crc_seed_ = wire::crc_seed_of(wire::session_tag(our_nonce, theirs.nonce));
  allowed_ = {theirs.credit_bytes, theirs.credit_messages};
  start_path_mtu();
  if (flow_) flow_->regulator = new_regulator();
  now_ = now;
  set_peer_window(largest_message(theirs));
  last_received_ = now;
  last_heartbeat_ = now;
  // The other side may send only once it has heard from us.
  ping_due_ = state == peer_state::established;
}

void peer::lose_session(time_point now, const char* reason) noexcept {
  now_ = now;
  if (flow_) {
    flow_->sent.abandon([this](sent_packet& p) {
      if (p.body != no_index) flow_->queue.drop_reference(p.body);
    });
    flow_->queue.lose(*this);
  }
  // Once for each peer_up, and once for an attempt that came to nothing.
  if (announced || (!was_up && (pinned || state_ == peer_state::connecting)))
    report_down(now, reason);
  if (state_ == peer_state::established) ++shared_.counts.sessions_ended;
  reset_session();
  enter(peer_state::connecting);
}

void peer::report_down(time_point now, const char* reason) noexcept {
  event& e = shared_.events.push();
  e = event{};
  e.kind = event_kind::peer_down;
  e.peer = peer_id{id_};
  e.session = session_;
  e.time = now;
  e.reason = reason;
  announced = false;
}

void peer::forget_flight(time_point now) noexcept {
  flow_->sent.abandon([&](sent_packet& p) {
    if (p.state == sent_packet::fate::in_flight) on_lost(now, p);
    if (p.body != no_index) flow_->queue.drop_reference(p.body);
  });
}

peer_info peer::info() const noexcept {
  return {peer_id{id_},          address_,       state_, pinned, active(), session_,
          shake.theirs.instance, rtt_.smoothed()};
}

peer_counts peer::counts() const noexcept {
  peer_counts all{counts_};
  all.window_bytes = flow_ ? flow_->regulator.window_bytes() : new_regulator().window_bytes();
  all.bytes_in_flight = flow_ ? flow_->sent.bytes_in_flight() : 0;
  all.rtt = rtt_.smoothed();
  return all;
}

void peer::on_message_event(event_kind kind, std::uint64_t id, std::uint64_t context) noexcept {
  stats& s = shared_.counts;
  switch (kind) {
    case event_kind::received:
      ++s.confirmed_received;
      ++counts_.confirmed_received;
      break;
    case event_kind::delivered:
      ++s.confirmed_delivered;
      ++counts_.confirmed_delivered;
      break;
    case event_kind::rejected:
      ++s.confirmed_rejected;
      break;
    case event_kind::cancelled:
      ++s.messages_cancelled;
      break;
    case event_kind::expired:
      ++s.messages_expired;
      break;
    case event_kind::timed_out_received:
    case event_kind::timed_out_delivered:
      ++s.messages_timed_out;
      break;
    default:
      ++s.unresolved_unknown;
      ++counts_.unresolved_unknown;
      break;
  }
  event& e = shared_.events.push();
  e.kind = kind;
  e.confirm = false;
  e.session = session_;
  e.channel = 0;
  e.peer = peer_id{id_};
  e.id = message_id{id};
  e.context = context;
  e.time = now_;
  e.reason = nullptr;
}

bool peer::on_released(std::uint64_t bytes) noexcept {
  credit_.on_released(bytes);
  raise_credit();
  return credit_due_;
}

void peer::raise_credit(bool force) noexcept {
  if (!credit_.worth_telling(force || peer_blocked_)) return;
  // Whoever never acknowledges our outcomes gets no more to make outcomes of.
  if (flow_ && flow_->outcomes.backlog() > outcome_backlog_max) return;
  credit_.raise();
  credit_due_ = true;
  peer_blocked_ = false;
}

duration peer::loss_delay() const noexcept {
  return flow_->sent.loss_delay(rtt_.loss_delay(shared_.settings.granularity));
}

duration peer::ack_delay() const noexcept {
  return std::min(shared_.settings.max_ack_delay, rtt_.smoothed() / 4);
}

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
  finish_packet(now, block.subslice(0, static_cast<std::uint32_t>(wire::header_bytes + used)),
                wants_ping ? std::uint8_t{wire::flag_ack_now} : std::uint8_t{0}, record, train);
  return true;
}

buffer::slice peer::sendable(packet_body& body) noexcept {
  // A block that somebody else still reads (the transport, a receiver in the same process) must not
  // change: retransmission then works on a copy.
  if (body.block.unique()) return body.block;
  buffer::slice copy = buffer::slice::acquire(shared_.blocks);
  if (!copy) return copy;
  std::memcpy(copy.data(), body.block.data(), wire::header_bytes + body.length);
  body.block = copy;
  return copy;
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
  if (used < packet_bytes_ &&
      (control_due() || flow_->acks.ack_waiting() || flow_->probes_due > 0)) {
    used += write_control(now, {block.data() + used, packet_bytes_ - used}, record);
  }
  // A packet a little short of its train is padded: one train is worth more than the bytes.
  const std::uint32_t segment = train.segment();
  if (used < segment && segment - used <= segment / 8 && segment - used >= 8) {
    const std::size_t gap = segment - used;
    wire::write_frame_head(block.data() + used, wire::frame_type::pad, 0,
                           gap - wire::frame_head_bytes, 0);
    std::memset(block.data() + used + wire::frame_head_bytes, 0, gap - wire::frame_head_bytes);
    used = segment;
  }
  std::uint8_t flags = 0;
  const bool more = flow_->queue.ready(allowed_);
  if (flow_->probes_due > 0) {
    --flow_->probes_due;
    flags = wire::flag_ack_now;
  }
  record.bytes = static_cast<std::uint32_t>(used);
  finish_packet(now, block.subslice(0, static_cast<std::uint32_t>(used)),
                more ? flags : std::uint8_t{wire::flag_ack_now}, record, train);
  return true;
}

void peer::finish_packet(time_point now, buffer::slice packet, std::uint8_t flags,
                         sent_packet& record, train_builder& train) noexcept {
  wire::packet_header header;
  header.flags = flags;
  header.connection = remote_connection_;
  header.number = flow_->sent.next_number();
  header.floor = static_cast<std::uint32_t>(flow_->window.floor());
  record.sent = now;
  record.bytes = packet.size();
  if (record.eliciting) {
    flow_->regulator.on_sent(now, record, !flow_->sent.anything_in_flight());
    if (asks_for_ack()) header.flags |= wire::flag_ack_now;
  }
  wire::seal_packet({packet.data(), packet.size()}, header, crc_seed_);
  flow_->sent.on_sent(record);
  ++shared_.counts.packets_sent;
  ++counts_.packets_sent;
  shared_.counts.wire_bytes_sent += packet.size();
  counts_.wire_bytes_sent += packet.size();
  train.add(std::move(packet));
}

void peer::probe(time_point now) noexcept {
  if (!announced) forget_flight(now);  // else the record of what a dead peer was sent only grows
  flow_->sent.on_probe_timeout();
  if (flow_->sent.probes() >= 3) ecn_failed_ = true;
  ++shared_.counts.packets_probe;
  flow_->probes_due = 1;
  // New content probes as well as old; without either, a PING does. Outcomes and credit go again
  // like bodies: a PING in their place would only find out, after another round trip, that they
  // were lost.
  sent_packet* oldest = flow_->sent.oldest_with_content();
  if (!oldest) return;
  if (oldest->body != no_index) flow_->queue.resend(oldest->body);
  // Should the path carry only smaller packets than before, a small one is heard of.
  if (mtu_.suspicious() || (mtu_.may_shrink() && flow_->sent.probes() > 1)) ping_due_ = true;
  if (oldest->outcomes != no_index) flow_->outcomes.on_lost(oldest->outcomes);
  if (oldest->credit) credit_due_ = true;
  oldest->outcomes = no_index;  // they travel in another packet now: this one's loss is no news
  oldest->credit = false;
}

time_point peer::next_deadline() const noexcept {
  const time_point timeout = next_timeout();
  if (state_ == peer_state::connecting) return std::min({shake.retry, shake.give_up, timeout});
  if (state_ == peer_state::accepted) return std::min(shake.give_up, timeout);
  if (state_ == peer_state::free) return never;
  const config& c = shared_.settings;
  // Once reported, silence is of interest again when nothing keeps the peer any more.
  time_point next = announced || !kept() ? last_received_ + c.peer_timeout : never;
  if (shake.verifying) next = std::min(next, shake.retry);
  if (path_) next = std::min(next, path_->deadline());
  next = std::min({next, timeout, resume_, mtu_.deadline()});
  if (heartbeats()) {
    next = std::min(
        next, std::max(last_received_ + c.heartbeat_after, last_heartbeat_ + c.heartbeat_period));
  }
  return flow_ ? std::min(next, flow_deadline()) : next;
}

time_point peer::flow_deadline() const noexcept {
  const config& c = shared_.settings;
  const loss_detector& sent = flow_->sent;
  const time_point loss =
      sent.loss_time() != never
          ? sent.loss_time()
          : sent.probe_time(rtt_.probe_timeout(c.granularity, ack_delay()), c.pto_max);
  return std::min({flow_->acks.deadline(), flow_->stall_check, sent.forget_time(loss_delay()), loss,
                   rest_time()});
}

bool peer::heartbeats() const noexcept {
  // To a peer that is down, what is in flight already asks for a sign of life, again and again.
  return kept() && (announced || !flow_ || !flow_->sent.anything_in_flight());
}

bool peer::handle_deadline(time_point now) noexcept {
  const config& c = shared_.settings;
  now_ = now;
  if (flow_) flow_->queue.on_timeouts(now, *this);
  if (state_ != peer_state::established) return shake.give_up > now;
  if (silent(now) && !kept()) return false;
  if (path_ && !path_->on_deadline(now)) ++shared_.counts.paths_failed;
  if (resume_ <= now) resume_ = never;
  mtu_.on_deadline(now);
  if (flow_) handle_flow_deadline(now);
  if (heartbeats() &&
      std::max(last_received_ + c.heartbeat_after, last_heartbeat_ + c.heartbeat_period) <= now) {
    last_heartbeat_ = now;
    ping_due_ = true;
    ++shared_.counts.heartbeats_sent;
  }
  return true;
}

void peer::handle_flow_deadline(time_point now) noexcept {
  const config& c = shared_.settings;
  if (rest_time() <= now) {
    rest(now);
    if (!flow_) return;
  }
  flow_->acks.on_deadline(now);
  check_stalls(now);
  if (std::min(flow_->sent.loss_time(), flow_->sent.forget_time(loss_delay())) <= now) {
    detect_losses(now);
  } else if (flow_->sent.probe_time(rtt_.probe_timeout(c.granularity, ack_delay()), c.pto_max) <=
             now) {
    probe(now);
  }
}

}  // namespace mdp::engine
