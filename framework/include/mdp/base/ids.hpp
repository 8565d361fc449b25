// Strong identifiers: integers that do not mix.
#pragma once
#include <compare>
#include <cstdint>

namespace mdp {

template <class Tag, class Rep>
struct strong_id {
  Rep value{};
  friend constexpr auto operator<=>(strong_id, strong_id) = default;
};

// A peer as this node numbers it: slot and generation, so a stale id never names a new peer.
using peer_id = strong_id<struct peer_id_tag, std::uint32_t>;
// A message within one peer and session, in the order of submission, from 0.
using message_id = strong_id<struct message_id_tag, std::uint64_t>;
// A packet within one direction of a session; never reused: a retransmission has a new number.
using packet_number = strong_id<struct packet_number_tag, std::uint64_t>;

inline constexpr peer_id no_peer{0xffffffffu};

}  // namespace mdp
