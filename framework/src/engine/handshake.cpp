// How sessions begin and end: HELLO, HELLO_ACK, a new session in place of an old one, silence.
// Rules: docs/protocol.md R-SESS-*. Members of `endpoint`, apart for their length.
#include <algorithm>
#include <cstring>

#include "endpoint.hpp"

namespace mdp::engine {

void endpoint::start_handshake(time_point now, peer& p) noexcept {
  const std::uint64_t epoch = p.shake.epoch + 1;
  const wire::hello theirs = p.shake.theirs;
  p.shake = peer::handshake{};
  p.shake.our_nonce = random_.next();
  p.shake.epoch = epoch;
  p.shake.theirs.instance = theirs.instance;
  p.shake.theirs.epoch = theirs.epoch;
  p.shake.interval = settings_.initial_rtt * 2;
  p.shake.retry = now + p.shake.interval;
  p.shake.give_up = now + settings_.connect_timeout;
  p.shake.send_hello = true;
  p.begin_connecting();
  mark_ready(p);
  rearm(p);
}

bool endpoint::send_handshake(time_point now, peer& p, buffer::tx_batch& batch) noexcept {
  static_cast<void>(now);
  const auto send = [&](wire::packet_type type, std::uint64_t nonce, const wire::hello& answered) {
    if (batch.full()) return false;
    buffer::slice block = buffer::slice::acquire(shared_.control_blocks);
    if (!block) return false;
    const bool is_ack = type == wire::packet_type::hello_ack;
    const std::size_t size =
        is_ack ? wire::header_bytes + wire::hello_body_bytes : wire::hello_bytes_min;
    std::memset(block.data(), 0, size);
    wire::hello ours;
    ours.nonce = nonce;
    ours.echoed_nonce = is_ack ? answered.nonce : 0;
    ours.instance = instance_;
    ours.epoch = p.shake.epoch;
    ours.credit_bytes = settings_.receive_window_bytes;
    ours.credit_messages = settings_.receive_window_messages;
    ours.connection = p.id();
    ours.packet_bytes = settings_.max_packet_bytes;
    ours.rx_capacity_bytes = settings_.rx_capacity_bytes;
    wire::write_hello({block.data() + wire::header_bytes, wire::hello_body_bytes}, ours);
    wire::packet_header header;
    header.type = type;
    header.connection = is_ack ? answered.connection : 0;
    wire::seal_packet({block.data(), size}, header, wire::hello_crc_seed);
    batch.add_part(block.subslice(0, static_cast<std::uint32_t>(size)));
    batch.finish_item(p.address(), 0);
    ++counts_.packets_sent;
    counts_.wire_bytes_sent += size;
    return true;
  };
  if (p.shake.send_hello) {
    if (!send(wire::packet_type::hello, p.shake.our_nonce, {})) return false;
    p.shake.send_hello = false;
  }
  if (p.shake.send_hello_ack) {
    const bool next = p.shake.has_next;
    if (!send(wire::packet_type::hello_ack, next ? p.shake.next_nonce : p.shake.our_nonce,
              next ? p.shake.next : p.shake.theirs))
      return false;
    p.shake.send_hello_ack = false;
  }
  return true;
}

void endpoint::handle_packet(time_point now, const endpoint_address& from,
                             const buffer::slice& packet) noexcept {
  const auto header = wire::parse_header(packet.bytes());
  if (!header) {
    ++counts_.rejected_malformed;
    return;
  }
  if (header->type == wire::packet_type::data) {
    handle_data(now, from, *header, packet);
    return;
  }
  const std::span<const std::byte> body = packet.bytes().subspan(wire::header_bytes);
  const bool is_hello = header->type == wire::packet_type::hello;
  if (is_hello && packet.size() < wire::hello_bytes_min) {
    ++counts_.rejected_malformed;
    return;
  }
  if (!wire::crc_matches(packet.bytes(), wire::hello_crc_seed)) {
    ++counts_.rejected_checksum;
    return;
  }
  const auto theirs = wire::parse_hello(body);
  if (!theirs) {
    ++counts_.rejected_malformed;
  } else if (is_hello) {
    handle_hello(now, from, *theirs);
  } else {
    handle_hello_ack(now, from, *header, *theirs);
  }
}

void endpoint::handle_data(time_point now, const endpoint_address& from,
                           const wire::packet_header& header,
                           const buffer::slice& packet) noexcept {
  peer* p = lookup(header.connection);
  if (!p) {
    ++counts_.rejected_no_session;
    return;
  }
  if (!(p->address() == from)) {
    ++counts_.rejected_wrong_source;
    return;
  }
  const bool in_session =
      p->state() == peer_state::established || p->state() == peer_state::accepted;
  if (!in_session || !wire::crc_matches(packet.bytes(), p->crc_seed())) {
    // A packet of the session that the peer asked for proves that the peer is really there.
    const bool of_next =
        p->shake.has_next &&
        wire::crc_matches(packet.bytes(), wire::crc_seed_of(wire::session_tag(
                                              p->shake.next_nonce, p->shake.next.nonce)));
    if (!of_next) {
      ++counts_.rejected_checksum;
      return;
    }
    adopt_next_session(now, *p);
  }
  if (p->state() == peer_state::accepted) p->on_confirmed();
  announce(now, *p);
  p->handle_packet(now, header, packet);
  if (p->wants_transmit()) mark_ready(*p);
  rearm(*p);
}

void endpoint::handle_hello(time_point now, const endpoint_address& from,
                            const wire::hello& theirs) noexcept {
  peer* p = find_address(from);
  if (!p) {
    p = add_peer(now, from, false);
    if (!p) return;
    p->begin_session(now, peer_state::accepted, random_.next(), theirs);
  } else if (p->state() == peer_state::connecting) {
    if (theirs.instance == p->shake.theirs.instance && theirs.epoch <= p->shake.theirs.epoch) {
      ++counts_.rejected_stale_hello;
      return;
    }
    // Both began at once: both nonces make the same tag on both sides.
    p->begin_session(now, peer_state::established, p->shake.our_nonce, theirs);
    announce(now, *p);
  } else if (theirs.nonce != p->shake.theirs.nonce) {
    if (theirs.instance == p->shake.theirs.instance && theirs.epoch <= p->shake.theirs.epoch) {
      ++counts_.rejected_stale_hello;
      return;
    }
    // The old session lives until a packet of the new one comes: a forged HELLO ends nothing.
    if (!p->shake.has_next || p->shake.next.nonce != theirs.nonce)
      p->shake.next_nonce = random_.next();
    p->shake.next = theirs;
    p->shake.has_next = true;
  }
  p->shake.send_hello_ack = true;
  mark_ready(*p);
  rearm(*p);
}

void endpoint::handle_hello_ack(time_point now, const endpoint_address& from,
                                const wire::packet_header& header,
                                const wire::hello& theirs) noexcept {
  peer* p = lookup(header.connection);
  if (!p || p->state() != peer_state::connecting) {
    ++counts_.rejected_no_session;
    return;
  }
  if (!(p->address() == from)) {
    ++counts_.rejected_wrong_source;
    return;
  }
  if (theirs.echoed_nonce != p->shake.our_nonce) {
    ++counts_.rejected_stale_hello;
    return;
  }
  p->begin_session(now, peer_state::established, p->shake.our_nonce, theirs);
  announce(now, *p);
  mark_ready(*p);
  rearm(*p);
}

void endpoint::adopt_next_session(time_point now, peer& p) noexcept {
  const std::uint64_t nonce = p.shake.next_nonce;
  const wire::hello theirs = p.shake.next;
  p.lose_session(now, "the peer began a new session");
  p.begin_session(now, peer_state::accepted, nonce, theirs);
}

void endpoint::announce(time_point now, peer& p) noexcept {
  if (p.announced || p.state() != peer_state::established) return;
  p.announced = true;
  event& e = events_.push();
  e = event{};
  e.kind = event_kind::peer_up;
  e.peer = peer_id{p.id()};
  e.time = now;
}

void endpoint::on_silence(time_point now, peer& p) noexcept {
  const bool never_up = p.state() != peer_state::established;
  const bool accepted = p.state() == peer_state::accepted;
  if (!accepted) {
    p.lose_session(now, never_up ? "no answer" : "silent for longer than peer_timeout");
  }
  if (p.pinned && !never_up) {
    start_handshake(now, p);  // pinned peers are never given up while they have been up once
  } else {
    if (accepted) p.lose_session(now, "the handshake was not completed");
    remove_peer(p);
  }
}

}  // namespace mdp::engine
