#include "mdp/messaging/messenger.hpp"

namespace mdp::messaging {

const char* to_string(refusal r) noexcept {
  switch (r) {
    case refusal::queue_full:
      return "queue full";
    case refusal::too_large:
      return "too large";
    case refusal::unknown_peer:
      return "unknown peer";
    case refusal::unknown_message:
      return "unknown message";
    case refusal::too_late:
      return "too late";
    case refusal::bad_option:
      return "bad option";
    case refusal::blacklisted:
      return "blacklisted";
    case refusal::not_supported:
      return "not supported";
    case refusal::closed:
      return "closed";
  }
  return "unknown";
}

const char* to_string(event_kind k) noexcept {
  switch (k) {
    case event_kind::message:
      return "message";
    case event_kind::received:
      return "received";
    case event_kind::delivered:
      return "delivered";
    case event_kind::rejected:
      return "rejected";
    case event_kind::cancelled:
      return "cancelled";
    case event_kind::expired:
      return "expired";
    case event_kind::timed_out_received:
      return "timed_out_received";
    case event_kind::timed_out_delivered:
      return "timed_out_delivered";
    case event_kind::unknown:
      return "unknown";
    case event_kind::peer_up:
      return "peer_up";
    case event_kind::peer_down:
      return "peer_down";
    case event_kind::peer_moved:
      return "peer_moved";
  }
  return "?";
}

}  // namespace mdp::messaging
