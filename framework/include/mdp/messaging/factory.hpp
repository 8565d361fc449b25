// Makes messengers. Each opens one transport of the fabric, in the order of creation (the number
// that fabric::advance() returns).
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mdp/base/thread_plan.hpp"
#include "mdp/messaging/messenger.hpp"

namespace mdp::messaging {

struct messenger_options {
  transport::fabric* fabric = nullptr;  // required; must outlive the messenger
  endpoint_address local;               // family none: the fabric's default
  std::string name;                     // node name in a simulated topology
  std::uint64_t seed = 0;               // of the protocol's randomness; 0: the system's entropy
  thread_plan threads;                  // mdp only; `raw` is inline
  duration spin{};                      // busy-poll before sleeping
  std::vector<std::pair<std::string, std::string>> config;  // protocol keys, validated
};

// Both throw std::runtime_error (std::system_error) with one sentence: bad key or value, address in
// use, …
[[nodiscard]] std::unique_ptr<messenger> make_mdp_messenger(const messenger_options& options);
[[nodiscard]] std::unique_ptr<messenger> make_raw_messenger(const messenger_options& options);

// One row of the table of configuration keys (validation, docs, schema). The value is a number of
// `unit`, or, with `choices`, one of those words.
struct config_key {
  const char* name;  // "peer_timeout_ms"
  const char* unit;  // "ms", "bytes", "1"; "choice"
  const char* description;
  double min;
  double max;
  double preset;  // the default; of a choice: its position
  std::span<const char* const> choices{};
};
// Keys of the `mdp` protocol; `raw` has none.
[[nodiscard]] std::span<const config_key> mdp_config_keys() noexcept;

}  // namespace mdp::messaging
