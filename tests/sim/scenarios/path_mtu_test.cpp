// Scenario 19: what the path carries changes, and what looks like it but is not.
#include "tests/support/conversation.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;

engine::config discovering(std::uint32_t max_packet_bytes = 1472) {
  engine::config c;
  c.max_packet_bytes = max_packet_bytes;
  c.pmtu_discovery = true;
  return c;
}

std::uint32_t packet_bytes(const conversation& c) {
  return c.a.engine->find(c.peer)->packet_bytes();
}

// R-PMTU-1, R-PMTU-2
TEST(scenarios, scenario_19_discovery_finds_what_the_path_carries) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c({.delay = 1ms * (1 + seed % 50), .loss = 0.01, .seed = seed, .mtu = 1472},
                   discovering(9000));
    c.net.options().mtu = c.draw(1200, 9000);
    std::size_t largest = 0;
    c.net.filter = [&](const engine_node&, std::span<const std::byte> packet) {
      if (packet.size() <= c.net.options().mtu) largest = std::max(largest, packet.size());
      return true;
    };
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(c.send(c.draw(0, 20000)));
    ASSERT_TRUE(c.wait_all());
    c.net.run_for(60s);
    EXPECT_LE(packet_bytes(c), c.net.options().mtu);
    EXPECT_EQ(packet_bytes(c), std::max<std::size_t>(largest, 1200)) << "the last size that passed";
    c.expect_each_once();
    c.expect_no_leak();
  });
}

// R-PMTU-5, R-PMTU-6
TEST(scenarios, scenario_19_the_path_shrinks_in_the_middle_of_messages) {
  over_seeds(200, [](std::uint64_t seed) {
    engine::config settings = discovering();
    settings.congestion_window_bytes = 65536;  // ten round trips of messages
    conversation c({.delay = 1ms * (1 + seed % 50), .loss = seed % 2 == 0 ? 0 : 0.01, .seed = seed},
                   settings);
    ASSERT_TRUE(c.send(100));
    ASSERT_TRUE(c.net.run_until([&] { return packet_bytes(c) == 1472; }, 30s));
    // Whole messages, many to a packet and one filling it, and fragments.
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(c.send(1432));
      for (int k = 0; k < 10; ++k) ASSERT_TRUE(c.send(c.draw(0, 400)));
      ASSERT_TRUE(c.send(c.draw(1500, 60000)));
    }
    c.net.run_for(c.net.options().delay * c.draw(0, 8));
    c.net.options().mtu = c.draw(1200, 1400);
    ASSERT_TRUE(c.wait_all(2min)) << c.a.app.delivered.size() << " of " << c.sent.size();
    c.expect_each_once();
    c.expect_no_leak();
    EXPECT_LE(packet_bytes(c), c.net.options().mtu);
    EXPECT_EQ(c.a.engine->counts().mtu_black_holes, 1u);
  });
}

// R-PMTU-5
TEST(scenarios, scenario_19_losses_are_no_black_hole) {
  over_seeds(200, [](std::uint64_t seed) {
    const bool by_size = seed % 2 == 0;
    conversation c({.delay = 1ms * (1 + seed % 50), .loss = by_size ? 0 : 0.15, .seed = seed},
                   discovering());
    c.net.filter = [&](const engine_node&, std::span<const std::byte> packet) {
      return !by_size || packet.size() <= 1300 || c.draw(1, 100) > 5;
    };
    ASSERT_TRUE(c.send(100));
    c.net.run_for(20s);
    for (int i = 0; i < 10; ++i) {
      for (std::uint64_t n = c.draw(1, 100); n > 0; --n) ASSERT_TRUE(c.send(c.draw(0, 3000)));
      ASSERT_TRUE(c.wait_all());
    }
    EXPECT_EQ(c.a.engine->counts().mtu_black_holes, 0u);
    if (by_size) {
      EXPECT_EQ(packet_bytes(c), 1472u);
    }
    c.expect_each_once();
  });
}

// R-PMTU-5: nothing that a third party can send lowers the size.
TEST(scenarios, scenario_19_forged_packets_change_nothing) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c({.seed = seed}, discovering());
    ASSERT_TRUE(c.send(100));
    ASSERT_TRUE(c.net.run_until([&] { return packet_bytes(c) == 1472; }, 30s));
    for (int i = 0; i < 100; ++i) {
      std::vector<std::byte> packet(c.draw(0, 1300));
      for (std::byte& b : packet) b = static_cast<std::byte>(c.random.next());
      // Half of them with a header that would do, but for the checksum.
      if (i % 2 == 0 && packet.size() >= wire::header_bytes)
        wire::seal_packet(packet, {wire::packet_type::data, 0, 0, c.peer.value, c.draw(0, 100), 0},
                          static_cast<std::uint32_t>(c.random.next()));
      c.net.inject(c.a, c.b.address, packet);
      ASSERT_TRUE(c.send(c.draw(0, 3000)));
      c.net.run_for(1ms);
    }
    ASSERT_TRUE(c.wait_all());
    EXPECT_EQ(packet_bytes(c), 1472u);
    EXPECT_EQ(c.a.engine->counts().mtu_black_holes, 0u);
    c.expect_each_once();
  });
}

// R-PMTU-3
TEST(scenarios, scenario_19_a_path_that_grows_is_found_in_time) {
  over_seeds(20, [](std::uint64_t seed) {
    engine::config settings = discovering();
    settings.pmtu_raise = 30s;
    conversation c({.seed = seed, .mtu = 1300}, settings);
    ASSERT_TRUE(c.send(100));
    c.net.run_for(29s);
    EXPECT_LE(packet_bytes(c), 1300u);
    c.net.options().mtu = 1472;
    c.net.run_for(40s);
    EXPECT_EQ(packet_bytes(c), 1472u);
  });
}

// R-PMTU-4
TEST(scenarios, scenario_19_probes_that_vanish_cost_no_window_and_no_probe_time_out) {
  over_seeds(20, [](std::uint64_t seed) {
    conversation c({.seed = seed, .mtu = 1200}, discovering(65507));
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(c.send(5000));
      ASSERT_TRUE(c.wait_all());
      c.net.run_for(10s);
    }
    const engine::stats& s = c.a.engine->counts();
    EXPECT_GE(s.mtu_probes_sent, 12u);
    EXPECT_EQ(s.packets_lost, 0u);
    EXPECT_EQ(s.packets_probe, 0u);
    EXPECT_EQ(s.packets_retransmitted, 0u);
    EXPECT_EQ(s.loss_events, 0u);
  });
}

}  // namespace
}  // namespace mdp::test
