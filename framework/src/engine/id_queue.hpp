// Values by ascending ids with gaps: added behind all others, found by binary search, taken away
// anywhere. A range costs what lies in it. Memory follows the number of values: places of those
// that are gone are cleared away when they are more than half. Allocates only when it grows.
#pragma once
#include <cstdint>

#include "mdp/base/ring.hpp"

namespace mdp::engine {

template <class Value>
class id_queue {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return live_; }
  [[nodiscard]] bool empty() const noexcept { return live_ == 0; }
  // `id` must be above all that were ever inserted since the queue was empty.
  void insert(std::uint64_t id, const Value& value) {
    places_.push_back({id, value, true});
    ++live_;
  }
  [[nodiscard]] Value* find(std::uint64_t id) noexcept {
    const std::size_t i = lower_bound(id);
    return i < places_.size() && places_[i].id == id && places_[i].live ? &places_[i].value
                                                                        : nullptr;
  }
  void erase(std::uint64_t id) noexcept {
    const std::size_t i = lower_bound(id);
    if (i == places_.size() || places_[i].id != id || !places_[i].live) return;
    places_[i].live = false;
    --live_;
    clear_away();
  }
  // stays(id, value) for each id in [first, end), ascending; false takes it away. It must not touch
  // the queue.
  template <class Stays>
  void visit(std::uint64_t first, std::uint64_t end, Stays&& stays) {
    for (std::size_t i = lower_bound(first); i < places_.size() && places_[i].id < end; ++i) {
      if (!places_[i].live || stays(places_[i].id, places_[i].value)) continue;
      places_[i].live = false;
      --live_;
    }
    clear_away();
  }
  // How many places a visit of [first, end) looks at.
  [[nodiscard]] std::size_t places(std::uint64_t first, std::uint64_t end) const noexcept {
    return lower_bound(end) - lower_bound(first);
  }
  void clear() noexcept {
    places_.clear();
    live_ = 0;
  }

 private:
  struct place {
    std::uint64_t id = 0;
    Value value{};
    bool live = false;
  };
  // The first place whose id is not below.
  [[nodiscard]] std::size_t lower_bound(std::uint64_t id) const noexcept {
    std::size_t low = 0;
    for (std::size_t high = places_.size(); low < high;) {
      const std::size_t middle = (low + high) / 2;
      if (places_[middle].id < id) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
  void clear_away() noexcept {
    while (!places_.empty() && !places_.front().live) places_.pop_front();
    if (places_.size() <= 2 * live_ + 16) return;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < places_.size(); ++i)
      if (places_[i].live) places_[kept++] = places_[i];
    while (places_.size() > kept) places_.pop_back();
  }

  ring<place> places_;
  std::size_t live_ = 0;
};

}  // namespace mdp::engine
