// What a sender remembers of one packet until it is settled. One cache line.
#pragma once
#include <cstdint>

#include "mdp/base/time.hpp"

namespace mdp::engine {

inline constexpr std::uint32_t no_index = 0xffffffffu;

struct sent_packet {
  enum class fate : std::uint8_t { in_flight, acked, lost };
  time_point sent{};
  std::uint64_t ack_largest = 0;  // largest number reported by an ACK in it ...
  // State of the delivery when it was sent, for rate samples (congestion/delivery_rate.hpp).
  std::uint64_t delivered = 0;    // bytes acknowledged by then ...
  time_point delivered_at{};      // ... the last of them at this time
  time_point first_sent{};        // sending time of the packet that was acknowledged last by then
  std::uint32_t body = no_index;  // what it carried
  std::uint32_t outcomes = no_index;
  std::uint32_t bytes = 0;
  std::uint32_t acked_below = 0;  // acknowledged: so many right below it are, too (at least)
  fate state = fate::in_flight;
  bool eliciting = false;
  bool credit = false;
  bool abandons = false;
  bool mtu_probe = false;
  bool has_ack = false;         // ... if this is set
  bool app_limited = false;     // the application, not the network, limited the sender
  std::uint8_t loss_event = 0;  // lost: low bits of the loss event it belongs to
};
static_assert(sizeof(sent_packet) <= 64);

}  // namespace mdp::engine
