// Credit in bytes and messages: cumulative limits, so an update that is lost or repeated does no
// harm. A message is admitted whole or not at all. Rules: docs/protocol.md R-FLOW-*.
#pragma once
#include <algorithm>
#include <cstdint>

namespace mdp::engine {

struct credit {
  std::uint64_t bytes = 0;
  std::uint64_t messages = 0;
};

// The receiver's side: what we have allowed, what has come, what the application has taken.
class receive_credit {
 public:
  receive_credit(std::uint64_t window_bytes, std::uint64_t window_messages) noexcept
      : window_{window_bytes, window_messages}, limit_(window_) {}

  [[nodiscard]] bool admits(std::uint64_t id, std::uint64_t bytes) const noexcept {
    return id < limit_.messages && accepted_bytes_ + bytes <= limit_.bytes;
  }
  void on_accepted(std::uint64_t bytes) noexcept { accepted_bytes_ += bytes; }
  void on_released(std::uint64_t bytes) noexcept {
    released_.bytes += bytes;
    ++released_.messages;
  }
  // Raises the limit when at least a quarter of the window is free again (or at all, if `force`).
  // `window_end`: first message id beyond the duplicate window. True: tell the peer.
  bool raise(std::uint64_t window_end, bool force = false) noexcept {
    const credit next{released_.bytes + window_.bytes,
                      std::min(released_.messages + window_.messages, window_end)};
    const std::uint64_t more_bytes = next.bytes - limit_.bytes;
    const std::uint64_t more_messages =
        next.messages > limit_.messages ? next.messages - limit_.messages : 0;
    if (more_bytes == 0 && more_messages == 0) return false;
    if (!force && more_bytes < window_.bytes / 4 && more_messages < window_.messages / 4)
      return false;
    limit_ = {next.bytes, std::max(next.messages, limit_.messages)};
    return true;
  }
  [[nodiscard]] const credit& limit() const noexcept { return limit_; }

 private:
  credit window_;
  credit limit_;
  credit released_;
  std::uint64_t accepted_bytes_ = 0;
};

}  // namespace mdp::engine
