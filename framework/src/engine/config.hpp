// What an engine is told at its start. Validated by the runtime; the engine trusts it.
#pragma once
#include <cstdint>

#include "mdp/base/siphash.hpp"
#include "mdp/base/time.hpp"

namespace mdp::engine {

// docs/protocol.md section 12.
enum class congestion_kind : std::uint8_t { fixed, cubic, swift, bbr, ledbat };

// Whose messages are taken with their HELLO (docs/protocol.md section 5.5).
enum class zero_rtt_policy : std::uint8_t {
  off,
  proven,  // whose HELLO carries a cookie: it was in session with this node from there lately
  any,     // everybody, though it may only pretend to be where it is
};

struct config {
  std::uint32_t max_message_bytes = 16u << 20;
  std::uint32_t max_packet_bytes = 1472;  // UDP payload at an MTU of 1,500 with IPv4
  std::uint32_t min_packet_bytes = 1200;  // what every path to a peer is known to carry
  bool pmtu_discovery = false;            // RFC 8899; else max_packet_bytes from the start
  duration pmtu_raise = std::chrono::seconds(600);  // how often a larger packet is tried again
  std::uint32_t max_enqueued_messages = 65536;  // of one peer: queued or awaiting a confirmation
  std::uint64_t max_enqueued_bytes = ~std::uint64_t{0};  // of one peer: packets queued or in flight
  std::uint32_t max_peers = 65536;
  // Sessions that a stranger began and has not proven yet; above it HELLO is answered by RETRY.
  std::uint32_t max_half_open = 1024;
  zero_rtt_policy zero_rtt = zero_rtt_policy::off;
  std::uint32_t resets_per_second = 1000;  // RESET and UNKNOWN, to all addresses together
  // Makes the reset tokens: the same after a restart. All zero: no tokens, UNKNOWN hints only.
  siphash_key node_key{};
  std::uint64_t receive_window_bytes = 8u << 20;  // credit given to one peer
  std::uint32_t receive_window_messages = 32768;  // the same in messages
  std::uint64_t reassembly_bytes = 256u << 20;    // of all peers
  congestion_kind congestion_control = congestion_kind::fixed;
  bool ecn = true;  // let the network mark packets instead of dropping them
  std::uint64_t congestion_window_bytes = 1u << 20;        // of `fixed`
  std::uint32_t initial_window_packets = 10;               // of the others (RFC 6928)
  duration swift_target = std::chrono::microseconds(100);  // queueing delay that `swift` aims at
  duration initial_rtt = std::chrono::milliseconds(100);
  duration granularity = std::chrono::milliseconds(1);
  duration max_ack_delay = std::chrono::milliseconds(25);
  std::uint32_t ack_frequency_packets = 10;
  duration pto_max = std::chrono::seconds(2);
  duration heartbeat_after = std::chrono::seconds(1);
  duration heartbeat_period = std::chrono::seconds(1);
  duration peer_timeout = std::chrono::seconds(10);
  duration connect_timeout = std::chrono::seconds(5);
  std::uint32_t rx_capacity_bytes = 0;  // told to peers: the transport's receive buffer; 0: unknown
};

}  // namespace mdp::engine
