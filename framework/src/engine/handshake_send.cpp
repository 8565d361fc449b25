// What is said while a session begins or is in doubt: HELLO and HELLO_ACK. Members of `endpoint`,
// apart for their length. Rules: docs/protocol.md R-SESS-*, R-RESET-4.
#include <cstring>

#include "endpoint.hpp"

namespace mdp::engine {

using wire_bytes = std::span<const std::byte>;

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
  const auto send = [&](wire::packet_type type, const wire::hello& ours, std::uint32_t connection,
                        wire_bytes early = {}) {
    if (batch.full()) return false;
    buffer::slice block = buffer::slice::acquire(shared_.control_blocks);
    if (!block) return false;
    const std::size_t size = type == wire::packet_type::hello_ack
                                 ? wire::header_bytes + wire::hello_body_bytes
                                 : wire::hello_bytes_min;
    std::memset(block.data(), 0, size);
    wire::write_hello({block.data() + wire::header_bytes, wire::hello_body_bytes}, ours);
    if (!early.empty()) std::memcpy(block.data() + wire::early_offset, early.data(), early.size());
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
    const bool opens = p.state() == peer_state::connecting;  // else only the session is in doubt
    if (!send(wire::packet_type::hello, ours, 0, opens ? p.early_frames() : wire_bytes{}))
      return false;
    p.shake.send_hello = false;
  }
  if (p.shake.send_hello_ack) {
    const bool next = p.shake.next && p.shake.answer_next;
    const wire::hello& answered = next ? p.shake.next->theirs : p.shake.theirs;
    ours.nonce = next ? p.shake.next->our_nonce : p.shake.our_nonce;
    ours.echoed_nonce = answered.nonce;
    ours.held = 0;
    ours.cookie = replies_.next_cookie(now, p.address());
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

}  // namespace mdp::engine
