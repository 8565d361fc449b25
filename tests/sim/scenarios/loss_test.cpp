// Scenarios of loss and recovery (docs/testing.md lists all of them by number).
#include "tests/support/conversation.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;

// A delay of 1 to 100 ms, the same for the whole run.
network_options some_delay(std::uint64_t seed) {
  return {.delay = 1ms * (1 + seed % 100), .seed = seed};
}

bool is_data(std::span<const std::byte> packet) {
  return wire::parse_header(packet)->type == wire::packet_type::data;
}

// R-LOSS-3: the tail of a conversation has no later packet that would betray its loss.
TEST(scenarios, scenario_03_only_the_last_packet_is_lost) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c(some_delay(seed));
    const duration rtt = 2 * c.net.options().delay;
    const std::uint64_t before = c.a.engine->counts().packets_sent;
    const std::uint64_t last = c.draw(1, 20);
    std::uint64_t data = 0;
    c.net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      return &from != &c.a || !is_data(packet) || ++data != last;
    };
    for (std::uint64_t i = 0; i < last; ++i) ASSERT_TRUE(c.send(1400));
    const time_point start = c.net.now();
    ASSERT_TRUE(c.wait_all(5s)) << "after " << before << " packets";
    EXPECT_LE(c.net.now() - start, 6 * rtt + 300ms) << "one probe time-out, not several";
    c.expect_each_once();
  });
}

// R-LOSS-3, R-ACK-5
TEST(scenarios, scenario_03_the_last_acknowledgements_are_lost) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c(some_delay(seed));
    c.net.run_for(1s);
    std::uint64_t dropped = 0;
    const std::uint64_t lose = c.draw(1, 3);
    c.net.filter = [&](const engine_node& from, std::span<const std::byte>) {
      return &from != &c.b || dropped == lose || ++dropped == 0;
    };
    for (std::uint64_t n = c.draw(1, 20); n > 0; --n) ASSERT_TRUE(c.send(c.draw(0, 3000)));
    ASSERT_TRUE(c.wait_all(10s));
    EXPECT_EQ(dropped, lose);
    c.expect_each_once();
    c.expect_no_leak();
  });
}

// R-LOSS-3
TEST(scenarios, scenario_03_everything_is_lost_for_two_seconds) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c(some_delay(seed));
    bool dark = true;
    c.net.filter = [&](const engine_node&, std::span<const std::byte>) { return !dark; };
    for (std::uint64_t n = c.draw(1, 100); n > 0; --n) ASSERT_TRUE(c.send(c.draw(0, 3000)));
    c.net.run_for(2s);
    dark = false;
    const time_point healed = c.net.now();
    ASSERT_TRUE(c.net.run_until([&] { return !c.a.app.delivered.empty(); }, 10s));
    EXPECT_LE(c.net.now() - healed, c.a.settings.pto_max + 2 * c.net.options().delay + 1ms);
    ASSERT_TRUE(c.wait_all(10s));
    c.expect_each_once();
    c.expect_no_leak();
  });
}

// R-LOSS-3, R-LOSS-5
TEST(scenarios, scenario_04_a_full_window_is_lost_and_the_probe_still_goes) {
  over_seeds(200, [](std::uint64_t seed) {
    engine::config settings;
    settings.congestion_window_bytes = 10'000 + seed % 50 * 1000;
    settings.heartbeat_after = 5s;  // else a heartbeat may find the losses first
    conversation c(some_delay(seed), settings);
    c.net.run_for(500ms);
    bool dark = true;
    std::uint64_t lost_bytes = 0;
    c.net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (dark && &from == &c.a) lost_bytes += packet.size();
      return !dark || &from != &c.a;
    };
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(c.send(1400));
    c.net.run_for(1ms);
    EXPECT_GE(lost_bytes, 8'000u) << "the window was full";
    EXPECT_LE(lost_bytes, settings.congestion_window_bytes);
    dark = false;
    ASSERT_TRUE(c.wait_all(20s));
    EXPECT_GE(c.a.engine->counts().packets_probe, 1u);
    c.expect_each_once();
    c.expect_no_leak();
  });
}

