// What a node tells about its peers.
#pragma once
#include <cstdint>

#include "mdp/base/endpoint_address.hpp"
#include "mdp/base/ids.hpp"
#include "mdp/base/time.hpp"

namespace mdp {

struct peer_info {
  peer_id id = no_peer;
  endpoint_address address;
  bool pinned = false;         // by connect(): never dropped for silence
  bool active = false;         // in session and heard from within peer_timeout
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

}  // namespace mdp
