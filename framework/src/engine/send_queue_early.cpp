// What goes with the HELLO, ahead of the session. Members of `send_queue`.
// Rules: docs/protocol.md R-0RTT-*.
#include "send_queue.hpp"

namespace mdp::engine {

void send_queue::take_early(stats& s) noexcept {
  if (dead_queued_) drop_dead_heads();
  for (std::uint8_t p = 0; p < priorities; ++p) {
    if ((busy_lanes_ >> p & 1) == 0) continue;
    lane& l = *(*lanes_)[p];
    const std::uint32_t head = l.small.empty() ? l.open : l.small.front();
    if (head == no_index || !bodies_[head].idempotent) continue;
    if (bodies_[head].length > wire::early_bytes_max) continue;
    choice_ = {choice::source::small, {}, p, head};
    early_ = take(s);
    s.early_sent += bodies_[early_].message_count;
    resend(early_);  // nothing acknowledges the HELLO: the session sends it again
    return;
  }
}

std::span<const std::byte> send_queue::early_frames(stats& s) noexcept {
  if (early_ == no_index) take_early(s);
  if (early_ == no_index || body_is_dead(early_)) return {};
  const packet_body& body = bodies_[early_];
  return {body.block.data() + wire::header_bytes, body.length};
}

void send_queue::end_early() noexcept {
  may_go_early_ = false;
  if (early_ != no_index) drop_reference(early_);
  early_ = no_index;
}

}  // namespace mdp::engine
