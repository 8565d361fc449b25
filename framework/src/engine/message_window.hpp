// Which message ids have been closed: a floor and a bitmap above it. Rules: docs/protocol.md
// R-DUP-*. The bitmap is allocated when the first id comes out of order.
#pragma once
#include <bit>
#include <cstdint>
#include <memory>

namespace mdp::engine {

class message_window {
 public:
  static constexpr std::uint64_t width = 65536;

  explicit message_window(std::uint64_t floor = 0) noexcept : floor_(floor) {}
  // Everything below is closed.
  [[nodiscard]] std::uint64_t floor() const noexcept { return floor_; }
  [[nodiscard]] bool beyond(std::uint64_t id) const noexcept { return id >= floor_ + width; }
  // `id` must not be beyond the window.
  [[nodiscard]] bool closed(std::uint64_t id) const noexcept {
    if (id < floor_) return true;
    return above_ > 0 && (words_[word(id)] >> (id % 64) & 1) != 0;
  }
  void close(std::uint64_t id) {
    if (id == floor_) {
      ++floor_;
      while (above_ > 0 && (words_[word(floor_)] >> (floor_ % 64) & 1) != 0) {
        words_[word(floor_)] &= ~(std::uint64_t{1} << (floor_ % 64));
        --above_;
        ++floor_;
      }
      return;
    }
    if (!words_) words_ = std::make_unique<std::uint64_t[]>(width / 64);
    words_[word(id)] |= std::uint64_t{1} << (id % 64);
    ++above_;
  }

  // Nothing above the floor is closed.
  [[nodiscard]] bool contiguous() const noexcept { return above_ == 0; }

 private:
  [[nodiscard]] static std::size_t word(std::uint64_t id) noexcept { return id % width / 64; }
  std::uint64_t floor_ = 0;
  std::uint64_t above_ = 0;  // bits set
  std::unique_ptr<std::uint64_t[]> words_;
};

}  // namespace mdp::engine
