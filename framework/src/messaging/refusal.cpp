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
    case refusal::not_supported:
      return "not supported";
    case refusal::closed:
      return "closed";
  }
  return "unknown";
}

}  // namespace mdp::messaging
