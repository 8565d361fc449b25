// A peer that moves, and who pretends to be one: docs/protocol.md section 5.4.
#include <gtest/gtest.h>

#include <algorithm>

#include "forgery.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
constexpr std::uint64_t seeds = 200;

std::size_t moves(const engine_node& node) {
  return static_cast<std::size_t>(
      std::count_if(node.app.others.begin(), node.app.others.end(),
                    [](const auto& e) { return e.first == engine::event_kind::peer_moved; }));
}

// R-PATH-1, R-PATH-2
TEST(paths, a_rebinding_in_mid_burst_loses_nothing) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({5ms, 2ms, 0.05, 0.02, 0, seed});
    auto& a = net.add();
    auto& b = net.add();
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    ASSERT_TRUE(net.run_until([&] { return b.app.ups == 1; }, 5s));
    std::uint64_t sent = 0;
    seeded_random random(seed);
    for (std::uint16_t port = 2; port <= 4; ++port) {
      for (int i = 0; i < 60; ++i) ASSERT_TRUE(send(net, a, peer, sent++, random.next() % 4000));
      net.run_for(duration(static_cast<std::int64_t>(random.next() % 60'000'000)));
      a.address = simulated_address(0, port);  // the old mapping is gone at once
      for (int i = 0; i < 60; ++i) ASSERT_TRUE(send(net, a, peer, sent++, random.next() % 4000));
      const std::uint64_t all = sent;
      ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == all; }, 60s));
      net.run_for(3s);  // heartbeats come from the new address even when all was delivered before
      const auto known = b.engine->find(a.address);
      ASSERT_TRUE(known);
      EXPECT_EQ(b.engine->info(*known)->session, 0);
    }
    EXPECT_EQ(moves(b), 3u);
    EXPECT_EQ(b.engine->peer_count(), 1u);
    EXPECT_TRUE(a.app.unknown.empty());
    EXPECT_EQ(b.app.messages.size(), sent);
  });
}

// R-PATH-5: b connects to where a goes before it hears from a there, and so has two peers for it.
TEST(paths, two_peers_that_turn_out_to_be_one_node_become_one) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({5ms, 4ms, 0.1, 0.02, 0, seed});
    auto& a = net.add();
    auto& b = net.add();
    ASSERT_TRUE(a.engine->connect(net.now(), b.address));
    const peer_id first = *b.engine->connect(net.now(), a.address);
    ASSERT_TRUE(net.run_until([&] { return a.app.ups == 1 && b.app.ups == 1; }, 5s));
    a.address = simulated_address(0, 2);
    for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(send(net, b, first, i, 3000));
    seeded_random random(seed);
    net.run_for(duration(static_cast<std::int64_t>(random.next() % 1'500'000'000)));
    const auto second = b.engine->connect(net.now(), a.address);
    ASSERT_TRUE(second);
    for (std::uint64_t i = 20; i < 40; ++i) ASSERT_TRUE(send(net, b, *second, i, 3000));
    net.run_for(20s);
    // The one that has not heard of the move is lost with the old address: its application ends it.
    b.engine->blacklist(net.now(), simulated_address(0, 1));
    EXPECT_EQ(b.engine->peer_count(), 1u) << "at the new one";
    EXPECT_EQ(a.engine->peer_count(), 1u);
    const auto left = b.engine->find(a.address);
    ASSERT_TRUE(left);
    ASSERT_TRUE(send(net, b, *left, 40));
    EXPECT_TRUE(
        net.run_until([&] { return b.app.delivered.size() + b.app.unknown.size() == 41; }, 60s));
    EXPECT_EQ(b.app.delivered.back(), 40u);
  });
}