// R-LOSS-4, R-CONF-1
TEST(scenarios, scenario_05_a_late_acknowledgement_after_a_declared_loss) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c(some_delay(seed));
    const duration rtt = 2 * c.net.options().delay;
    c.net.run_for(1s);
    // Some packets overtake the others by less than the time for which a loss is remembered.
    std::uint64_t held = 0;
    c.net.hold_back = [&](const engine_node& from, std::span<const std::byte> packet) {
      const bool late = &from == &c.a && is_data(packet) && held < 5 && c.draw(0, 3) == 0;
      held += late ? 1 : 0;
      return late ? rtt * 2 : duration{};
    };
    for (std::uint64_t n = 30; n > 0; --n) ASSERT_TRUE(c.send(1400));
    ASSERT_TRUE(c.wait_all(20s));
    c.net.run_for(5 * rtt);
    c.expect_each_once();
    EXPECT_EQ(c.a.app.received.size(), c.sent.size()) << "received is reported once as well";
    const engine::stats& s = c.a.engine->counts();
    EXPECT_LE(s.packets_spurious, s.packets_lost);
    EXPECT_TRUE(held == 0 || s.packets_spurious > 0) << held << " were late";
    c.expect_no_leak();
  });
}

// R-ACK-4, R-LIVE-2
TEST(scenarios, scenario_08_every_second_packet_is_lost_for_an_hour) {
  over_seeds(200, [](std::uint64_t seed) {
    engine::config settings;
    settings.heartbeat_period = settings.heartbeat_after = 5s;
    settings.peer_timeout = 60s;
    conversation c(some_delay(seed), settings);
    std::uint64_t from_a = 0;
    std::uint64_t from_b = 0;
    c.net.filter = [&](const engine_node& from, std::span<const std::byte>) {
      return (&from == &c.a ? ++from_a : ++from_b) % 2 == 0;
    };
    const time_point end = c.net.now() + 1h;
    while (c.net.now() < end) {
      for (std::uint64_t n = c.draw(1, 6); n > 0; --n) ASSERT_TRUE(c.send(c.draw(0, 3000)));
      c.net.run_for(1s * c.draw(20, 120));
    }
    EXPECT_TRUE(c.a.app.downs.empty());
    ASSERT_TRUE(c.wait_all(1min));
    c.expect_each_once();
    // An ACK names 32 runs at most, whatever was lost: no packet grew with the hour.
    EXPECT_LE(c.b.engine->counts().wire_bytes_sent / c.b.engine->counts().packets_sent,
              wire::header_bytes + wire::frame_bytes(16 + 8 * 32) + 64);
    c.net.filter = nullptr;
    c.expect_no_leak();
  });
}

// R-ACK-3, R-LOSS-1
TEST(scenarios, scenario_31_the_way_back_loses_half_or_is_a_hundred_times_slower) {
  duration taken{};
  duration allowed{};
  over_seeds(200, [&](std::uint64_t seed) {
    engine::config settings;
    settings.congestion_window_bytes = 200'000;
    conversation c(some_delay(seed), settings);
    network_options& there = c.net.link(c.a, c.b);
    there.bytes_per_second = 12'500'000;  // 100 Mb/s
    network_options& back = c.net.link(c.b, c.a);
    const bool slow = seed % 2 == 0;
    if (slow) back.bytes_per_second = there.bytes_per_second / 100;
    if (!slow) back.loss = 0.5;
    const time_point start = c.net.now();
    for (int i = 0; i < 150; ++i) ASSERT_TRUE(c.send(c.draw(1000, 9000)));
    ASSERT_TRUE(c.wait_all(30s));
    c.expect_each_once();
    taken += c.net.now() - start;
    // 750 kB take 60 ms of the link and four windows; what the way back adds is bounded on average,
    // for a run of eight losses at the very end does happen.
    allowed += 60ms + 24 * c.net.options().delay + 500ms;
    const engine::stats& s = c.a.engine->counts();
    EXPECT_LE(s.packets_retransmitted * 10, s.packets_sent) << "nothing was lost on the way there";
    c.expect_no_leak();
  });
  EXPECT_TRUE(taken <= allowed || std::getenv("MDP_SEED"));
}

}  // namespace
}  // namespace mdp::test
