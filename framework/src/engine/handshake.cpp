// How sessions begin and end: HELLO, HELLO_ACK, a new session in place of an old one, a session
// that one side forgot, silence. Rules: docs/protocol.md R-SESS-*, R-RESET-*, R-COOKIE-*. Members
// of `endpoint`, apart for their length.
#include <algorithm>
#include <cstring>
#include <new>

#include "endpoint.hpp"

namespace mdp::engine {

void endpoint::start_handshake(time_point now, peer& p) noexcept {
  const wire::hello theirs = p.shake.theirs;
  p.shake = peer::handshake{};
  p.shake.our_nonce = random_.next();
  p.shake.epoch = ++epoch_;
  p.shake.theirs.instance = theirs.instance;
  p.shake.theirs.epoch = theirs.epoch;
  p.shake.retry = now + settings_.initial_rtt * 2;
  p.shake.give_up = now + settings_.connect_timeout;
  p.shake.send_hello = true;
  p.begin_connecting();
  mark_ready(p);
  rearm(p);
}

wire::hello endpoint::our_hello(const peer& p) const noexcept {
  wire::hello ours;
  ours.instance = instance_;
  ours.epoch = p.shake.epoch;
  ours.credit_bytes = settings_.receive_window_bytes;
  ours.credit_messages = settings_.receive_window_messages;
  ours.connection = p.id();
  ours.packet_bytes = settings_.max_packet_bytes;
  ours.message_bytes = settings_.max_message_bytes;
  ours.rx_capacity_bytes = settings_.rx_capacity_bytes;
  ours.token = replies_.token_of(p.id(), p.address());
  return ours;
}

bool endpoint::send_handshake(time_point now, peer& p, buffer::tx_batch& batch) noexcept {
  static_cast<void>(now);
  const auto send = [&](wire::packet_type type, const wire::hello& ours, std::uint32_t connection) {
    if (batch.full()) return false;
    buffer::slice block = buffer::slice::acquire(shared_.control_blocks);
    if (!block) return false;
    const std::size_t size = type == wire::packet_type::hello_ack
                                 ? wire::header_bytes + wire::hello_body_bytes
                                 : wire::hello_bytes_min;
    std::memset(block.data(), 0, size);
    wire::write_hello({block.data() + wire::header_bytes, wire::hello_body_bytes}, ours);
    wire::packet_header header;
    header.type = type;
    header.connection = connection;
    wire::seal_packet({block.data(), size}, header, wire::hello_crc_seed);
    batch.add_part(block.subslice(0, static_cast<std::uint32_t>(size)));
    batch.finish_item(p.address(), 0);
    ++counts_.packets_sent;
    counts_.wire_bytes_sent += size;
    return true;
  };
  wire::hello ours = our_hello(p);
  if (p.shake.send_hello) {
    ours.nonce = p.shake.verifying ? p.shake.verify_nonce : p.shake.our_nonce;
    if (p.shake.verifying) ours.epoch = p.shake.verify_epoch;
    ours.held = p.shake.verifying ? wire::session_check(p.tag()) : 0;
    ours.cookie = p.shake.cookie;
    if (!send(wire::packet_type::hello, ours, 0)) return false;
    p.shake.send_hello = false;
  }
  if (p.shake.send_hello_ack) {
    const bool next = p.shake.next && p.shake.answer_next;
    const wire::hello& answered = next ? p.shake.next->theirs : p.shake.theirs;
    ours.nonce = next ? p.shake.next->our_nonce : p.shake.our_nonce;
    ours.echoed_nonce = answered.nonce;
    ours.held = ours.cookie = 0;
    if (!send(wire::packet_type::hello_ack, ours, answered.connection)) return false;
    p.shake.send_hello_ack = false;
  }
  if (p.shake.vouch_for != 0) {
    ours.nonce = random_.next();  // opens nothing
    ours.echoed_nonce = p.shake.vouch_for;
    ours.held = wire::session_check(p.tag());
    ours.cookie = 0;
    if (!send(wire::packet_type::hello_ack, ours, p.shake.theirs.connection)) return false;
    p.shake.vouch_for = 0;
  }
  return true;
}

void endpoint::handle_packet(time_point now, const endpoint_address& from,
                             const buffer::slice& packet, bool marked) noexcept {
  const auto header = wire::parse_header(packet.bytes());
  if (!header) {
    ++counts_.rejected_malformed;
    return;
  }
  if (header->type == wire::packet_type::data) {
    handle_data(now, from, *header, packet, marked);
    return;
  }
  const bool is_hello = header->type == wire::packet_type::hello;
  if (is_hello && packet.size() < wire::hello_bytes_min) {
    ++counts_.rejected_malformed;
    return;
  }
  if (!wire::crc_matches(packet.bytes(), wire::hello_crc_seed)) {
    ++counts_.rejected_checksum;
    return;
  }
  if (header->type == wire::packet_type::retry) {
    handle_retry(from, *header, packet);
    return;
  }
  if (!is_hello && header->type != wire::packet_type::hello_ack) {
    handle_reset(now, from, *header, packet);
    return;
  }
  const auto theirs = wire::parse_hello(packet.bytes().subspan(wire::header_bytes));
  if (!theirs) {
    ++counts_.rejected_malformed;
  } else if (is_hello) {
    handle_hello(now, from, *theirs);
  } else {
    handle_hello_ack(now, from, *header, *theirs);
  }
}

void endpoint::handle_data(time_point now, const endpoint_address& from,
                           const wire::packet_header& header, const buffer::slice& packet,
                           bool marked) noexcept {
  peer* p = lookup(header.connection);
  if (!p) {
    ++counts_.rejected_no_session;
    replies_.forgotten(now, from, header);
    return;
  }
  const bool from_elsewhere = !(p->address() == from);
  const bool in_session =
      p->state() == peer_state::established || p->state() == peer_state::accepted;
  if (!in_session || !wire::crc_matches(packet.bytes(), p->crc_seed())) {
    if (from_elsewhere) {
      // The slot is another peer's by now: for this one the session is as good as forgotten.
      ++counts_.rejected_wrong_source;
      replies_.forgotten(now, from, header);
      return;
    }
    // A packet of the session that the peer asked for proves that the peer is really there.
    const bool of_next =
        p->shake.next && wire::crc_matches(packet.bytes(), wire::crc_seed_of(wire::session_tag(
                                                               p->shake.next->our_nonce,
                                                               p->shake.next->theirs.nonce)));
    if (!of_next) {
      ++counts_.rejected_checksum;
      return;
    }
    adopt_next_session(now, *p);
  }
  if (p->state() == peer_state::accepted) p->on_confirmed();
  announce(now, *p);
  if (p->handle_packet(now, from, header, packet, marked)) settle_move(now, *p);
  if (p->wants_transmit()) mark_ready(*p);
  rearm(*p);
}

// The peer has proven that it is at another address now: the session goes there.
void endpoint::settle_move(time_point now, peer& p) noexcept {
  const endpoint_address to = p.take_validated();
  if (to.family == address_family::none) return;
  addresses_.erase(p.address(), p.id() & slot_mask);
  addresses_.insert(to, p.id() & slot_mask);
  p.move_to(to);
  ++counts_.peers_moved;
  event& e = events_.push();
  e = event{};
  e.kind = event_kind::peer_moved;
  e.peer = peer_id{p.id()};
  e.session = p.session();
  e.time = now;
}

void endpoint::handle_hello(time_point now, const endpoint_address& from,
                            const wire::hello& theirs) noexcept {
  peer* p = find_address(from);
  if (!p) {
    p = accept(now, from, theirs);
    if (!p) return;
  } else if (theirs.nonce == p->shake.theirs.nonce) {
    p->shake.answer_next = false;
  } else {
    if (theirs.instance == p->shake.theirs.instance && theirs.epoch <= p->shake.theirs.epoch) {
      ++counts_.rejected_stale_hello;
      return;
    }
    if (p->state() == peer_state::established && theirs.held == wire::session_check(p->tag())) {
      p->shake.vouch_for = theirs.nonce;  // the session that they doubt lives
      mark_ready(*p);
      rearm(*p);
      return;
    }
    // The old session lives until a packet of the new one comes: a forged HELLO ends nothing. While
    // we say HELLO ourselves our nonce stands, and both sides reach the same session.
    auto& next = p->shake.next;
    const bool known = next && next->theirs.nonce == theirs.nonce;
    if (!next) next.reset(new (std::nothrow) peer::handshake::proposal);
    if (!next) return;
    if (p->state() == peer_state::connecting) {
      next->our_nonce = p->shake.our_nonce;
    } else if (p->shake.verifying) {
      next->our_nonce = p->shake.verify_nonce;
    } else if (!known) {
      next->our_nonce = random_.next();
    }
    next->theirs = theirs;
    p->shake.answer_next = true;
  }
  p->shake.send_hello_ack = true;
  mark_ready(*p);
  rearm(*p);
}

// A stranger's HELLO: a half-open peer, or a RETRY if there are many of those already.
peer* endpoint::accept(time_point now, const endpoint_address& from,
                       const wire::hello& theirs) noexcept {
  const bool proven = replies_.cookie_valid(now, from, theirs);
  if (theirs.cookie != 0 && !proven) ++counts_.rejected_cookie;
  if (!proven && half_open_ >= settings_.max_half_open) {
    replies_.retry(now, from, theirs);
    return nullptr;
  }
  peer* p = add_peer(now, from, false);
  if (p) p->begin_session(now, peer_state::accepted, random_.next(), theirs);
  return p;
}

void endpoint::handle_hello_ack(time_point now, const endpoint_address& from,
                                const wire::packet_header& header,
                                const wire::hello& theirs) noexcept {
  peer* p = lookup(header.connection);
  const bool connecting = p && p->state() == peer_state::connecting;
  const bool verifying = p && p->state() == peer_state::established && p->shake.verifying;
  if (!connecting && !verifying) {
    ++counts_.rejected_no_session;
    return;
  }
  if (!(p->address() == from)) {
    ++counts_.rejected_wrong_source;
    return;
  }
  const std::uint64_t nonce = verifying ? p->shake.verify_nonce : p->shake.our_nonce;
  if (theirs.echoed_nonce != nonce) {
    ++counts_.rejected_stale_hello;
    return;
  }
  if (verifying && theirs.held == wire::session_check(p->tag())) {
    p->shake.verifying = false;  // it lives, whatever somebody said
    return;
  }
  if (verifying) {
    ++counts_.peers_reset;
    p->lose_session(now, "the peer forgot the session");
    p->shake.epoch = p->shake.verify_epoch;
  }
  p->begin_session(now, peer_state::established, nonce, theirs);
  announce(now, *p);
  mark_ready(*p);
  rearm(*p);
}

void endpoint::handle_retry(const endpoint_address& from, const wire::packet_header& header,
                            const buffer::slice& packet) noexcept {
  peer* p = lookup(header.connection);
  const std::byte* body = packet.data() + wire::header_bytes;
  const bool saying_hello =
      p && (p->state() == peer_state::connecting || p->shake.verifying) && p->address() == from;
  if (packet.size() != wire::retry_bytes || !saying_hello ||
      wire::load<std::uint64_t>(body) !=
          (p->shake.verifying ? p->shake.verify_nonce : p->shake.our_nonce)) {
    ++counts_.rejected_cookie;
    return;
  }
  const auto cookie = wire::load<std::uint64_t>(body + 8);
  if (cookie == p->shake.cookie) return;  // it was not to their liking: at the usual pace, then
  p->shake.cookie = cookie;
  p->shake.send_hello = true;
  mark_ready(*p);
}

void endpoint::handle_reset(time_point now, const endpoint_address& from,
                            const wire::packet_header& header,
                            const buffer::slice& packet) noexcept {
  peer* p = find_address(from);
  if (!p || !p->may_have_sent(header.connection, header.number)) {
    ++counts_.rejected_reset;
    return;
  }
  if (header.type == wire::packet_type::reset && packet.size() == wire::reset_bytes) {
    const std::byte* body = packet.data() + wire::header_bytes;
    const wire::reset_token& token = p->shake.theirs.token;
    const std::uint64_t difference = (wire::load<std::uint64_t>(body) ^ token[0]) |
                                     (wire::load<std::uint64_t>(body + 8) ^ token[1]);
    if (difference == 0 && token != wire::reset_token{}) {
      ++counts_.peers_reset;
      end_session(now, *p, "the peer forgot the session");
      return;
    }
  }
  // A hint, true or not: ask the peer. Nothing else comes of it.
  verify_session(now, *p);
}

void endpoint::verify_session(time_point now, peer& p) noexcept {
  if (p.shake.verifying || p.shake.verify_again > now) return;
  p.shake.verifying = true;
  p.shake.verify_again = now + settings_.heartbeat_period;
  p.shake.verify_nonce = random_.next();
  p.shake.verify_epoch = ++epoch_;
  p.shake.cookie = 0;
  p.shake.retry = now + settings_.initial_rtt * 4;
  p.shake.give_up = now + settings_.connect_timeout;
  p.shake.send_hello = true;
  mark_ready(p);
  rearm(p);
}

void endpoint::adopt_next_session(time_point now, peer& p) noexcept {
  const peer::handshake::proposal next = *p.shake.next;
  // Messages that wait for a first session go with it; those of an old one are lost with that.
  if (p.state() == peer_state::established) {
    p.lose_session(now, "the peer began a new session");
    note_change(p);
  }
  p.begin_session(now, peer_state::established, next.our_nonce, next.theirs);
}

void endpoint::announce(time_point now, peer& p) noexcept {
  if (p.announced || p.state() != peer_state::established) return;
  p.announced = p.was_up = true;
  note_change(p);
  event& e = events_.push();
  e = event{};
  e.kind = event_kind::peer_up;
  e.peer = peer_id{p.id()};
  e.session = p.session();
  e.time = now;
}

// A pinned peer is said HELLO to anew; another is forgotten.
void endpoint::end_session(time_point now, peer& p, const char* reason) noexcept {
  p.lose_session(now, reason);
  note_change(p);
  if (p.pinned) {
    start_handshake(now, p);
  } else {
    remove_peer(p);
  }
}

void endpoint::on_no_answer(time_point now, peer& p) noexcept {
  const bool accepted = p.state() == peer_state::accepted;
  if (p.pinned && (accepted || p.was_up)) {
    // A stranger's HELLO that came to nothing is no reason to give up on a peer that the
    // application asked for, and one that has been up once is waited for.
    start_handshake(now, p);
    return;
  }
  p.lose_session(now, accepted ? "the handshake was not completed" : "no answer");
  remove_peer(p);
}

// False: the peer is gone.
bool endpoint::on_deadline(time_point now, peer& p) noexcept {
  const bool asking = p.state() == peer_state::connecting || p.shake.verifying;
  if (asking && p.shake.retry <= now && p.shake.give_up > now) {
    p.shake.send_hello = true;
    // Doubled once only: at 20 % loss each way a slower pace would often miss connect_timeout. A
    // peer that was up and is waited for without end is asked no more often than by heartbeats.
    const duration pace = settings_.initial_rtt * 4;
    p.shake.retry = now + (p.was_up ? std::max(pace, settings_.heartbeat_period) : pace);
  } else if (p.shake.verifying && p.shake.give_up <= now) {
    p.shake.verifying = false;
  }
  if (p.state() != peer_state::established) {
    // Time-outs of messages run before there is a session, too.
    if (!p.handle_deadline(now)) on_no_answer(now, p);
    return p.state() != peer_state::free;
  }
  if (p.announced && p.silent(now)) {
    p.report_down(now, "silent for longer than peer_timeout");
    note_change(p);
  }
  if (!p.handle_deadline(now)) {
    p.lose_session(now, "silent for longer than peer_timeout");
    remove_peer(p);
    return false;
  }
  return true;
}

}  // namespace mdp::engine