// R-PATH-2, R-PATH-3
TEST(paths, a_spoofed_source_moves_nobody_and_gets_three_times_its_bytes_at_most) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({5ms, 2ms, 0.02, 0, 0, seed});
    auto& a = net.add();
    auto& b = net.add();
    auto& victim = net.add();
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    std::uint64_t injected = 0;
    std::uint64_t to_victim = 0;
    std::vector<std::byte> copy;
    seeded_random random(seed);
    // Somebody on the path races ahead with copies that seem to come from the victim.
    net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (&from == &a && type_of(packet) == wire::packet_type::data)
        copy.assign(packet.begin(), packet.end());
      return true;
    };
    net.run_for(1s);
    const std::uint64_t before = victim.engine->counts().rejected_no_session;
    for (std::uint64_t i = 0; i < 100; ++i) {
      ASSERT_TRUE(send(net, a, peer, i));
      copy.clear();
      net.run_for(1ms);
      if (!copy.empty() && random.next() % 2 == 0) {
        inject(net, b, victim.address, copy);
        injected += copy.size();
      }
      net.run_for(20ms);
    }
    ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 100; }, 30s));
    to_victim = (victim.engine->counts().rejected_no_session - before) * 40;
    EXPECT_GT(injected, 0u);
    EXPECT_GT(to_victim, 0u) << "challenges went out";
    EXPECT_LE(to_victim, 3 * injected);
    EXPECT_EQ(moves(b), 0u);
    EXPECT_TRUE(b.engine->find(a.address));
    EXPECT_FALSE(b.engine->find(victim.address));
    EXPECT_TRUE(a.app.downs.empty());
  });
}

// R-PATH-4
TEST(paths, another_host_begins_with_new_estimates_another_port_does_not) {
  for (const bool host : {false, true}) {
    engine_network net;
    auto& a = net.add();
    auto& b = net.add();
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    ASSERT_TRUE(send(net, a, peer, 1));
    ASSERT_TRUE(net.run_until([&] { return b.app.messages.size() == 1; }, 1s));
    const peer_id known = *b.engine->find(a.address);
    ASSERT_TRUE(send(net, b, known, 2));
    net.run_for(1s);
    ASSERT_LT(b.engine->info(known)->rtt, 20ms);
    a.address.port = 9;
    if (host) a.address.scope_id = 7;  // routed by the node's number all the same
    ASSERT_TRUE(send(net, a, peer, 3));
    ASSERT_TRUE(net.run_until([&] { return moves(b) == 1; }, 1s));
    EXPECT_EQ(b.engine->info(known)->address, a.address);
    EXPECT_EQ(b.engine->info(known)->rtt == b.settings.initial_rtt, host);
    ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 2; }, 5s));
  }
}

// R-PATH-1
TEST(paths, replays_and_guesses_of_strangers_are_nothing) {
  engine_network net;
  auto& a = net.add();
  auto& b = net.add();
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  std::vector<std::vector<std::byte>> packets;
  net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
    if (&from == &a && type_of(packet) == wire::packet_type::data)
      packets.emplace_back(packet.begin(), packet.end());
    return true;
  };
  for (std::uint64_t i = 0; i < 50; ++i) ASSERT_TRUE(send(net, a, peer, i, 1000));
  net.run_for(1s);
  const std::uint64_t sent = b.engine->counts().packets_sent;
  for (const auto& packet : packets) inject(net, b, simulated_address(60), packet);
  net.run_for(10ms);
  EXPECT_LE(b.engine->counts().packets_sent - sent, 1u) << "one ACK for the duplicates, to a";
  EXPECT_EQ(b.engine->counts().paths_failed, 0u);
  EXPECT_TRUE(b.engine->find(a.address));
  EXPECT_EQ(b.app.messages.size(), 50u);
}

// R-PATH-3
TEST(paths, the_validator_keeps_to_three_times_what_came_and_gives_up) {
  engine::path_validator path;
  time_point now = at_ns(0);
  path.begin(simulated_address(5), 42, 10, 100ms);
  EXPECT_FALSE(path.challenge_due(40)) << "40 bytes for 10";
  path.on_received(4);
  ASSERT_TRUE(path.challenge_due(40));
  EXPECT_FALSE(path.answered_by(42)) << "nobody can know it yet";
  path.on_challenge_sent(now, 40);
  EXPECT_FALSE(path.answered_by(43));
  EXPECT_TRUE(path.answered_by(42));
  path.on_received(1000);
  for (int attempt = 2; attempt <= 3; ++attempt) {
    now = path.deadline();
    EXPECT_TRUE(path.on_deadline(now));
    ASSERT_TRUE(path.challenge_due(40));
    path.on_challenge_sent(now, 40);
  }
  EXPECT_FALSE(path.on_deadline(path.deadline()));
  EXPECT_FALSE(path.validating());
  EXPECT_FALSE(path.answered_by(42)) << "too late";
  EXPECT_EQ(path.deadline(), never);
}

}  // namespace
}  // namespace mdp::test
