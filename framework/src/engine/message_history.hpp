// How the last messages to a peer ended, for whoever asks later. Bounded; made at the first end.
#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "event.hpp"

namespace mdp::engine {

class message_history {
 public:
  static constexpr std::uint32_t size = 32;

  void add(std::uint64_t id, message_state how) {
    if (!places_) [[unlikely]]
      places_ = std::make_unique<std::array<std::uint32_t, size>>();
    (*places_)[next_++ % size] = word(id, how);
  }
  // `settled`: not, or no longer, known.
  [[nodiscard]] message_state find(std::uint64_t id) const noexcept {
    for (std::uint32_t back = 1; places_ && back <= size; ++back) {
      const std::uint32_t place = (*places_)[(next_ - back) % size];
      const auto how = static_cast<message_state>(place & 15);
      if (place != 0 && word(id, how) == place) return how;
    }
    return message_state::settled;
  }

 private:
  // The low bits of an id, and how it ended, in one word; 0: no message.
  static std::uint32_t word(std::uint64_t id, message_state how) noexcept {
    return static_cast<std::uint32_t>(id << 4) | static_cast<std::uint32_t>(how);
  }

  std::unique_ptr<std::array<std::uint32_t, size>> places_;  // a ring
  std::uint32_t next_ = 0;
};

}  // namespace mdp::engine
