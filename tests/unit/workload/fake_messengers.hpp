// Two messengers and the wire between them, all in memory, with a clock that the test moves: what
// it does wrong (stops, duplicates, damages, refuses) is told to it. One thread.
#pragma once
#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "mdp/messaging/messenger.hpp"
#include "workload/actor.hpp"

namespace mdp::workload {

struct fake_wire {
  time_point now{};
  duration delay = std::chrono::microseconds(50);
  std::uint32_t duplicate_each = 0;  // every n-th message arrives twice; 0: none
  std::uint32_t damage_each = 0;     // every n-th message arrives with its byte `damage_at` changed
  std::size_t damage_at = 8;
  std::uint32_t lose_each = 0;
  time_point refuse_from = never;  // submit() refuses in [refuse_from, refuse_until) ...
  time_point refuse_until = never;
  messaging::refusal refuse_with = messaging::refusal::queue_full;  // ... with this ...
  peer_id refuse_to = no_peer;                                      // ... this peer; no_peer: all
  messaging::send_options asked;                                    // by the last submit()
  std::uint64_t submitted = 0;
};

class fake_messenger final : public messaging::messenger {
 public:
  explicit fake_messenger(fake_wire& wire) : wire_(wire), pool_({256, 20000}) {}
  void link(fake_messenger& other) { other_ = &other; }

  time_point now() noexcept override { return wire_.now; }
  endpoint_address local_address() const noexcept override { return {}; }
  std::size_t message_bytes_max() const noexcept override { return 256; }
  bool reliable() const noexcept override { return false; }
  result<peer_id, std::string> connect(const endpoint_address&) override { return peer_id{0}; }
  result<message_id, messaging::refusal> submit(
      peer_id to, std::span<const std::byte> payload,
      const messaging::send_options& options) noexcept override {
    wire_.asked = options;
    if (wire_.now >= wire_.refuse_from && wire_.now < wire_.refuse_until &&
        (wire_.refuse_to == no_peer || wire_.refuse_to == to))
      return failure(wire_.refuse_with);
    const std::uint64_t n = ++wire_.submitted;
    const auto every = [n](std::uint32_t each) { return each != 0 && n % each == 0; };
    if (every(wire_.lose_each)) return message_id{n};
    other_->arrive(payload, every(wire_.damage_each));
    if (every(wire_.duplicate_each)) other_->arrive(payload, false);
    return message_id{n};
  }
  std::size_t poll(std::span<messaging::event> out, time_point) noexcept override {
    std::size_t n = 0;
    for (; n < out.size() && arrival() <= wire_.now; ++n) {
      out[n] = std::move(coming_.front());
      out[n].time = wire_.now;  // when the process looked, as a socket would say
      coming_.pop_front();
    }
    return n;
  }
  bool idle() const noexcept override { return coming_.empty(); }
  messaging::statistics stats() const override { return {}; }
  transport::counters transport_counts() const override { return {}; }
  [[nodiscard]] time_point arrival() const noexcept {
    return coming_.empty() ? never : coming_.front().time;
  }

 private:
  void arrive(std::span<const std::byte> payload, bool damaged) {
    messaging::event e;
    e.peer = peer_id{0};
    e.time = wire_.now + wire_.delay;
    const buffer::slice whole = buffer::slice::acquire(pool_);
    std::memcpy(whole.data(), payload.data(), payload.size());
    if (damaged) whole.data()[wire_.damage_at] ^= std::byte{1};
    e.payload = whole.subslice(0, static_cast<std::uint32_t>(payload.size()));
    coming_.push_back(std::move(e));
  }

  fake_wire& wire_;
  buffer::block_pool pool_;
  fake_messenger* other_ = nullptr;
  std::deque<messaging::event> coming_;
};

// One end: its messenger, its actor, and when its process stands still.
struct fake_end {
  fake_messenger& messenger;
  actor& works;
  time_point stops = never;
  time_point resumes = never;

  [[nodiscard]] bool stopped(time_point now) const noexcept {
    return now >= stops && now < resumes;
  }
  // When it next has something to do.
  [[nodiscard]] time_point next(time_point now) const noexcept {
    const time_point t =
        std::min(messenger.arrival(), std::max(works.next_deadline(), now + duration(1000)));
    return stopped(std::max(t, now)) ? resumes : t;
  }
  void turn() noexcept {
    messaging::event events[64];
    for (;;) {
      const std::size_t n = messenger.poll(events, messenger.now());
      for (std::size_t i = 0; i < n; ++i) works.on_event(events[i]);
      if (!works.do_work(messenger.now()) && n == 0) return;
    }
  }
};

// Jumps from event to event until the drain is over.
inline void run_to_end(fake_wire& wire, std::vector<fake_end> ends, const phases& p) {
  for (fake_end& e : ends) e.works.begin(p);
  while (wire.now < p.drain_until) {
    for (fake_end& e : ends)
      if (!e.stopped(wire.now)) e.turn();
    time_point next = p.drain_until;
    for (const fake_end& e : ends) next = std::min(next, e.next(wire.now));
    wire.now = std::max(next, wire.now + duration(1));
  }
  for (fake_end& e : ends) e.works.finish(wire.now);
}

}  // namespace mdp::workload
