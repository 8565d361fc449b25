// The earliest deadline of many owners: an indexed 4-ary heap of (time, slot). Each slot has at
// most one deadline. O(log n) to set, O(1) to ask. Ties go to the lower slot, so order never
// depends on history.
#pragma once
#include <cstdint>
#include <vector>

#include "mdp/base/time.hpp"

namespace mdp::engine {

class timer_table {
 public:
  void resize(std::size_t slots) {
    if (slots <= position_.size()) return;
    position_.resize(slots, absent);
    heap_.reserve(position_.capacity());  // grows as that does: by factors
  }
  // `never` takes the slot's deadline away.
  void set(std::uint32_t slot, time_point deadline) noexcept;
  [[nodiscard]] time_point deadline_of(std::uint32_t slot) const noexcept {
    return position_[slot] == absent ? never : heap_[position_[slot]].deadline;
  }
  [[nodiscard]] time_point next() const noexcept {
    return heap_.empty() ? never : heap_.front().deadline;
  }
  [[nodiscard]] std::uint32_t next_slot() const noexcept { return heap_.front().slot; }

 private:
  struct entry {
    time_point deadline;
    std::uint32_t slot;
    friend bool operator<(const entry& a, const entry& b) noexcept {
      return a.deadline != b.deadline ? a.deadline < b.deadline : a.slot < b.slot;
    }
  };
  static constexpr std::uint32_t absent = 0xffffffffu;
  void place(std::size_t i, entry e) noexcept {
    heap_[i] = e;
    position_[e.slot] = static_cast<std::uint32_t>(i);
  }
  void sift(std::size_t i, entry e) noexcept;

  std::vector<entry> heap_;
  std::vector<std::uint32_t> position_;
};

}  // namespace mdp::engine
