// Between the public types of a node and those of the engine.
#pragma once
#include "engine/config.hpp"
#include "engine/event.hpp"
#include "mdp/runtime/node.hpp"

namespace mdp::runtime {

[[nodiscard]] engine::config to_engine(const node_config& c) noexcept;
[[nodiscard]] engine::send_options to_engine(const messaging::send_options& o) noexcept;
// Whether an engine takes them (else bad_option).
[[nodiscard]] bool valid(const messaging::send_options& o) noexcept;
[[nodiscard]] messaging::event_kind from_engine(engine::event_kind kind) noexcept;
[[nodiscard]] messaging::refusal from_engine(engine::refusal why) noexcept;
[[nodiscard]] message_state from_engine(engine::message_state state) noexcept;

// An engine numbers the messages of each session from 0; a node's ids name the session too, so that
// an answer that comes late never meets a message of a later session.
struct message_number {
  static constexpr unsigned bits = 48;
  std::uint16_t session = 0;
  std::uint64_t number = 0;  // < 2^48: at a million a second, nine years

  [[nodiscard]] constexpr message_id id() const noexcept {
    return message_id{std::uint64_t{session} << bits | number};
  }
  [[nodiscard]] static constexpr message_number of(message_id id) noexcept {
    return {static_cast<std::uint16_t>(id.value >> bits),
            id.value & ((std::uint64_t{1} << bits) - 1)};
  }
};

// The place of a peer in tables: ids of one place differ in their generation.
[[nodiscard]] constexpr std::size_t slot_of(peer_id peer) noexcept {
  return peer.value & 0xfffff;
}

}  // namespace mdp::runtime
