// Many messages in one call, of several parts, to several peers.
#include <new>

#include "inline_node.hpp"

namespace mdp::runtime {
namespace {

// One part is sent from where it lies. False: no memory.
bool join(std::span<const std::span<const std::byte>> parts, std::vector<std::byte>& joined,
          std::span<const std::byte>& whole) noexcept {
  whole = {};
  if (parts.size() == 1) whole = parts.front();
  if (parts.size() < 2) return true;
  joined.clear();
  try {
    for (const auto& part : parts) joined.insert(joined.end(), part.begin(), part.end());
  } catch (const std::bad_alloc&) {
    return false;
  }
  whole = joined;
  return true;
}

}  // namespace

std::size_t inline_node::submit_batch(std::span<const submission> items,
                                      std::span<submit_result> results) noexcept {
  std::size_t written = 0;
  for (const submission& item : items) {
    std::span<const std::byte> message;
    std::size_t bytes = 0;
    for (const auto& part : item.parts) bytes += part.size();
    const bool fits = bytes <= message_bytes_max();
    const bool joined = fits && join(item.parts, joined_, message);
    for (const peer_id to : item.to) {
      if (written == results.size()) return written;
      if (!fits) {
        results[written++] = failure(messaging::refusal::too_large);
      } else if (!joined) {
        results[written++] = failure(messaging::refusal::queue_full);
      } else {
        results[written++] = submit(to, message, item.options);
      }
    }
  }
  return written;
}

}  // namespace mdp::runtime
