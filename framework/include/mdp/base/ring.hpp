// A first-in first-out ring that grows by doubling and never shrinks: no allocation in steady
// state. One owner, no threads. Indexing is by position from the front.
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

#include "mdp/base/assert.hpp"

namespace mdp {

template <class T>
class ring {
 public:
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] T& operator[](std::size_t i) noexcept { return items_[(head_ + i) & mask_]; }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept {
    return items_[(head_ + i) & mask_];
  }
  [[nodiscard]] T& front() noexcept { return items_[head_]; }
  [[nodiscard]] T& back() noexcept { return items_[(head_ + size_ - 1) & mask_]; }

  // A recycled element at the end: the caller sets every member.
  T& push() {
    if (size_ == items_.size()) grow();
    return items_[(head_ + size_++) & mask_];
  }
  void push_back(T value) { push() = std::move(value); }
  void pop_front() noexcept {
    MDP_ASSERT(size_ > 0);
    head_ = (head_ + 1) & mask_;
    --size_;
  }
  void pop_back() noexcept {
    MDP_ASSERT(size_ > 0);
    --size_;
  }
  void clear() noexcept { head_ = size_ = 0; }

 private:
  void grow() {
    std::vector<T> bigger(items_.empty() ? 16 : items_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) bigger[i] = std::move((*this)[i]);
    items_ = std::move(bigger);
    mask_ = items_.size() - 1;
    head_ = 0;
  }

  std::vector<T> items_;
  std::size_t mask_ = 0;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace mdp
