// What the sources of the C interface share: a node, and how errors become statuses.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "mdp/mdp.h"
#include "mdp/runtime/node.hpp"

struct mdp_node {
  std::shared_ptr<mdp::transport::fabric> fabric;
  std::unique_ptr<mdp::node> node;
  std::array<mdp::messaging::event, 64> polled;
  std::vector<mdp::peer_change> changes;  // told by the node, not fetched yet
  std::string error;
};

namespace mdp::capi {

// What C sees of a refusal.
[[nodiscard]] mdp_status status_of(messaging::refusal why) noexcept;

template <class Value>
mdp_status status_of(const result<Value, messaging::refusal>& r) noexcept {
  return r ? MDP_OK : status_of(r.error());
}

// What the library throws (memory, the system) becomes a sentence in the node.
template <class Call>
auto guarded(mdp_node* node, Call&& call) noexcept {
  using value = std::invoke_result_t<Call>;
  try {
    return call();
  } catch (const std::exception& e) {
    try {
      node->error = e.what();
    } catch (...) {
      node->error.clear();
    }
  }
  if constexpr (std::is_same_v<value, mdp_status>) {
    return MDP_FAILED;
  } else {
    return value{};
  }
}

// Copies as much as fits, always with a zero; returns the bytes that all of it needs.
std::size_t copy_text(const std::string& text, char* out, std::size_t size) noexcept;
[[nodiscard]] std::string word(const char* text, const char* otherwise);
// Nothing: it is no address, and the node's error says so.
[[nodiscard]] std::optional<endpoint_address> parse(mdp_node* node, const char* text);

}  // namespace mdp::capi
