// Many messages in one call, of several parts, to several peers.
#include "inline_node.hpp"

namespace mdp::runtime {

std::size_t inline_node::submit_batch(std::span<const submission> items,
                                      std::span<submit_result> results) noexcept {
  std::size_t written = 0;
  for (const submission& item : items) {
    engine::payload_parts message{item.parts};
    for (const auto& part : item.parts) message.bytes += part.size();
    for (const peer_id to : item.to) {
      if (written == results.size()) return written;
      results[written++] = submit_parts(to, message, item.options);
    }
  }
  return written;
}

}  // namespace mdp::runtime
