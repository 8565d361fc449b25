// Two engines with many sessions between them: each session has an address of its own, under which
// either side knows the other. No network, no losses: what one sends the other is handed at once.
#pragma once
#include <vector>

#include "engine/endpoint.hpp"

namespace mdp::test {

class peer_crowd {
 public:
  struct side {
    side(const engine::config& c, std::uint64_t seed, std::size_t block_count)
        : random(seed),
          blocks({c.max_packet_bytes + 64, block_count, buffer::sharing::one_thread, false}),
          control({c.max_packet_bytes + 64, 4096, buffer::sharing::one_thread, false}),
          engine(c, engine::engine_memory{blocks, control}, engine::train_limits{44, 65507},
                 random) {}
    seeded_random random;
    buffer::block_pool blocks, control;
    engine::endpoint engine;
    buffer::tx_batch batch;
    std::uint64_t messages = 0, delivered = 0;
  };

  // `block_count`: packets that one side may have queued or in flight.
  peer_crowd(const engine::config& settings, std::size_t block_count)
      : a(settings, 1, block_count), b(settings, 2, block_count) {}

  // Establishes `count` sessions more.
  void connect(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto number = static_cast<std::uint32_t>(peers.size());
      peers.push_back(*a.engine.connect(now, simulated_address(number)));
      if (i % 64 == 63) settle();
    }
    settle();
  }
  // Passes packets to and fro until neither side has any.
  void settle() {
    do {
      drain(a);
      drain(b);
    } while (carry(a, b) + carry(b, a) > 0);
  }
  // Lets the time pass in steps, with timers and packets.
  void run_for(duration span, duration step = std::chrono::milliseconds(10)) {
    for (const time_point end = now + span; now < end;) {
      now += step;
      a.engine.handle_deadline(now);
      b.engine.handle_deadline(now);
      settle();
    }
  }
  std::size_t carry(side& from, side& to) {
    std::size_t packets = 0;
    for (;;) {
      from.engine.poll_transmit(now, from.batch);
      if (from.batch.empty()) return packets;
      for (const buffer::tx_datagrams& item : from.batch.pending())
        for (const buffer::slice& part : item.parts) {
          buffer::rx_datagrams rx{item.to, part, 0, buffer::ecn::not_ect};
          to.engine.handle_datagrams(now, {&rx, 1});
          ++packets;
        }
      from.batch.consume(from.batch.pending().size());
    }
  }
  void drain(side& s) {
    engine::event events[64];
    while (const std::size_t n = s.engine.poll_events(events))
      for (std::size_t i = 0; i < n; ++i) {
        s.messages += events[i].kind == engine::event_kind::message;
        s.delivered += events[i].kind == engine::event_kind::delivered;
        if (events[i].confirm) s.engine.confirm(events[i].peer, events[i].id);
        events[i].payload.reset();
      }
  }

  side a, b;
  std::vector<peer_id> peers;  // of a
  time_point now = at_ns(1'000'000'000);
};

}  // namespace mdp::test
