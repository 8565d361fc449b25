// Credit in bytes and messages: cumulative limits, so an update that is lost or repeated does no
// harm. A message is charged whole when its first packet leaves, and admitted whole or not at all.
// Rules: docs/protocol.md R-FLOW-*.
#pragma once
#include <algorithm>
#include <cstdint>

namespace mdp::engine {

struct credit {
  std::uint64_t bytes = 0;
  std::uint64_t messages = 0;

  credit& operator+=(const credit& other) noexcept {
    bytes += other.bytes;
    messages += other.messages;
    return *this;
  }
  [[nodiscard]] bool within(const credit& limit) const noexcept {
    return bytes <= limit.bytes && messages <= limit.messages;
  }
};

// The receiver's side: what we have allowed, what has come, what the application has taken.
class receive_credit {
 public:
  receive_credit(std::uint64_t window_bytes, std::uint64_t window_messages) noexcept
      : window_{window_bytes, window_messages}, limit_(window_) {}

  // So much more may come than has.
  [[nodiscard]] bool admits(credit more) const noexcept {
    more += accepted_;
    return more.within(limit_);
  }
  void on_accepted(std::uint64_t bytes) noexcept { accepted_ += {bytes, 1}; }
  // The packet that brought what on_accepted() charged was refused after all.
  void on_refused(std::uint64_t bytes) noexcept {
    accepted_.bytes -= bytes;
    --accepted_.messages;
  }
  void on_released(std::uint64_t bytes) noexcept { released_ += {bytes, 1}; }
  // At least a quarter of the window is free again (or anything at all, if `asked`).
  [[nodiscard]] bool worth_telling(bool asked = false) const noexcept {
    const credit more = free_again();
    if (more.bytes >= window_.bytes / 4 || more.messages >= window_.messages / 4)
      return more.bytes + more.messages > 0;
    return asked && more.bytes + more.messages > 0;
  }
  void raise() noexcept { limit_ += free_again(); }
  [[nodiscard]] const credit& limit() const noexcept { return limit_; }

 private:
  [[nodiscard]] credit free_again() const noexcept {
    return {released_.bytes + window_.bytes - limit_.bytes,
            released_.messages + window_.messages - limit_.messages};
  }
  credit window_;
  credit limit_;
  credit released_;
  credit accepted_;
};

}  // namespace mdp::engine
