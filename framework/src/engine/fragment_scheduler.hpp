// Messages of several packets that wait in one priority class: who sends the next fragment?
// Shortest remaining first, so that short messages do not wait for long ones (Schrage 1968); the
// caller gives every few turns to the oldest instead, so that the long ones do not starve either.
// An indexed binary heap: O(log n) a turn. One owner, no threads; allocates only to grow.
#pragma once
#include <cstdint>
#include <vector>

#include "mdp/base/ring.hpp"

namespace mdp::engine {

class fragment_scheduler {
 public:
  enum class order : std::uint8_t { shortest, oldest };  // oldest: added first

  struct entry {
    std::uint64_t id = 0;
    std::uint32_t next_body = 0;  // head of the chain of bodies that are left
    std::uint32_t bodies_left = 0;
  };

  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
  void add(const entry& message);
  // The message whose turn it is; not empty.
  [[nodiscard]] const entry& next(order by) noexcept { return entries_[index_of(by)]; }
  // Its first body is taken: `following` heads the rest of the chain.
  void advance(order by, std::uint32_t following) noexcept;
  // The message is not to be sent any further.
  void remove(order by) noexcept { erase(index_of(by)); }

 private:
  // The front of the arrivals is never stale while there is any message.
  [[nodiscard]] std::uint32_t index_of(order by) noexcept {
    return by == order::shortest ? heap_.front() : arrivals_.front().index;
  }
  void drop_stale_arrivals() noexcept;
  [[nodiscard]] bool before(std::uint32_t a, std::uint32_t b) const noexcept;
  void place(std::size_t position, std::uint32_t index) noexcept;
  void sift_up(std::size_t position) noexcept;
  void sift_down(std::size_t position) noexcept;
  void erase(std::uint32_t index) noexcept;

  std::vector<entry> entries_;           // by index
  std::vector<std::uint32_t> position_;  // of an index in the heap
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> heap_;  // indices
  struct arrival {
    std::uint64_t id;
    std::uint32_t index;
  };
  ring<arrival> arrivals_;  // oldest first; holds some that are gone
};

}  // namespace mdp::engine
