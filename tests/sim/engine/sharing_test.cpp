// Who may have how much queued: peers share one pool of blocks, and each has a bound of its own.
#include <gtest/gtest.h>

#include "tests/support/engine_pair.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t both = engine::want_received | engine::want_delivered;

// R-SCHED-3
TEST(sharing, one_peer_that_takes_nothing_leaves_room_for_the_others) {
  engine_network net;
  auto& hub = net.add();
  const auto& dead = net.add();
  std::vector<peer_id> peers;
  const peer_id stuck = *hub.engine->connect(net.now(), dead.address);
  for (int i = 0; i < 8; ++i) peers.push_back(*hub.engine->connect(net.now(), net.add().address));
  net.run_for(200ms);
  net.filter = [&](const engine_node& from, std::span<const std::byte>) { return &from != &dead; };
  const std::string text(1300, 'x');
  while (hub.engine->submit(net.now(), stuck, bytes_of(text), {})) {
  }
  EXPECT_GE(hub.blocks.available(), hub.blocks.block_count() / 10);
  for (std::size_t round = 0; round < 50; ++round) {
    for (const peer_id p : peers)
      for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(hub.engine->submit(net.now(), p, bytes_of(text), {both, 1})) << round;
    ASSERT_TRUE(net.run_until([&] { return hub.app.delivered.size() == (round + 1) * 80; }, 1s));
  }
}

TEST(sharing, a_peer_is_full_at_its_bound_and_takes_more_as_packets_are_acknowledged) {
  engine::config settings;
  settings.max_enqueued_bytes = 10 * settings.max_packet_bytes;
  engine_network net;
  auto& a = net.add(settings);
  const auto& b = net.add(settings);
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  net.run_for(200ms);
  const std::string packet(1300, 'x');
  const auto submit_all = [&] {
    int taken = 0;
    while (a.engine->submit(net.now(), peer, bytes_of(packet), {})) ++taken;
    return taken;
  };
  EXPECT_EQ(submit_all(), 10);
  EXPECT_FALSE(a.engine->writable(peer, packet.size()));
  EXPECT_FALSE(a.engine->writable(peer, 1));
  net.run_for(200ms);
  EXPECT_TRUE(a.engine->writable(peer, packet.size()));
  EXPECT_EQ(submit_all(), 10);
}

TEST(sharing, a_message_beyond_the_bound_is_taken_whole_when_it_begins_below) {
  engine::config settings;
  settings.max_enqueued_bytes = 10 * settings.max_packet_bytes;
  engine_network net;
  auto& a = net.add(settings);
  const auto& b = net.add(settings);
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  net.run_for(200ms);
  const std::string large(100'000, 'x');
  ASSERT_TRUE(a.engine->submit(net.now(), peer, bytes_of("first"), {}));
  ASSERT_TRUE(a.engine->submit(net.now(), peer, bytes_of(large), {both, 1}));
  const auto refused = a.engine->submit(net.now(), peer, bytes_of(large), {both, 2});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), engine::refusal::queue_full);
  net.run_for(200ms);
  EXPECT_EQ(a.app.delivered, std::vector<std::uint64_t>{1});
}

}  // namespace
}  // namespace mdp::test
