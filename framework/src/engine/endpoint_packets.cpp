// A packet has come: which peer, and which part of the session, is it for? Members of `endpoint`,
// apart for their length. Rules: docs/protocol.md R-PKT-*, R-PATH-*.
#include "endpoint.hpp"

namespace mdp::engine {

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
  } else if (theirs->instance == instance_) {
    ++counts_.rejected_reflected;
  } else if (is_hello) {
    handle_hello(now, from, *theirs, packet);
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
  // One that is not proven yet may not move either.
  const bool in_session = p->state() == peer_state::established ||
                          (p->state() == peer_state::accepted && !from_elsewhere);
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
      // Damage, or a tag that the peer and we do not agree on: if nothing else comes, ask.
      if (p->state() == peer_state::established && p->quiet(now)) verify_session(now, *p);
      return;
    }
    adopt_next_session(now, *p);
  }
  if (p->state() == peer_state::accepted) p->on_confirmed();
  announce(now, *p);
  if (p->handle_packet(now, from, header, packet, marked)) settle_move(now, *p);
  mark_ready(*p);  // what it came to is looked at once for all packets of a batch
}

void endpoint::settle_move(time_point now, peer& p) noexcept {
  const endpoint_address to = p.take_validated();
  if (to.family == address_family::none) return;
  addresses_.erase(p.address(), p.id() & slot_mask);
  addresses_.insert(to, p.id() & slot_mask);
  p.move_to(to);
  supersede_others(now, p);
  ++counts_.peers_moved;
  event& e = events_.push();
  e = event{};
  e.kind = event_kind::peer_moved;
  e.peer = peer_id{p.id()};
  e.session = p.session();
  e.time = now;
}

}  // namespace mdp::engine
