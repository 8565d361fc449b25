// One pair of an OUTCOME: consecutive messages that ended alike (docs/protocol.md R-OUT-1).
#pragma once
#include <cstdint>

#include "mdp/wire/packet.hpp"

namespace mdp::engine {

struct outcome_run {
  std::uint64_t first;
  std::uint64_t count;
};

// The pair at this offset of the frame's body. The ids are whole, since an application may take its
// time: billions of later messages may be done.
inline outcome_run outcome_at(const wire::frame_view& frame, std::size_t at) noexcept {
  const auto low = wire::load<std::uint32_t>(frame.body.data() + at);
  const auto count = wire::load<std::uint32_t>(frame.body.data() + at + 4);
  return {std::uint64_t{frame.id} << 32 | low, count};
}

}  // namespace mdp::engine
