// What a node tells about messages on their way to its peers.
#pragma once
#include <cstdint>

#include "mdp/base/ids.hpp"

namespace mdp {

// Where a message that we sent stands.
enum class message_state : std::uint8_t {
  queued,     // nothing of it has left
  sent,       // some has; not all is acknowledged
  received,   // the peer's stack has it whole; `delivered` is awaited
  delivered,  // final, as the events of these names
  rejected,
  cancelled,
  expired,
  timed_out_received,
  timed_out_delivered,
  unknown,
  settled,  // final, too long ago to say how; or it wanted no confirmation
  none,     // no such message, or no such peer
};
[[nodiscard]] const char* to_string(message_state s) noexcept;

struct message_status {
  message_id id{};
  message_state state = message_state::none;
};

}  // namespace mdp
