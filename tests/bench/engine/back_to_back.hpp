// Two engines back to back in memory, no I/O, one core: what the protocol costs by itself.
#pragma once
#include <span>

#include "engine/endpoint.hpp"

namespace mdp::bench {

class back_to_back {
 public:
  back_to_back() : a_(0, settings_), b_(1, settings_) {
    peer_ = *a_.engine.connect(now_, b_.address);
    for (int i = 0; i < 4; ++i) exchange();
  }
  // Submits a burst of the same message and carries it over.
  void round(std::span<const std::byte> payload, std::uint8_t wants) {
    const std::size_t burst = payload.size() > 16384 ? 8 : 1024;
    for (std::size_t i = 0; i < burst; ++i)
      if (!a_.engine.submit(now_, peer_, payload, {wants, i})) break;
    exchange();
  }

  std::uint64_t delivered = 0, confirmed = 0, packets = 0;

 private:
  struct side {
    side(std::uint32_t number, const engine::config& c)
        : random(number + 1),
          blocks({c.max_packet_bytes + 64, 8192}),
          control({c.max_packet_bytes + 64, 512}),
          address(simulated_address(number)),
          engine(c, engine::engine_memory{blocks, control}, engine::train_limits{44, 65507},
                 random) {}
    seeded_random random;
    buffer::block_pool blocks, control;
    endpoint_address address;
    engine::endpoint engine;
    buffer::tx_batch batch;
  };

  // What `from` has to send goes straight to `to`: the receiver reads the sender's blocks.
  std::size_t carry(side& from, side& to) {
    std::size_t count = 0;
    for (;;) {
      from.engine.poll_transmit(now_, from.batch);
      if (from.batch.empty()) return count;
      for (const buffer::tx_datagrams& item : from.batch.pending()) {
        for (const buffer::slice& part : item.parts) {
          buffer::rx_datagrams rx;
          rx.from = from.address;
          rx.data = part;
          to.engine.handle_datagrams(now_, {&rx, 1});
          ++count;
        }
      }
      from.batch.consume(from.batch.pending().size());
    }
  }
  void exchange() {
    now_ += std::chrono::microseconds(10);
    packets += carry(a_, b_);
    drain(b_);
    packets += carry(b_, a_);
    drain(a_);
    a_.engine.handle_deadline(now_);
    b_.engine.handle_deadline(now_);
  }
  void drain(side& s) {
    engine::event events[64];
    while (const std::size_t n = s.engine.poll_events(events)) {
      for (std::size_t i = 0; i < n; ++i) {
        if (events[i].kind == engine::event_kind::message) {
          ++delivered;
          if (events[i].confirm) s.engine.confirm(events[i].peer, events[i].id);
          events[i].payload.reset();
        } else if (events[i].kind == engine::event_kind::delivered) {
          ++confirmed;
        }
      }
    }
  }

  engine::config settings_;
  side a_, b_;
  time_point now_ = at_ns(1);
  peer_id peer_;
};

}  // namespace mdp::bench
