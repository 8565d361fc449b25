// The hot path allocates nothing: 10⁵ messages through two engines, after warming up.
#include <gtest/gtest.h>

#include "engine/endpoint.hpp"
#include "tests/support/allocation_count.hpp"

namespace mdp {
namespace {

struct side {
  explicit side(std::uint32_t number, const engine::config& c)
      : random(number + 1),
        blocks({c.max_packet_bytes + 64, 2048}),
        control({c.max_packet_bytes + 64, 256}),
        address(simulated_address(number)),
        engine(c, engine::engine_memory{blocks, control}, engine::train_limits{44, 65507}, random) {
  }
  seeded_random random;
  buffer::block_pool blocks, control;
  endpoint_address address;
  engine::endpoint engine;
  buffer::tx_batch batch;
};

void carry(side& from, side& to, time_point now) {
  for (;;) {
    from.engine.poll_transmit(now, from.batch);
    if (from.batch.empty()) return;
    for (const auto& item : from.batch.pending()) {
      for (const auto& part : item.parts) {
        buffer::rx_datagrams rx{from.address, part, 0, buffer::ecn::not_ect};
        to.engine.handle_datagrams(now, {&rx, 1});
      }
    }
    from.batch.consume(from.batch.pending().size());
  }
}

class allocation : public testing::TestWithParam<std::size_t> {};

TEST_P(allocation, none_in_steady_state) {
  engine::config settings;
  side a(0, settings);
  side b(1, settings);
  time_point now = at_ns(0);
  const peer_id peer = *a.engine.connect(now, b.address);
  std::uint64_t delivered = 0;
  const std::vector<std::byte> payload(GetParam());
  const auto take = [&](side& s) {
    engine::event events[64];
    while (const std::size_t n = s.engine.poll_events(events)) {
      for (std::size_t i = 0; i < n; ++i) {
        if (events[i].confirm) s.engine.confirm(events[i].peer, events[i].id);
        delivered += events[i].kind == engine::event_kind::delivered;
        events[i].payload.reset();
      }
    }
  };
  const auto round = [&] {
    now += std::chrono::microseconds(20);
    for (int i = 0; i < 50; ++i)
      static_cast<void>(
          a.engine.submit(now, peer, payload, {engine::want_received | engine::want_delivered, 0}));
    carry(a, b, now);
    take(b);
    carry(b, a, now);
    take(a);
    a.engine.handle_deadline(now);
    b.engine.handle_deadline(now);
  };
  for (int i = 0; i < 400; ++i) round();
  const std::uint64_t before = test::allocation_count();
  const std::uint64_t start = delivered;
  while (delivered - start < 100'000) round();
  EXPECT_EQ(test::allocation_count() - before, 0u);
}

INSTANTIATE_TEST_SUITE_P(bytes, allocation, testing::Values(0, 64, 1200, 5000));

}  // namespace
}  // namespace mdp
