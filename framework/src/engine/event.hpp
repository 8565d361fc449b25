// What the engine reports.
#pragma once
#include <cstdint>

#include "mdp/base/ids.hpp"
#include "mdp/base/time.hpp"
#include "mdp/buffer/slice.hpp"

namespace mdp::engine {

enum class event_kind : std::uint8_t {
  message,
  received,
  delivered,
  rejected,             // the peer's application refused the message
  cancelled,            // by cancel(): the peer never had it whole
  expired,              // its lifetime ended: the peer never had it whole
  timed_out_received,   // received_timeout ended: the peer never had it whole
  timed_out_delivered,  // delivered_timeout ended; a later confirmation is not reported
  unknown,
  peer_up,
  peer_down,
  peer_moved,  // the peer's validated address changed
};

// Confirmations wanted (bits).
enum want : std::uint8_t { want_none = 0, want_received = 1, want_delivered = 2 };

enum class refusal : std::uint8_t {
  queue_full,
  too_large,
  unknown_peer,
  unknown_message,
  too_late,  // to cancel: the peer has the message whole
  bad_option,
  blacklisted,
};

// How one message is to be sent.
struct send_options {
  std::uint8_t wants = want_none;
  std::uint64_t context = 0;  // handed back in the events of this message
  std::uint8_t priority = 4;  // class 0 (first) .. 7; a class waits while a lower one has data
  std::uint16_t channel = 0;  // 0: unordered; else delivered in order within its channel
  bool idempotent = false;  // may go with the HELLO, and then reach the application more than once
  duration lifetime{};      // 0: none; not received by then: given up, `expired`
  duration received_timeout{};   // 0: none; the same, reported as timed_out_received
  duration delivered_timeout{};  // 0: none; needs want_delivered
};

// Where a message that we sent stands.
enum class message_state : std::uint8_t {
  queued,     // no packet of it has left
  sent,       // some have; not all are acknowledged
  received,   // all are acknowledged; `delivered` is awaited
  delivered,  // final, as the events of these names
  rejected,
  cancelled,
  expired,
  timed_out_received,
  timed_out_delivered,
  unknown,
  settled,  // final, too long ago to say how; or it wanted no confirmation
  never,    // no such id was given out since the session began
};

struct event {
  event_kind kind = event_kind::message;
  bool confirm = false;       // message: the sender asked for a delivered confirmation
  std::uint16_t session = 0;  // peer::session() when it happened: ids begin anew with each
  std::uint16_t channel = 0;  // message: its ordered channel
  peer_id peer = no_peer;
  message_id id{};
  std::uint64_t context = 0;
  time_point time{};
  buffer::slice payload;
  const char* reason = nullptr;
};

}  // namespace mdp::engine
