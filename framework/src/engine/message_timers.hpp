// Time-outs of messages: a binary heap, earliest first. Messages that end earlier leave their
// entries behind; the owner sweeps them out when they outnumber the living, so the heap stays
// proportional to the messages that are unresolved. One owner, no threads.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "event.hpp"

namespace mdp::engine {

class message_timers {
 public:
  struct timer {
    time_point at;
    std::uint64_t id;
    event_kind kind;  // expired, timed_out_received or timed_out_delivered
  };

  void add(const timer& t) {
    heap_.push_back(t);
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  [[nodiscard]] time_point next() const noexcept {
    return heap_.empty() ? never : heap_.front().at;
  }
  timer pop() noexcept {
    const timer first = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
    return first;
  }
  [[nodiscard]] bool wants_sweep(std::size_t living) const noexcept {
    return heap_.size() > 4 * living + 64;
  }
  // Keeps the timers of messages for which alive(id).
  template <class Alive>
  void sweep(Alive&& alive) noexcept {
    std::erase_if(heap_, [&](const timer& t) { return !alive(t.id); });
    std::make_heap(heap_.begin(), heap_.end(), later);
  }
  void clear() noexcept { heap_ = {}; }

 private:
  // Ties go to the older message, so that order never depends on history.
  static bool later(const timer& a, const timer& b) noexcept {
    return a.at != b.at ? a.at > b.at : a.id > b.id;
  }
  std::vector<timer> heap_;
};

}  // namespace mdp::engine
