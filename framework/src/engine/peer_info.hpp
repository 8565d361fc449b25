// What an endpoint tells about its peers.
#pragma once
#include <cstdint>

#include "mdp/base/endpoint_address.hpp"
#include "mdp/base/ids.hpp"
#include "mdp/base/time.hpp"

namespace mdp::engine {

enum class peer_state : std::uint8_t {
  free,         // not a peer: an unused slot
  connecting,   // HELLO is out, nothing has come back
  accepted,     // answered a HELLO; its sender is not proven
  established,  // in session
};

struct peer_info {
  peer_id id = no_peer;
  endpoint_address address;
  peer_state state = peer_state::free;
  bool pinned = false;         // by connect(): never dropped for silence
  bool active = false;         // in session and heard from within peer_timeout
  std::uint16_t session = 0;   // as in event
  std::uint64_t instance = 0;  // fresh at each start of the peer's node; 0: not known yet
  duration rtt{};              // smoothed; initial_rtt before the first sample
};

enum class peer_filter : std::uint8_t {
  all,
  active,
  connected,  // pinned, active or not
};

// A peer became active or inactive.
struct peer_change {
  peer_id id = no_peer;
  bool active = false;
};

// Counts of one peer since it became known, over all its sessions.
struct peer_totals {
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t packets_retransmitted = 0;
  std::uint64_t packets_lost = 0;
  std::uint64_t wire_bytes_sent = 0;
  std::uint64_t wire_bytes_received = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t payload_bytes_sent = 0;
  std::uint64_t payload_bytes_received = 0;
  std::uint64_t confirmed_received = 0;
  std::uint64_t confirmed_delivered = 0;
  std::uint64_t unresolved_unknown = 0;
};

// The same, and its state now.
struct peer_counts : peer_totals {
  std::uint64_t window_bytes = 0;     // congestion window
  std::uint64_t bytes_in_flight = 0;  // below it
  duration rtt{};                     // smoothed; of sums: the longest
};

}  // namespace mdp::engine
