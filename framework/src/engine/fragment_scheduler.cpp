#include "fragment_scheduler.hpp"

namespace mdp::engine {

bool fragment_scheduler::before(std::uint32_t a, std::uint32_t b) const noexcept {
  const entry& x = entries_[a];
  const entry& y = entries_[b];
  return x.bodies_left != y.bodies_left ? x.bodies_left < y.bodies_left : x.id < y.id;
}

void fragment_scheduler::place(std::size_t position, std::uint32_t index) noexcept {
  heap_[position] = index;
  position_[index] = static_cast<std::uint32_t>(position);
}

void fragment_scheduler::sift_up(std::size_t position) noexcept {
  const std::uint32_t index = heap_[position];
  while (position > 0 && before(index, heap_[(position - 1) / 2])) {
    place(position, heap_[(position - 1) / 2]);
    position = (position - 1) / 2;
  }
  place(position, index);
}

void fragment_scheduler::sift_down(std::size_t position) noexcept {
  const std::uint32_t index = heap_[position];
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], index)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, index);
}

void fragment_scheduler::add(const entry& message) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(entries_.size()));
    entries_.emplace_back();
    position_.emplace_back();
    heap_.reserve(entries_.capacity());
    free_.reserve(entries_.capacity());
  }
  const std::uint32_t index = free_.back();
  arrivals_.push_back({message.id, index});
  free_.pop_back();
  entries_[index] = message;
  heap_.push_back(index);
  sift_up(heap_.size() - 1);
}

void fragment_scheduler::drop_stale_arrivals() noexcept {
  while (!arrivals_.empty()) {
    // An index is reused by another message: the id tells them apart.
    const entry& e = entries_[arrivals_.front().index];
    if (e.id == arrivals_.front().id && e.bodies_left > 0) return;
    arrivals_.pop_front();
  }
}

void fragment_scheduler::advance(order by, std::uint32_t following) noexcept {
  const std::uint32_t index = index_of(by);
  entry& e = entries_[index];
  e.next_body = following;
  if (--e.bodies_left == 0) {
    erase(index);
  } else {
    sift_up(position_[index]);
  }
}

void fragment_scheduler::erase(std::uint32_t index) noexcept {
  const std::size_t position = position_[index];
  entries_[index].bodies_left = 0;
  const std::uint32_t last = heap_.back();
  heap_.pop_back();
  free_.push_back(index);
  drop_stale_arrivals();
  if (last == index) return;
  place(position, last);
  sift_up(position);
  sift_down(position_[last]);
}

}  // namespace mdp::engine
