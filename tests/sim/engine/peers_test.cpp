// Sessions that end, move and come back, and strangers by the thousand: docs/protocol.md section 5.
#include <gtest/gtest.h>

#include <set>

#include "forgery.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
constexpr std::uint64_t seeds = 200;

// R-RESET-1, R-RESET-2, R-RESET-3, R-SESS-6
TEST(forgotten, a_restart_with_everything_received_and_nothing_delivered_ends_in_unknown) {
  over_seeds(seeds, [](std::uint64_t seed) {
    // Half of the nodes have a static key: RESET; the others say UNKNOWN.
    engine_network net({5ms, 2ms, 0.05, 0.05, 0.01, seed});
    auto& a = net.add();
    auto& b = net.add(seed % 2 == 0 ? keyed(seed) : engine::config{});
    b.app.confirms = false;
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    for (std::uint64_t i = 0; i < 50; ++i) ASSERT_TRUE(send(net, a, peer, i, i * 100));
    ASSERT_TRUE(net.run_until([&] { return a.app.received.size() == 50; }, 30s));
    b.restart();
    const time_point restarted = net.now();
    ASSERT_TRUE(net.run_until([&] { return a.app.unknown.size() == 50; }, 30s));
    EXPECT_LE(net.now() - restarted, 8s) << "told by the peer, not by silence";
    EXPECT_TRUE(a.app.delivered.empty());
    EXPECT_EQ(std::set(a.app.unknown.begin(), a.app.unknown.end()).size(), 50u);
    EXPECT_EQ(a.app.downs, std::vector<std::string>{"the peer forgot the session"});
    // The new session works.
    b.app.confirms = true;
    ASSERT_TRUE(net.run_until([&] { return a.app.ups == 2; }, 10s));
    ASSERT_TRUE(send(net, a, peer, 99));
    ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 1; }, 30s));
  });
}

// R-SESS-3, R-SESS-5, R-SESS-10
TEST(forgotten, both_restart_at_once_and_say_hello_at_once) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({5ms, 10ms, 0.1, 0.1, 0, seed});
    auto& a = net.add(seed % 2 == 0 ? keyed(seed) : engine::config{});
    auto& b = net.add();
    std::vector<std::byte> old_hello;
    net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (&from == &a && type_of(packet) == wire::packet_type::hello && old_hello.empty())
        old_hello.assign(packet.begin(), packet.end());
      return true;
    };
    for (int round = 0; round < 3; ++round) {
      const peer_id to_b = *a.engine->connect(net.now(), b.address);
      if (seed % 3 == 0) net.run_for(duration(static_cast<std::int64_t>(seed * 100'000)));
      const peer_id to_a = *b.engine->connect(net.now(), a.address);
      a.app.delivered.clear();
      b.app.delivered.clear();
      ASSERT_TRUE(send(net, a, to_b, 1));
      ASSERT_TRUE(send(net, b, to_a, 2));
      // A HELLO of a life before is no more than a HELLO_ACK to nobody.
      if (round > 0) inject(net, b, a.address, old_hello);
      ASSERT_TRUE(net.run_until(
          [&] {
            return a.app.delivered.size() + a.app.unknown.size() >= 1 &&
                   b.app.delivered.size() + b.app.unknown.size() >= 1;
          },
          60s))
          << "round " << round;
      net.run_for(2s);
      EXPECT_TRUE(a.engine->info(to_b)->active);
      EXPECT_TRUE(b.engine->info(to_a)->active);
      a.app.unknown.clear();
      b.app.unknown.clear();
      a.restart();
      b.restart();
    }
  });
}

// R-SESS-5
TEST(forgotten, a_delayed_old_hello_disturbs_no_session) {
  over_seeds(200, [](std::uint64_t seed) {
    engine_network net({.delay = 1ms * (1 + seed % 20), .jitter = 2ms, .seed = seed});
    auto& a = net.add();
    auto& b = net.add();
    std::vector<std::vector<std::byte>> hellos;
    net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (&from == &a && type_of(packet) == wire::packet_type::hello)
        hellos.emplace_back(packet.begin(), packet.end());
      return true;
    };
    static_cast<void>(a.engine->connect(net.now(), b.address));
    net.run_for(1s);
    a.restart();
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    net.run_for(1s);
    const int ups = b.app.ups;
    for (int i = 0; i < 1000; ++i) {
      inject(net, b, a.address, hellos.front());
      if (i % 100 == 0) net.run_for(100ms);
    }
    ASSERT_TRUE(send(net, a, peer, 1));
    ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 1; }, 5s));
    EXPECT_EQ(b.app.ups, ups);
    EXPECT_EQ(b.engine->info(*b.engine->find(a.address))->session, 1);
  });
}

// R-RESET-1, R-RESET-5
TEST(forgotten, two_that_forgot_each_other_fall_silent) {
  over_seeds(200, [](std::uint64_t seed) {
    engine_network net({.delay = 1ms * (1 + seed % 20), .seed = seed});
    auto& a = net.add(keyed(1));
    auto& b = net.add(keyed(2));
    std::vector<std::vector<std::byte>> to_b;
    std::uint64_t triggers = 0;
    std::uint64_t replies = 0;
    net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (type_of(packet) == wire::packet_type::data) {
        ++triggers;
        EXPECT_GT(packet.size(), wire::reset_bytes);
        if (&from == &a) to_b.emplace_back(packet.begin(), packet.end());
      } else if (type_of(packet) >= wire::packet_type::reset) {
        ++replies;
      }
      return true;
    };
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(send(net, a, peer, i));
    net.run_for(5s);
    a.restart();
    b.restart();
    replies = 0;
    for (const auto& packet : to_b) {
      inject(net, b, a.address, packet);
      inject(net, a, b.address, packet);
    }
    net.run_for(60s);
    EXPECT_EQ(replies, 2 * to_b.size()) << "one for each, and none for those";
    EXPECT_EQ(a.engine->counts().rejected_reset, to_b.size());
    EXPECT_EQ(a.engine->peer_count() + b.engine->peer_count(), 0u);
  });
}

