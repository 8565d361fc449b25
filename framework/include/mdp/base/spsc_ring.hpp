// A bounded ring between one producer thread and one consumer thread, without locks. Each side
// keeps a cached copy of the other's index, so the shared lines move only when a side runs dry or
// full (Lamport 1983, with cached indices as in FastForward-style rings). Capacity: a power of two.
#pragma once
#include <atomic>
#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

namespace mdp {

template <class T>
class spsc_ring {
 public:
  explicit spsc_ring(std::size_t capacity)
      : items_(std::bit_ceil(capacity)), mask_(items_.size() - 1) {}

  // Producer only. False: full, `value` is untouched.
  [[nodiscard]] bool try_push(T&& value) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == items_.size()) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ == items_.size()) return false;
    }
    items_[tail & mask_] = std::move(value);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  // Consumer only: the oldest element, or nullptr. It stays until pop().
  [[nodiscard]] T* front() noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head == tail_seen_) return nullptr;
    }
    return &items_[head & mask_];
  }
  void pop() noexcept {
    head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  // Either side; exact only for what the other side has published.
  [[nodiscard]] bool empty() const noexcept {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }

 private:
  std::vector<T> items_;
  std::size_t mask_;
  alignas(64) std::atomic<std::size_t> head_{0};
  std::size_t tail_seen_ = 0;  // consumer's
  alignas(64) std::atomic<std::size_t> tail_{0};
  std::size_t head_seen_ = 0;  // producer's
};

}  // namespace mdp
