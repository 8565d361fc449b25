// The event queue: a 4-ary heap of 16-byte keys (time, entity), at most one per entity, and an
// index that finds an entity's key so that it can be moved. The order is total, so it depends on
// nothing else. One owner, one thread. Allocates only in resize().
#pragma once
#include <cstdint>
#include <vector>

#include "mdp/base/assert.hpp"

namespace mdp::netsim {

class event_heap {
 public:
  struct key {
    std::int64_t time = 0;
    std::uint32_t order = 0;  // breaks ties: lower first; unique per entity
    std::uint32_t slot = 0;   // entity, < the size given to resize()
  };

  // Room for entities 0 .. slots - 1; never shrinks.
  void resize(std::size_t slots) {
    if (slots <= position_.size()) return;
    position_.resize(slots, absent);
    keys_.reserve(position_.capacity());  // grows as that does: by factors
  }
  [[nodiscard]] bool empty() const noexcept { return keys_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
  [[nodiscard]] const key& top() const noexcept { return keys_.front(); }
  [[nodiscard]] bool contains(std::uint32_t slot) const noexcept {
    return position_[slot] != absent;
  }
  [[nodiscard]] std::int64_t time_of(std::uint32_t slot) const noexcept {
    return keys_[position_[slot]].time;
  }

  // Inserts the entity's event or moves it to another time.
  void set(const key& k) noexcept {
    const std::uint32_t at = position_[k.slot];
    if (at == absent) {
      keys_.push_back(k);
      sift_up(static_cast<std::uint32_t>(keys_.size() - 1), k);
    } else if (before(k, keys_[at])) {
      sift_up(at, k);
    } else {
      sift_down(at, k);
    }
  }
  void erase(std::uint32_t slot) noexcept {
    const std::uint32_t at = position_[slot];
    if (at == absent) return;
    position_[slot] = absent;
    const key last = keys_.back();
    keys_.pop_back();
    if (at == keys_.size()) return;
    if (at > 0 && before(last, keys_[(at - 1) / 4])) {
      sift_up(at, last);
    } else {
      sift_down(at, last);
    }
  }

 private:
  static constexpr std::uint32_t absent = 0xffffffffu;

  [[nodiscard]] static bool before(const key& a, const key& b) noexcept {
    return a.time != b.time ? a.time < b.time : a.order < b.order;
  }
  void place(std::uint32_t at, const key& k) noexcept {
    keys_[at] = k;
    position_[k.slot] = at;
  }
  void sift_up(std::uint32_t at, const key k) noexcept {
    while (at > 0) {
      const std::uint32_t parent = (at - 1) / 4;
      if (!before(k, keys_[parent])) break;
      place(at, keys_[parent]);
      at = parent;
    }
    place(at, k);
  }
  void sift_down(std::uint32_t at, const key k) noexcept {
    const auto count = static_cast<std::uint32_t>(keys_.size());
    for (;;) {
      const std::uint32_t first = at * 4 + 1;
      if (first >= count) break;
      const std::uint32_t end = count - first < 4 ? count : first + 4;
      std::uint32_t least = first;
      for (std::uint32_t child = first + 1; child < end; ++child) {
        if (before(keys_[child], keys_[least])) least = child;
      }
      if (!before(keys_[least], k)) break;
      place(at, keys_[least]);
      at = least;
    }
    place(at, k);
  }

  std::vector<key> keys_;
  std::vector<std::uint32_t> position_;
};

}  // namespace mdp::netsim
