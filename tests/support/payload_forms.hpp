// Gives an engine payloads in every form that it takes, by turns: one span to be copied, parts to
// be copied, and a slice to be referred to.
#pragma once
#include <array>
#include <cstring>
#include <string>

#include "engine/endpoint.hpp"

namespace mdp::test {

class payload_forms {
 public:
  using answer = result<message_id, engine::refusal>;

  // Messages with the same `turn` come in the same form.
  answer submit(engine::endpoint& to, time_point now, peer_id peer, const std::string& text,
                const engine::send_options& options, std::uint64_t turn) {
    const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(text.data()),
                                           text.size());
    switch (turn % 3) {
      case 0:
        return to.submit(now, peer, bytes, options);
      case 1: {
        const std::size_t third = bytes.size() / 3;
        const std::array parts{bytes.first(third), bytes.subspan(third, 0), bytes.subspan(third)};
        return to.submit(now, peer, {parts, bytes.size(), nullptr}, options);
      }
      default:
        return refer(to, now, peer, bytes, options);
    }
  }
  // No message refers to a payload any more.
  [[nodiscard]] bool all_home() const { return pool_.available() == pool_.block_count(); }

 private:
  answer refer(engine::endpoint& to, time_point now, peer_id peer, std::span<const std::byte> bytes,
               const engine::send_options& options) {
    buffer::slice block = buffer::slice::acquire(pool_);
    if (!block || block.size() < bytes.size()) return to.submit(now, peer, bytes, options);
    if (!bytes.empty()) std::memcpy(block.data(), bytes.data(), bytes.size());
    const buffer::slice payload = block.subslice(0, static_cast<std::uint32_t>(bytes.size()));
    const std::span<const std::byte> whole = payload.bytes();
    return to.submit(now, peer, {{&whole, 1}, whole.size(), &payload}, options);
  }

  buffer::block_pool pool_{{65536, 256, buffer::sharing::one_thread, false}};
};

}  // namespace mdp::test
