// A first-in first-out ring that grows by doubling and shrinks only when it is told to: no
// allocation in steady state. Up to 2^31 elements. One owner, no threads. Indexing is by position
// from the front. Errors: push() throws std::bad_alloc when it cannot grow, and changes nothing.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "mdp/base/assert.hpp"

namespace mdp {

template <class T>
class ring {
 public:
  ring() noexcept = default;
  ring(ring&& other) noexcept
      : items_(std::move(other.items_)),
        capacity_(std::exchange(other.capacity_, 0)),
        head_(std::exchange(other.head_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  ring& operator=(ring&& other) noexcept {
    items_ = std::move(other.items_);
    capacity_ = std::exchange(other.capacity_, 0);
    head_ = std::exchange(other.head_, 0);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] T& operator[](std::size_t i) noexcept { return items_[at(i)]; }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return items_[at(i)]; }
  [[nodiscard]] T& front() noexcept { return items_[head_]; }
  [[nodiscard]] T& back() noexcept { return items_[at(std::size_t{size_} - 1)]; }

  // A recycled element at the end: the caller sets every member.
  T& push() {
    if (size_ == capacity_) grow();
    return items_[at(size_++)];
  }
  void push_back(T value) { push() = std::move(value); }
  void pop_front() noexcept {
    MDP_ASSERT(size_ > 0);
    head_ = static_cast<std::uint32_t>(at(1));
    --size_;
  }
  void pop_back() noexcept {
    MDP_ASSERT(size_ > 0);
    --size_;
  }
  void clear() noexcept { head_ = size_ = 0; }
  // Gives the memory back if the ring is empty and has room for more than `keep` elements.
  void release(std::size_t keep = 0) noexcept {
    if (size_ == 0 && capacity_ > keep) *this = ring();
  }

 private:
  static constexpr std::uint32_t capacity_min = 4;

  [[nodiscard]] std::size_t at(std::size_t i) const noexcept {
    return (head_ + i) & (capacity_ - 1);
  }
  void grow() {
    const std::uint32_t capacity = capacity_ == 0 ? capacity_min : capacity_ * 2;
    auto bigger = std::make_unique<T[]>(capacity);
    for (std::size_t i = 0; i < size_; ++i) bigger[i] = std::move((*this)[i]);
    items_ = std::move(bigger);
    capacity_ = capacity;
    head_ = 0;
  }

  std::unique_ptr<T[]> items_;
  std::uint32_t capacity_ = 0;  // a power of two, or 0
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace mdp
