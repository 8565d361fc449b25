#include "message_content.hpp"

#include <algorithm>

namespace mdp::engine {

void message_content::copy_across(std::byte* at, std::size_t count) noexcept {
  while (count > 0) {
    const std::span<const std::byte> left = payload.parts.front().subspan(part_offset);
    const std::size_t now = std::min(count, left.size());
    if (now > 0) std::memcpy(at, left.data(), now);
    at += now;
    count -= now;
    part_offset += now;
    if (part_offset < payload.parts.front().size()) continue;
    payload.parts = payload.parts.subspan(1);
    part_offset = 0;
  }
}

buffer::slice message_content::refer(std::size_t count) noexcept {
  const auto from = static_cast<std::uint32_t>(part_offset);
  part_offset += count;
  return payload.held->subslice(from, static_cast<std::uint32_t>(count));
}

}  // namespace mdp::engine
