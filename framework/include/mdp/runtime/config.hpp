// The configuration of a node: every key has a unit, a range and a default (`config_keys()`);
// values are set by name from text, so the same table serves JSON, `key=value` strings and the
// documentation.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "mdp/base/result.hpp"
#include "mdp/messaging/factory.hpp"

namespace mdp {

struct node_config {
  // Sessions.
  double initial_rtt_ms = 100;
  double connect_timeout_ms = 5000;
  double heartbeat_after_ms = 1000;
  double heartbeat_period_ms = 1000;
  double peer_timeout_ms = 10000;
  double max_peers = 65536;
  // Acknowledgement and loss.
  double max_ack_delay_ms = 25;
  double ack_frequency_packets = 10;
  double timer_granularity_us = 1000;
  double pto_max_ms = 2000;
  // Sizes.
  double max_message_bytes = 16777216;
  double max_packet_bytes = 1472;
  // Resources.
  double max_enqueued_messages = 65536;
  double max_enqueued_packets = 16384;
  double receive_window_bytes = 8388608;
  double receive_window_messages = 32768;
  double reassembly_bytes_max = 268435456;
  double receive_pool_bytes = 33554432;
  double congestion_window_bytes = 1048576;

  // The error is one sentence: unknown key with the nearest known one, not a number, out of range.
  [[nodiscard]] result<void, std::string> set(std::string_view key, std::string_view value);
};

[[nodiscard]] std::span<const messaging::config_key> config_keys() noexcept;

}  // namespace mdp
