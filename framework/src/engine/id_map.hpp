// A hash map from 64-bit ids to values: open addressing, linear probing, backward-shift deletion.
// Ids are mixed, so a peer that chooses them cannot line them up cheaply; the number of entries is
// bounded by the owner. Allocates only when it grows.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "mdp/base/random.hpp"

namespace mdp::engine {

template <class Value>
class id_map {
 public:
  explicit id_map(std::uint64_t key = 0) noexcept : key_(key) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Value* find(std::uint64_t id) noexcept {
    if (slots_.empty()) return nullptr;
    for (std::size_t i = home(id);; i = (i + 1) & mask()) {
      if (!slots_[i].used) return nullptr;
      if (slots_[i].id == id) return &slots_[i].value;
    }
  }
  // The id must be absent. The reference holds until the next insert or erase.
  Value& insert(std::uint64_t id, Value value) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    std::size_t i = home(id);
    while (slots_[i].used) i = (i + 1) & mask();
    slots_[i].id = id;
    slots_[i].used = true;
    slots_[i].value = std::move(value);
    ++size_;
    return slots_[i].value;
  }
  void erase(std::uint64_t id) noexcept {
    if (slots_.empty()) return;
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
    for (slot& s : slots_)
      if (s.used) visit(s.id, s.value);
  }
  void clear() noexcept {
    for (slot& s : slots_) s = slot{};
    size_ = 0;
  }

 private:
  struct slot {
    std::uint64_t id = 0;
    Value value{};
    bool used = false;
  };
  [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }
  [[nodiscard]] std::size_t home(std::uint64_t id) const noexcept {
    return static_cast<std::size_t>(splitmix64(id ^ key_)) & mask();
  }
  void grow() {
    std::vector<slot> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    for (slot& s : old) {
      if (!s.used) continue;
      std::size_t i = home(s.id);
      while (slots_[i].used) i = (i + 1) & mask();
      slots_[i] = std::move(s);
    }
  }
  std::vector<slot> slots_;
  std::size_t size_ = 0;
  std::uint64_t key_;
};

}  // namespace mdp::engine
