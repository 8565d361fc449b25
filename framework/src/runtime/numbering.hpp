// The ids of one peer's messages in the `single` layout. The caller numbers its submissions without
// asking the I/O thread; a node numbers them when it takes them. Within a session both count up by
// one, so a few offsets translate any id either way. I/O thread only.
#pragma once
#include <optional>
#include <vector>

#include "translation.hpp"

namespace mdp::runtime {

class numbering {
 public:
  // The node took the submission `sequence` as message `id`; in the order of both.
  void on_taken(std::uint64_t sequence, message_id id) {
    if (!epochs_.empty() && id.value - epochs_.back().id == sequence - epochs_.back().sequence)
      return;
    epochs_.push_back({id.value, sequence});
  }
  // The node reported the end of `id`'s session, and with it everything about its messages.
  void on_session_over(message_id id) {
    const std::uint16_t over = message_number::of(id).session;
    std::erase_if(epochs_, [over](const epoch& e) {
      return message_number::of(message_id{e.id}).session == over;
    });
  }
  [[nodiscard]] std::uint64_t sequence_of(message_id id) const noexcept {
    for (std::size_t i = epochs_.size(); i-- > 0;)
      if (reaches(epochs_[i].id, id.value)) return epochs_[i].sequence + (id.value - epochs_[i].id);
    return id.value;  // nothing was ever taken: no event can name such a message
  }
  // Nothing: not taken, or its session is over.
  [[nodiscard]] std::optional<message_id> id_of(std::uint64_t sequence) const noexcept {
    for (std::size_t i = epochs_.size(); i-- > 0;)
      if (reaches(epochs_[i].sequence, sequence))
        return message_id{epochs_[i].id + (sequence - epochs_[i].sequence)};
    return std::nullopt;
  }

 private:
  struct epoch {
    std::uint64_t id = 0;
    std::uint64_t sequence = 0;
  };
  // The session in the upper bits of an id wraps.
  [[nodiscard]] static bool reaches(std::uint64_t from, std::uint64_t to) noexcept {
    return static_cast<std::int64_t>(to - from) >= 0;
  }

  std::vector<epoch> epochs_;  // one for each session with open messages, and for each refusal
};

}  // namespace mdp::runtime
