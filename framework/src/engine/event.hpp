// What the engine reports.
#pragma once
#include <cstdint>

#include "mdp/base/ids.hpp"
#include "mdp/base/time.hpp"
#include "mdp/buffer/slice.hpp"

namespace mdp::engine {

enum class event_kind : std::uint8_t { message, received, delivered, unknown, peer_up, peer_down };

// Confirmations wanted (bits).
enum want : std::uint8_t { want_none = 0, want_received = 1, want_delivered = 2 };

enum class refusal : std::uint8_t { queue_full, too_large, unknown_peer };

struct event {
  event_kind kind = event_kind::message;
  bool confirm = false;  // message: the sender asked for a delivered confirmation
  peer_id peer = no_peer;
  message_id id{};
  std::uint64_t context = 0;
  time_point time{};
  buffer::slice payload;
  const char* reason = nullptr;
};

}  // namespace mdp::engine
