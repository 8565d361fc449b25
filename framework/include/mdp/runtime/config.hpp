// The configuration of a node: every key has a unit, a range and a default (`config_keys()`), or a
// list of words to choose from. Values are set by name from text, so the same table serves JSON,
// `key=value` strings and the documentation (docs/configuration.md).
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "mdp/base/result.hpp"
#include "mdp/messaging/factory.hpp"

namespace mdp {

// Where the other keys start from.
enum class config_profile : std::uint8_t {
  fixed,  // a fixed window of bytes in flight; for measurements and known links
  lan,    // a data centre or an office: short round trips, faults noticed fast
  wan,    // the internet
};

// What decides how many bytes may be in flight (docs/protocol.md section 12).
enum class congestion_control_kind : std::uint8_t { fixed, cubic, swift, bbr, ledbat };

// Whose idempotent messages are taken with the HELLO of a session, one round trip early
// (docs/protocol.md section 5.5).
enum class zero_rtt_policy : std::uint8_t {
  off,     // nobody's: they come in the session, like all others
  proven,  // of peers that were in session with this node from the same address in the last hour
  any,     // everybody's, though a stranger may only pretend to be where it is
};

struct node_config {
  config_profile profile = config_profile::fixed;
  // Sessions.
  double initial_rtt_ms = 100;
  double connect_timeout_ms = 5000;
  double heartbeat_after_ms = 1000;
  double heartbeat_period_ms = 1000;
  double peer_timeout_ms = 10000;
  double max_peers = 65536;
  double max_half_open = 1024;
  double resets_per_second = 1000;
  zero_rtt_policy zero_rtt = zero_rtt_policy::off;
  // Acknowledgement and loss.
  double max_ack_delay_ms = 25;
  double ack_frequency_packets = 10;
  double timer_granularity_us = 1000;
  double pto_max_ms = 2000;
  // Sizes.
  double max_message_bytes = 16777216;
  double min_packet_bytes = 1200;
  double max_packet_bytes = 1472;
  double pmtu_discovery = 1;
  double pmtu_raise_s = 600;
  // Resources.
  double max_enqueued_messages = 65536;
  double max_enqueued_packets = 16384;
  double max_enqueued_bytes = 17179869184;
  double receive_window_bytes = 8388608;
  double receive_window_messages = 32768;
  double reassembly_bytes_max = 268435456;
  double receive_pool_bytes = 33554432;
  // Congestion.
  congestion_control_kind congestion_control = congestion_control_kind::fixed;
  double ecn = 1;
  double congestion_window_bytes = 1048576;
  double initial_window_packets = 10;
  double swift_target_us = 100;

  friend bool operator==(const node_config&, const node_config&) = default;

  // The error is one sentence: unknown key with the nearest known one, not a number, not a choice,
  // or out of range; it names key, value and range. Nothing is changed then. `profile` sets every
  // key that it knows of: set it first.
  [[nodiscard]] result<void, std::string> set(std::string_view key, std::string_view value);
  // All of them, `profile` first wherever it stands; a key that comes twice is an error, and so is
  // a min_packet_bytes above max_packet_bytes.
  [[nodiscard]] result<void, std::string> set_all(
      std::span<const std::pair<std::string, std::string>> values);
  // The value as text, as set() takes it; empty: no such key.
  [[nodiscard]] std::string get(std::string_view key) const;

  // One JSON object of numbers and words: {"profile": "lan", "max_peers": 100}. Keys that it lacks
  // have their defaults. Errors as of set(), or what is wrong with the JSON.
  [[nodiscard]] static result<node_config, std::string> from_json(std::string_view object);
  // "profile=lan, max_peers=100": separated by commas; spaces around keys and values are ignored.
  [[nodiscard]] static result<node_config, std::string> from_text(std::string_view text);
  // Every key, in the order of config_keys(); from_json() and from_text() give the same config.
  [[nodiscard]] std::string to_json() const;
  [[nodiscard]] std::string to_text() const;
};

[[nodiscard]] std::span<const messaging::config_key> config_keys() noexcept;

}  // namespace mdp
