// Peers that come to rest between bursts of messages: nothing that matters is forgotten.
#include <gtest/gtest.h>

#include "tests/support/conversation.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
using engine::message_state;

engine::config brief() {
  engine::config c;
  c.heartbeat_after = 1s;
  c.heartbeat_period = 1s;
  return c;
}

const engine::flow* flow_of(const engine_node& node, peer_id peer) {
  return node.engine->find(peer)->flowing();
}

// R-MEM-1
TEST(rest, comes_when_nothing_is_left_to_do_and_ends_with_the_next_message) {
  conversation c({.delay = 2ms}, brief());
  ASSERT_TRUE(c.send(100));
  ASSERT_TRUE(c.wait_all());
  EXPECT_NE(flow_of(c.a, c.peer), nullptr) << "more may follow";
  const auto resting = [&] { return !flow_of(c.a, c.peer) && !flow_of(c.b, c.b_peer()); };
  ASSERT_TRUE(c.net.run_until(resting, 2s));
  ASSERT_TRUE(c.send(100));
  EXPECT_NE(flow_of(c.a, c.peer), nullptr);
  EXPECT_TRUE(c.wait_all());
  c.expect_each_once();
}

// R-MEM-1
TEST(rest, forgets_neither_ids_nor_ends_nor_what_is_old) {
  conversation c({.delay = 2ms}, brief());
  std::vector<std::byte> replayed;
  c.net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
    if (&from == &c.a && replayed.empty()) replayed.assign(packet.begin(), packet.end());
    return true;
  };
  ASSERT_TRUE(c.send(100));
  ASSERT_TRUE(c.send(100));
  ASSERT_TRUE(c.wait_all());
  ASSERT_TRUE(
      c.net.run_until([&] { return !flow_of(c.a, c.peer) && !flow_of(c.b, c.b_peer()); }, 2s));
  EXPECT_EQ(c.a.engine->state(c.peer, message_id{0}), message_state::delivered);
  EXPECT_EQ(c.a.engine->state(c.peer, message_id{2}), message_state::never);
  ASSERT_FALSE(replayed.empty());
  c.net.inject(c.b, c.a.address, replayed);
  EXPECT_EQ(c.b.app.messages.size(), 2u) << "a replayed packet delivers nothing";
  ASSERT_TRUE(c.send(100));
  EXPECT_EQ(c.a.engine->state(c.peer, message_id{2}), message_state::queued);
  EXPECT_TRUE(c.wait_all());
  c.expect_each_once();
}

// R-MEM-1, R-CHAN-1
TEST(rest, loses_repeats_and_reorders_nothing_over_bad_networks) {
  std::uint64_t rests = 0;
  over_seeds(200, [&](std::uint64_t seed) {
    conversation c({.delay = 3ms, .jitter = 4ms, .loss = 0.1, .duplicate = 0.05, .seed = seed},
                   brief());
    for (int burst = 0; burst < 6; ++burst) {
      for (std::uint64_t i = c.draw(1, 12); i > 0; --i) {
        const std::uint64_t serial = c.sent.size();
        std::string text = payload_of(serial, c.draw(8, 4000));
        const engine::send_options how{both, serial, 0, 7};
        ASSERT_TRUE(c.a.engine->submit(c.net.now(), c.peer, bytes_of(text), how));
        c.sent.push_back(std::move(text));
      }
      c.net.run_for(std::chrono::milliseconds(c.draw(0, 1500)));
      rests += !flow_of(c.a, c.peer) || !flow_of(c.b, c.b_peer());
    }
    ASSERT_TRUE(c.wait_all());
    c.expect_each_once();
    for (std::size_t i = 0; i < c.b.app.messages.size(); ++i)
      EXPECT_EQ(c.b.app.messages[i].first, i) << "one channel: in order";
    c.net.options() = {.delay = 3ms};
    c.expect_no_leak();
  });
  const auto [first, last] = seed_range(200);
  if (last > first) {
    EXPECT_GT(rests, last - first) << "more than once a seed";
  }
}

}  // namespace
}  // namespace mdp::test