// R-RESET-1
TEST(forgotten, resets_are_rate_limited) {
  engine_network net;
  engine::config settings = keyed(7);
  settings.resets_per_second = 100;
  auto& b = net.add(settings);
  std::vector<std::byte> stray(100);
  wire::seal_packet(stray, {wire::packet_type::data, 0, 0, 1u << 20, 5, 0}, 0);
  for (int i = 0; i < 10000; ++i) {
    inject(net, b, simulated_address(50 + static_cast<std::uint32_t>(i)), stray);
    net.run_for(100us);
  }
  EXPECT_GE(b.engine->counts().resets_sent, 90u);
  EXPECT_LE(b.engine->counts().resets_sent, 115u);
  EXPECT_EQ(b.engine->counts().rejected_no_session, 10000u);
}

// R-RESET-3, R-RESET-4, R-SESS-2
TEST(forgotten, a_flood_of_forgeries_changes_nothing) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({5ms, 2ms, 0.02, 0, 0, seed});
    auto& a = net.add(keyed(1));
    auto& b = net.add(keyed(2));
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    std::uint32_t connection = 0;
    std::uint64_t hellos = 0;
    net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (&from == &a && type_of(packet) == wire::packet_type::data)
        connection = wire::parse_header(packet)->connection;
      hellos += type_of(packet) == wire::packet_type::hello;
      return true;
    };
    net.run_for(1s);
    hellos = 0;
    seeded_random random(seed);
    for (std::uint64_t i = 0; i < 100; ++i) {
      ASSERT_TRUE(send(net, a, peer, i));
      for (int k = 0; k < 5; ++k) {
        inject(net, a, b.address,
               reply_packet(wire::packet_type::reset, connection, 0, random.next(), random.next()));
        inject(net, a, b.address, reply_packet(wire::packet_type::reset, connection, 0));
        inject(net, a, b.address, reply_packet(wire::packet_type::unknown, connection, 0));
        inject(net, a, b.address, reply_packet(wire::packet_type::unknown, 12345, 0));
        inject(net, a, b.address, reply_packet(wire::packet_type::unknown, connection, 1u << 30));
        inject(net, a, b.address,
               reply_packet(wire::packet_type::retry, peer.value, 0, random.next(), 1));
      }
      net.run_for(50ms);
    }
    ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 100; }, 30s));
    EXPECT_TRUE(a.app.downs.empty());
    EXPECT_TRUE(b.app.downs.empty());
    EXPECT_EQ(a.engine->info(peer)->session, 0);
    EXPECT_LE(hellos, 16u) << "at most one question a heartbeat_period, and its repetitions";
    EXPECT_GT(a.engine->counts().rejected_reset, 0u);
  });
}

// R-LIVE-2, R-LIVE-3
TEST(liveness, a_silent_peer_keeps_its_session_while_something_waits) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({5ms, 2ms, 0.02, 0, 0, seed});
    auto& a = net.add();
    auto& b = net.add();
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    const peer_id back = *b.engine->connect(net.now(), a.address);  // both pinned
    net.run_for(1s);
    ASSERT_TRUE(a.engine->info(peer)->active && b.engine->info(back)->active);
    net.filter = [](const engine_node&, std::span<const std::byte>) { return false; };
    for (std::uint64_t i = 0; i < 30; ++i) ASSERT_TRUE(send(net, a, peer, i, 3000));
    const std::uint64_t before = a.engine->counts().packets_sent;
    net.run_for(300s);
    EXPECT_LE(a.engine->counts().packets_sent - before, 450u) << "probes only";
    EXPECT_EQ(a.app.downs, std::vector<std::string>{"silent for longer than peer_timeout"});
    EXPECT_FALSE(a.engine->info(peer)->active);
    EXPECT_TRUE(a.app.unknown.empty());
    net.filter = nullptr;
    ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 30; }, 30s));
    EXPECT_EQ(a.app.ups, 2);
    EXPECT_EQ(b.app.messages.size(), 30u);
    EXPECT_EQ(a.engine->info(peer)->session, 0) << "the same session all along";
  });
}

// R-LIVE-2
TEST(liveness, a_silent_peer_that_nothing_waits_for_is_forgotten) {
  engine_network net;
  auto& a = net.add();
  auto& b = net.add();
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  ASSERT_TRUE(send(net, a, peer, 1));
  net.run_for(1s);
  ASSERT_TRUE(a.engine->disconnect(peer));
  EXPECT_TRUE(a.engine->info(peer)->active) << "unpinned, still active";
  net.run_for(15s);
  EXPECT_FALSE(a.engine->info(peer));
  EXPECT_FALSE(a.engine->disconnect(peer));
  EXPECT_EQ(a.engine->peer_count() + b.engine->peer_count(), 0u);
  EXPECT_EQ(a.app.downs.size(), 1u);
  EXPECT_EQ(b.app.downs.size(), 1u);
}

}  // namespace
}  // namespace mdp::test
