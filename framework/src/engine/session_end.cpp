// How sessions end: the peer forgot it, or may have; nobody answers; silence. Members of
// `endpoint`, apart for their length. Rules: docs/protocol.md R-SESS-*, R-RESET-*, R-LIVE-2.
#include <algorithm>

#include "endpoint.hpp"

namespace mdp::engine {

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
  // As in start_handshake(): what we have proposed already stands.
  p.shake.verify_nonce = p.shake.next ? p.shake.next->our_nonce : random_.next();
  p.shake.verify_epoch = ++epoch_;
  p.shake.cookie = p.shake.next_cookie;
  p.shake.retry = now + settings_.initial_rtt * 4;
  p.shake.give_up = now + settings_.connect_timeout;
  p.shake.send_hello = true;
  mark_ready(p);
  rearm(p);
}

void endpoint::end_session(time_point now, peer& p, const char* reason) noexcept {
  p.lose_session(now, reason);
  note_change(p);
  if (p.pinned) {
    start_handshake(now, p);
  } else {
    remove_peer(p);
  }
}

// At one address there is one node, and it keeps one session with us: that it is in one under this
// id proves that one under another id is over. We come to two when it moves while we connect to
// where it goes.
void endpoint::supersede_others(time_point now, const peer& p) noexcept {
  const auto is_other = [&](std::uint32_t slot) {
    return peers_[slot].get() != &p && peers_[slot]->state() == peer_state::established;
  };
  for (;;) {
    const std::uint32_t slot = addresses_.find_if(p.address(), is_other);
    if (slot == address_map::absent) return;
    // Not even one that is pinned begins anew: each would end the other's session for ever.
    peers_[slot]->lose_session(now, "its node is in session under another id");
    note_change(*peers_[slot]);
    remove_peer(*peers_[slot]);
  }
}

void endpoint::on_no_answer(time_point now, peer& p) noexcept {
  const bool accepted = p.state() == peer_state::accepted;
  if (p.pinned && (accepted || p.was_up)) {
    // A stranger's HELLO that came to nothing is no reason to give up on a peer that the
    // application asked for, and one that has been up once is waited for.
    if (p.shake.early_taken) p.lose_session(now, "the handshake was not completed");
    start_handshake(now, p);
    return;
  }
  p.lose_session(now, accepted ? "the handshake was not completed" : "no answer");
  remove_peer(p);
}

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
