// Scenarios that need links with a rate, over many seeds; their long runs with one seed are in
// congestion_test.cpp. Numbers as in docs/testing.md.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/flow_network.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
using engine::congestion_kind;

constexpr std::uint64_t seeds = 200;

// Draws of one seed.
class draws {
 public:
  explicit draws(std::uint64_t seed) : random_(seed ^ 0xd4a3) {}
  // Uniform in [low, high].
  std::uint64_t operator()(std::uint64_t low, std::uint64_t high) {
    return low + random_.next() % (high - low + 1);
  }

 private:
  seeded_random random_;
};

// R-LOSS-1, R-LOSS-7
TEST(scenarios, scenario_01_packets_displaced_at_line_rate_are_not_taken_for_lost) {
  over_seeds(seeds, [](std::uint64_t seed) {
    draws draw(seed);
    engine::config c = flow_config(congestion_kind::fixed);  // CUBIC fills such a path later
    c.congestion_window_bytes = 8u << 20;
    // A packet lasts 11.8 us on the wire: jitter of that much lets one overtake another.
    const std::uint64_t displacement = draw(0, 1) == 0 ? draw(101, 1000) : draw(1, 100);
    flow_network net(
        fmt::format(R"({{"default": {{"rate_mbps": 1000, "delay_us": {}, "jitter_us": {:.1f},
                                      "reorder": true, "queue_packets": 8000}}}})",
                    draw(8'000, 12'000), static_cast<double>(displacement) * 11.8),
        "{}", seed);
    flow_node& from = net.add("from", c, 16384);
    flow_node& to = net.add("to", c, 16384);
    net.start(from, to);
    net.run_for(250ms);
    const auto& s = from.engine->counts();
    const std::uint64_t spurious = s.packets_spurious;
    const std::uint64_t sent = s.packets_sent;
    EXPECT_GE(goodput_mbps(net, to, 200ms), 900 * 1440 / 1472.0) << displacement;
    EXPECT_LE((s.packets_spurious - spurious) * 100, s.packets_sent - sent) << displacement;
  });
}

// R-PACE-3, R-CC-9
TEST(scenarios, scenario_02_acknowledgements_batched_beyond_the_round_trip_cost_nothing) {
  over_seeds(seeds, [](std::uint64_t seed) {
    draws draw(seed);
    const engine::config c = flow_config(static_cast<congestion_kind>(draw(0, 4)));
    flow_network net(fmt::format(R"({{"default": {{"rate_mbps": 10000, "delay_us": {},
                                                  "queue_packets": 0}}}})",
                                 draw(5, 50)),
                     "{}", seed);
    flow_node& from = net.add("from", c);
    flow_node& to = net.add("to", c);
    to.batch_period = std::chrono::microseconds(draw(50, 400));
    net.start(from, to);
    net.run_for(30ms);
    EXPECT_GT(to.messages, 100u);
    EXPECT_EQ(from.engine->counts().packets_lost, 0u);
    EXPECT_EQ(from.engine->counts().packets_retransmitted, 0u);
  });
}

// R-PACE-1, R-CC-5
TEST(scenarios, scenario_34_a_blackout_ends_without_a_storm) {
  over_seeds(seeds, [](std::uint64_t seed) {
    draws draw(seed);
    const auto kind = static_cast<congestion_kind>(draw(1, 4));
    engine::config c = flow_config(kind);
    c.peer_timeout = 300s;
    flow_network net(
        fmt::format(R"({{"default": {{"rate_mbps": 20, "delay_us": {}, "queue_packets": {}}}}})",
                    draw(2'000, 20'000), draw(100, 400)),
        "{}", seed);
    flow_node& from = net.add("from", c);
    flow_node& to = net.add("to", c);
    net.start(from, to);
    net.run_for(std::chrono::milliseconds(draw(500, 3'000)));
    const double before = goodput_mbps(net, to, 500ms);
    to.deaf = true;
    net.run_for(60s);
    std::uint64_t sent = from.engine->counts().packets_sent;
    to.deaf = false;
    for (int i = 0; i < 350; ++i) {  // the probe time-out's cap, and some
      net.run_for(10ms);
      const std::uint64_t now_sent = from.engine->counts().packets_sent;
      // Never more in 10 ms than 2.77 times what the link carries, and a burst.
      ASSERT_LE(now_sent - sent, 17u * 277 / 100 + 30);
      sent = now_sent;
    }
    EXPECT_EQ(from.downs, 0);
    net.run_for(10s);
    const double after = goodput_mbps(net, to, 5s);
    // Swift aims at a queue of 100 us: after a blackout it climbs slowly at round trips like these.
    if (kind != congestion_kind::swift) {
      EXPECT_GE(after, before / 2);
    }
    if (kind == congestion_kind::cubic || kind == congestion_kind::bbr) {
      EXPECT_GE(after, 16);
    }
  });
}

}  // namespace
}  // namespace mdp::test
