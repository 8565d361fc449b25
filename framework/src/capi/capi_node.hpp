// What the sources of the C interface share: a node, and how errors become statuses.
#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "mdp/mdp.h"
#include "mdp/runtime/node.hpp"

struct mdp_node {
  std::shared_ptr<mdp::transport::fabric> fabric;
  std::unique_ptr<mdp::node> node;
  std::mutex fetching;
  std::vector<mdp::peer_change> changes;  // told by the node, not fetched yet
};

namespace mdp::capi {

// Of the calling thread.
[[nodiscard]] std::string& last_error() noexcept;

// What C sees of a refusal.
[[nodiscard]] mdp_status status_of(messaging::refusal why) noexcept;

template <class Value>
mdp_status status_of(const result<Value, messaging::refusal>& r) noexcept {
  return r ? MDP_OK : status_of(r.error());
}

// What the library throws (memory, the system) becomes a sentence.
template <class Call>
auto guarded(Call&& call) noexcept {
  using value = std::invoke_result_t<Call>;
  try {
    return call();
  } catch (const std::exception& e) {
    try {
      last_error() = e.what();
    } catch (...) {
      last_error().clear();
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
// Nothing: it is no address, and last_error() says so.
[[nodiscard]] std::optional<endpoint_address> parse(const char* text);

}  // namespace mdp::capi
