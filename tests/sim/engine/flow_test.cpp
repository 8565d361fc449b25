// Order within channels, and the credit of the receiver, between engines in virtual time.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/engine_pair.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
using engine::event_kind;

constexpr std::uint8_t both = engine::want_received | engine::want_delivered;

// R-CHAN-1, R-CHAN-2
TEST(channels, keep_their_order_over_every_network) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    engine_network net({2ms, 8ms, 0.1, 0.1, 0.01, seed});
    auto& a = net.add();
    auto& b = net.add();
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    seeded_random random(seed);
    std::map<char, std::vector<int>> wanted;
    std::size_t confirmed = 0;
    for (int i = 0; i < 120; ++i) {
      engine::send_options o{engine::want_delivered, 1};
      o.channel = static_cast<std::uint16_t>(random.next() % 4);
      o.priority = static_cast<std::uint8_t>(random.next() % 8);
      std::string text = std::to_string(i) + '/' + static_cast<char>('a' + o.channel);
      text.append(random.next() % 5 == 0 ? random.next() % 9000 : random.next() % 200, '.');
      const auto id = a.engine->submit(net.now(), peer, bytes_of(text), o);
      ASSERT_TRUE(id);
      if (random.next() % 10 == 0) {
        ASSERT_TRUE(a.engine->cancel(net.now(), peer, *id));
      } else {
        ++confirmed;
        if (o.channel > 0) wanted[static_cast<char>('a' + o.channel)].push_back(i);
      }
      if (random.next() % 4 == 0) net.run_for(1ms);
    }
    ASSERT_TRUE(net.run_until([&] { return a.engine->idle(); }, 2min));
    std::map<char, std::vector<int>> came;
    for (const auto& [id, text] : b.app.messages) {
      const char channel = text[text.find('/') + 1];
      if (channel != 'a') came[channel].push_back(std::stoi(text));
    }
    for (auto& [channel, numbers] : came)
      ASSERT_TRUE(std::is_sorted(numbers.begin(), numbers.end())) << "channel " << channel;
    ASSERT_GE(a.app.delivered.size(), confirmed);
    for (auto& [channel, numbers] : wanted)
      ASSERT_TRUE(std::includes(came[channel].begin(), came[channel].end(), numbers.begin(),
                                numbers.end()));
  }
}

// R-FLOW-4: a message as large as the window, when part of the credit is used up.
TEST(credit, a_message_as_large_as_the_window_does_not_wait_for_a_heartbeat) {
  engine::config settings;
  settings.receive_window_bytes = 100000;
  settings.max_message_bytes = 100000;
  engine_network net;
  auto& a = net.add(settings);
  auto& b = net.add(settings);
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  net.run_for(200ms);
  for (std::uint64_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(a.engine->submit(net.now(), peer, bytes_of(std::string(10, 's')), {both, i}));
    ASSERT_TRUE(
        a.engine->submit(net.now(), peer, bytes_of(std::string(99'000, 'x')), {both, 100 + i}));
  }
  const time_point start = net.now();
  ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 40; }));
  EXPECT_LT(net.now() - start, 20 * 60ms) << "a few round trips of 10 ms each, no heartbeat of 1 s";
}

// R-FLOW-5: submitted before the peer's window was known.
TEST(credit, what_the_peer_can_never_admit_is_rejected_when_its_window_is_known) {
  engine::config small;
  small.receive_window_bytes = 20000;
  engine_network net;
  auto& a = net.add();
  auto& b = net.add(small);
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  ASSERT_TRUE(a.engine->submit(net.now(), peer, bytes_of(std::string(20001, 'x')), {both, 1}));
  ASSERT_TRUE(a.engine->submit(net.now(), peer, bytes_of(std::string(20000, 'x')), {both, 2}));
  net.run_for(1s);
  ASSERT_EQ(a.app.others.size(), 1u);
  EXPECT_EQ(a.app.others[0], std::pair(event_kind::rejected, std::uint64_t{1}));
  EXPECT_EQ(a.app.delivered, std::vector<std::uint64_t>{2});
  EXPECT_TRUE(a.engine->idle());
}

// R-FLOW-5
TEST(credit, what_is_larger_than_the_peer_takes_is_refused) {
  engine::config small;
  small.max_message_bytes = 5000;
  engine_network net;
  auto& a = net.add();
  auto& b = net.add(small);
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  ASSERT_TRUE(a.engine->submit(net.now(), peer, bytes_of(std::string(5001, 'x')), {both, 1}));
  net.run_for(200ms);
  ASSERT_EQ(a.app.others.size(), 1u);
  EXPECT_EQ(a.app.others[0], std::pair(event_kind::rejected, std::uint64_t{1}));
  const auto refused =
      a.engine->submit(net.now(), peer, bytes_of(std::string(5001, 'x')), {both, 2});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), engine::refusal::too_large);
  ASSERT_TRUE(a.engine->submit(net.now(), peer, bytes_of(std::string(5000, 'x')), {both, 3}));
  net.run_for(200ms);
  EXPECT_EQ(a.app.delivered, std::vector<std::uint64_t>{3});
  EXPECT_EQ(b.engine->counts().rejected_too_large, 0u);
}

}  // namespace
}  // namespace mdp::test
