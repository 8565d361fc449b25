// Messages of ordered channels on their way to the application: those that came early wait for
// those before them. A message that its sender gave up leaves no gap: its place is skipped. Rules:
// docs/protocol.md R-CHAN-*. Bounded by the receive window, which is charged until the application
// takes a message. One owner, no threads.
#pragma once
#include <cstdint>

#include "event.hpp"
#include "id_map.hpp"

namespace mdp::engine {

class channel_order {
 public:
  using remains = id_map<std::uint32_t>;  // each channel's next sequence number

  explicit channel_order(remains&& past = remains()) noexcept : next_(std::move(past)) {}
  // An event of channel `e.channel` with this sequence number: deliver(event) for it and for what
  // it releases, in order; or it is kept. A number whose turn is over, or whose place is taken
  // (the sender's mistake), is delivered at once.
  template <class Deliver>
  void add(std::uint32_t sequence, event&& e, Deliver&& deliver) {
    const std::uint16_t channel = e.channel;
    std::uint32_t& next = next_of(channel);
    if (early(sequence, next) && !held_.find(key(channel, sequence))) {
      held_.insert(key(channel, sequence), {std::move(e), false});
      return;
    }
    deliver(std::move(e));
    if (sequence == next) {
      ++next;
      release(channel, next, deliver);
    }
  }
  // The message with this sequence number will never come.
  template <class Deliver>
  void skip(std::uint16_t channel, std::uint32_t sequence, Deliver&& deliver) {
    std::uint32_t& next = next_of(channel);
    if (early(sequence, next)) {
      if (held_.find(key(channel, sequence))) return;
      held_.insert(key(channel, sequence), {event{}, true});
      ++skips_;
    } else if (sequence == next) {
      ++next;
      release(channel, next, deliver);
    }
  }
  // Places that are kept for messages that will never come: bounded by the caller.
  [[nodiscard]] std::size_t skips() const noexcept { return skips_; }
  [[nodiscard]] bool nothing_held() const noexcept { return held_.size() == 0; }
  [[nodiscard]] remains take_remains() noexcept { return std::move(next_); }

 private:
  struct place {
    event what;
    bool skipped = false;
  };
  static std::uint64_t key(std::uint16_t channel, std::uint32_t sequence) noexcept {
    return std::uint64_t{channel} << 32 | sequence;
  }
  static bool early(std::uint32_t sequence, std::uint32_t next) noexcept {
    return static_cast<std::int32_t>(sequence - next) > 0;
  }
  std::uint32_t& next_of(std::uint16_t channel) {
    std::uint32_t* next = next_.find(channel);
    return next ? *next : next_.insert(channel, 0);
  }
  template <class Deliver>
  void release(std::uint16_t channel, std::uint32_t& next, Deliver&& deliver) {
    while (place* p = held_.find(key(channel, next))) {
      if (p->skipped) {
        --skips_;
      } else {
        deliver(std::move(p->what));
      }
      held_.erase(key(channel, next++));
    }
  }

  id_map<std::uint32_t> next_;  // by channel
  id_map<place> held_;
  std::size_t skips_ = 0;
};

}  // namespace mdp::engine
