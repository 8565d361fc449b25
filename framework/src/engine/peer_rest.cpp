// Between rest and work: what a peer has while data flows is made at need and given back when
// nothing is left to do. Members of `peer`. Rules: docs/protocol.md R-MEM-*.
#include <algorithm>

#include "peer.hpp"

namespace mdp::engine {

flow& peer::wake() {
  if (flow_) [[likely]]
    return *flow_;
  const config& c = shared_.settings;
  const send_limits limits{
      c.max_message_bytes, c.max_enqueued_messages, body_bytes_of(packet_bytes_),
      std::max<std::uint64_t>(c.max_enqueued_bytes / c.max_packet_bytes, 1), body_charge()};
  flow_ = std::make_unique<flow>(shared_.bodies, shared_.blocks, limits, new_regulator(),
                                 std::move(remains_));
  if (state_ == peer_state::connecting) flow_->queue.begin_early();
  return *flow_;
}

credit peer::body_charge() const noexcept {
  // What a session will allow is not known before it.
  if (state_ == peer_state::connecting)
    return {wire::first_credit_bytes_min, wire::first_credit_messages_min};
  return {shake.theirs.credit_bytes, shake.theirs.credit_messages};
}

time_point peer::rest_time() const noexcept {
  if (!flow_ || !flow_->idle() || flow_->sent.anything_in_flight() || mtu_.probing() || ping_due_ ||
      credit_due_)
    return never;
  // Before a heartbeat makes work again.
  return std::max(last_received_ + shared_.settings.heartbeat_after / 2, flow_->rest_again);
}

void peer::rest(time_point now) noexcept {
  if (!flow_->at_rest()) {  // the peer, or time, has something yet to settle
    flow_->rest_again = now + shared_.settings.heartbeat_after / 2;
    return;
  }
  remains_ = flow_->take_remains();
  flow_.reset();
}

congestion::regulator peer::new_regulator() const {
  return {congestion_, shared_.settings, packet_bytes_};
}

void peer::set_congestion(congestion_kind kind) noexcept {
  congestion_ = kind;
  if (flow_) flow_->regulator.use(kind, shared_.settings);
}

void peer::set_peer_window(std::uint64_t bytes) noexcept {
  if (flow_) {
    flow_->queue.set_peer_window(bytes, *this);
  } else {
    remains_.queue.peer_window = bytes;
  }
}

}  // namespace mdp::engine
