// How sessions begin: HELLO, HELLO_ACK, RETRY, and a new session in place of an old one. Members of
// `endpoint`, apart for their length. Rules: docs/protocol.md R-SESS-*, R-COOKIE-*.
#include <new>
#include <optional>

#include "endpoint.hpp"

namespace mdp::engine {
namespace {

// A HELLO of an instance that has said a newer one since.
bool outdated(const wire::hello& said, const wire::hello& newest) {
  return said.instance == newest.instance && said.epoch <= newest.epoch;
}

// The nonce of the HELLO that we are saying, if we are.
std::optional<std::uint64_t> nonce_said(const peer& p) {
  if (p.state() == peer_state::connecting) return p.shake.our_nonce;
  if (p.shake.verifying) return p.shake.verify_nonce;
  return std::nullopt;
}

}  // namespace

void endpoint::start_handshake(time_point now, peer& p) noexcept {
  const wire::hello theirs = p.shake.theirs;
  const std::uint64_t cookie = p.shake.next_cookie;
  auto next = std::move(p.shake.next);
  p.shake = handshake{};
  // A HELLO_ACK that proposed a nonce may be on its way still: whichever the peer hears first, it
  // must find the same session.
  p.shake.our_nonce = next ? next->our_nonce : random_.next();
  p.shake.next = std::move(next);
  p.shake.cookie = p.shake.next_cookie = cookie;
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

void endpoint::handle_hello(time_point now, const endpoint_address& from, const wire::hello& theirs,
                            const buffer::slice& packet) noexcept {
  peer* p = find_address(from);
  if (!p) {
    p = accept(now, from, theirs);
    if (!p) return;
    take_early(now, *p, theirs, packet);
  } else if (theirs.nonce == p->shake.theirs.nonce) {
    p->shake.answer_next = false;
    take_early(now, *p, theirs, packet);
  } else {
    auto& next = p->shake.next;
    const bool known = next && next->theirs.nonce == theirs.nonce;
    if (outdated(theirs, p->shake.theirs) || (!known && next && outdated(theirs, next->theirs))) {
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
    // we say HELLO ourselves our nonce stands, and both sides reach the same session; nor does one
    // that an earlier HELLO_ACK told change.
    if (!next) next.reset(new (std::nothrow) handshake::proposal);
    if (!next) return;
    if (!known) next->our_nonce = nonce_said(*p).value_or(random_.next());
    next->theirs = theirs;
    p->shake.answer_next = true;
  }
  p->shake.send_hello_ack = true;
  mark_ready(*p);
  rearm(*p);
}

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

// Messages that came with the HELLO of a session that is not proven yet. In one that is they come,
// or came, in data packets.
void endpoint::take_early(time_point now, peer& p, const wire::hello& theirs,
                          const buffer::slice& packet) noexcept {
  if (p.state() != peer_state::accepted || !wire::has_early_messages(packet.bytes())) return;
  const bool allowed = settings_.zero_rtt == zero_rtt_policy::any ||
                       (settings_.zero_rtt == zero_rtt_policy::proven &&
                        replies_.cookie_valid(now, p.address(), theirs));
  if (!allowed || !p.take_early(now, packet)) ++counts_.early_refused;
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
  p->shake.next_cookie = theirs.cookie;
  p->begin_session(now, peer_state::established, nonce, theirs);
  announce(now, *p);
  mark_ready(*p);
  rearm(*p);
}

void endpoint::handle_retry(const endpoint_address& from, const wire::packet_header& header,
                            const buffer::slice& packet) noexcept {
  peer* p = lookup(header.connection);
  const std::byte* body = packet.data() + wire::header_bytes;
  const auto said = p && p->address() == from ? nonce_said(*p) : std::nullopt;
  if (packet.size() != wire::retry_bytes || !said || wire::load<std::uint64_t>(body) != *said) {
    ++counts_.rejected_cookie;
    return;
  }
  const auto cookie = wire::load<std::uint64_t>(body + 8);
  if (cookie == p->shake.cookie) return;  // it was not to their liking: at the usual pace, then
  p->shake.cookie = cookie;
  p->shake.send_hello = true;
  mark_ready(*p);
}

void endpoint::adopt_next_session(time_point now, peer& p) noexcept {
  const handshake::proposal next = *p.shake.next;
  // Messages that wait for a first session go with it; those of an old one are lost with that. One
  // whose HELLO brought messages has begun, proven or not: their ids are of no other.
  if (p.state() == peer_state::established || p.shake.early_taken) {
    p.lose_session(now, "the peer began a new session");
    note_change(p);
  }
  p.begin_session(now, peer_state::established, next.our_nonce, next.theirs);
}

void endpoint::announce(time_point now, peer& p) noexcept {
  if (p.announced || p.state() != peer_state::established) return;
  supersede_others(now, p);
  p.announced = p.was_up = true;
  note_change(p);
  event& e = events_.push();
  e = event{};
  e.kind = event_kind::peer_up;
  e.peer = peer_id{p.id()};
  e.session = p.session();
  e.time = now;
}

}  // namespace mdp::engine
