// What a peer has while data flows between it and us, in both directions; made when there is
// something to send or something has come, and given back when nothing is left to do. A peer at
// rest keeps only what must not be forgotten. Rules: docs/protocol.md R-MEM-*.
#pragma once
#include "ack_tracker.hpp"
#include "channel_order.hpp"
#include "congestion/regulator.hpp"
#include "id_map.hpp"
#include "loss_detector.hpp"
#include "message_window.hpp"
#include "outcome_tracker.hpp"
#include "reassembler.hpp"
#include "send_queue.hpp"

namespace mdp::engine {

struct flow {
  // Of a flow that came to rest; a session begins with an empty one.
  struct remains {
    send_queue::remains queue;
    std::uint64_t next_number = 0;  // of packets
    ack_tracker::remains acks;
    std::uint64_t window_floor = 0;
    channel_order::remains channels;
  };

  flow(body_table& bodies, buffer::block_pool& blocks, const send_limits& limits,
       congestion::regulator&& pace, remains&& past)
      : queue(bodies, blocks, limits, std::move(past.queue)),
        sent(past.next_number),
        regulator(std::move(pace)),
        acks(past.acks),
        window(past.window_floor),
        channels(std::move(past.channels)) {}

  // No message waits, is in flight or awaits a confirmation, and no acknowledgement is due.
  [[nodiscard]] bool idle() const noexcept {
    return queue.idle() && outcomes.idle() && !acks.ack_due();
  }
  // Only remains() would be missed.
  [[nodiscard]] bool at_rest() noexcept {
    queue.drop_ended();
    sent.drop_settled();
    return idle() && !acks.ack_waiting() && queue.empty() && sent.record_count() == 0 &&
           window.contiguous() && partials.size() == 0 && channels.nothing_held() &&
           closed_unread.size() == 0;
  }
  // Of a flow at rest, which is of no further use.
  [[nodiscard]] remains take_remains() noexcept {
    return {queue.take_remains(), sent.next_number(), acks.what_remains(), window.floor(),
            channels.take_remains()};
  }

  send_queue queue;
  loss_detector sent;
  congestion::regulator regulator;
  ack_tracker acks;
  outcome_tracker outcomes;
  message_window window;
  reassembler partials;
  channel_order channels;
  id_map<bool> closed_unread;  // by ABANDON; the peer does not know yet

  std::uint32_t probes_due = 0;    // packets that may go beyond the window
  std::uint32_t unasked = 0;       // packets since one asked for an acknowledgement at once
  std::uint64_t id_base = 0;       // ids of the packet at hand are expanded against this
  time_point stall_check = never;  // messages that are incomplete then may be asked for
  duration stall_wait{};
  time_point nack_heeded{};  // the last of the peer's
  bool nack_due = false;
  time_point rest_again{};  // no rest before this
};

}  // namespace mdp::engine
