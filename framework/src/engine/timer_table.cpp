#include "timer_table.hpp"

#include <algorithm>

namespace mdp::engine {

void timer_table::sift(std::size_t i, entry e) noexcept {
  while (i > 0 && e < heap_[(i - 1) / 4]) {
    place(i, heap_[(i - 1) / 4]);
    i = (i - 1) / 4;
  }
  for (;;) {
    const std::size_t first = 4 * i + 1;
    if (first >= heap_.size()) break;
    const std::size_t last = std::min(first + 4, heap_.size());
    std::size_t least = first;
    for (std::size_t c = first + 1; c < last; ++c)
      if (heap_[c] < heap_[least]) least = c;
    if (!(heap_[least] < e)) break;
    place(i, heap_[least]);
    i = least;
  }
  place(i, e);
}

void timer_table::set(std::uint32_t slot, time_point deadline) noexcept {
  const std::uint32_t at = position_[slot];
  if (deadline == never) {
    if (at == absent) return;
    const entry moved = heap_.back();
    heap_.pop_back();
    position_[slot] = absent;
    if (moved.slot != slot) sift(at, moved);
    return;
  }
  if (at == absent) {
    heap_.push_back({deadline, slot});
    sift(heap_.size() - 1, {deadline, slot});
  } else {
    sift(at, {deadline, slot});
  }
}

}  // namespace mdp::engine
