// A hash map from 64-bit ids to values: open addressing, linear probing, backward-shift deletion.
// Ids are mixed, so a peer that chooses them cannot line them up cheaply; the number of entries is
// bounded by the owner. Allocates only when it grows.
#pragma once
#include <cstdint>
#include <memory>
#include <utility>

#include "mdp/base/random.hpp"

namespace mdp::engine {

template <class Value>
class id_map {
 public:
  id_map() noexcept = default;
  id_map(id_map&& other) noexcept
      : slots_(std::move(other.slots_)),
        capacity_(std::exchange(other.capacity_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  id_map& operator=(id_map&& other) noexcept {
    slots_ = std::move(other.slots_);
    capacity_ = std::exchange(other.capacity_, 0);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Value* find(std::uint64_t id) noexcept {
    if (capacity_ == 0) return nullptr;
    for (std::size_t i = home(id);; i = (i + 1) & mask()) {
      if (!slots_[i].used) return nullptr;
      if (slots_[i].id == id) return &slots_[i].value;
    }
  }
  // The id must be absent. The reference holds until the next insert or erase.
  Value& insert(std::uint64_t id, Value value) {
    if ((std::size_t{size_} + 1) * 4 > std::size_t{capacity_} * 3) grow();
    std::size_t i = home(id);
    while (slots_[i].used) i = (i + 1) & mask();
    slots_[i].id = id;
    slots_[i].used = true;
    slots_[i].value = std::move(value);
    ++size_;
    return slots_[i].value;
  }
  void erase(std::uint64_t id) noexcept {
    if (capacity_ == 0) return;
    std::size_t i = home(id);
    while (slots_[i].used && slots_[i].id != id) i = (i + 1) & mask();
    if (!slots_[i].used) return;
    --size_;
    for (std::size_t j = i;;) {
      j = (j + 1) & mask();
      if (!slots_[j].used) break;
      if (((j - home(slots_[j].id)) & mask()) < ((j - i) & mask())) continue;
      slots_[i] = std::move(slots_[j]);
      i = j;
    }
    slots_[i] = slot{};
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t i = 0; i < capacity_; ++i)
      if (slots_[i].used) visit(slots_[i].id, slots_[i].value);
  }
  void clear() noexcept {
    for (std::size_t i = 0; i < capacity_; ++i) slots_[i] = slot{};
    size_ = 0;
  }
  // Gives the memory back if the map is empty.
  void release() noexcept {
    if (size_ > 0) return;
    slots_.reset();
    capacity_ = 0;
  }

 private:
  struct slot {
    std::uint64_t id = 0;
    Value value{};
    bool used = false;
  };
  [[nodiscard]] std::size_t mask() const noexcept { return std::size_t{capacity_} - 1; }
  [[nodiscard]] std::size_t home(std::uint64_t id) const noexcept {
    return static_cast<std::size_t>(splitmix64(id)) & mask();
  }
  void grow() {
    const std::uint32_t capacity = capacity_ == 0 ? capacity_min : capacity_ * 2;
    auto old = std::make_unique<slot[]>(capacity);
    old.swap(slots_);
    const std::uint32_t old_capacity = std::exchange(capacity_, capacity);
    for (std::size_t k = 0; k < old_capacity; ++k) {
      if (!old[k].used) continue;
      std::size_t i = home(old[k].id);
      while (slots_[i].used) i = (i + 1) & mask();
      slots_[i] = std::move(old[k]);
    }
  }

  static constexpr std::uint32_t capacity_min = 8;

  std::unique_ptr<slot[]> slots_;
  std::uint32_t capacity_ = 0;  // a power of two, or 0
  std::uint32_t size_ = 0;
};

}  // namespace mdp::engine
