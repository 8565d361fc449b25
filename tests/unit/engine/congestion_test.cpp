// Congestion control without a network: controllers driven by hand, against the formulas of their
// documents.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/congestion/cubic.hpp"
#include "engine/congestion/hystart.hpp"
#include "engine/congestion/pacer.hpp"
#include "engine/congestion/regulator.hpp"
#include "engine/congestion/windowed_min.hpp"

namespace mdp::engine::congestion {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t packet = 1000;

TEST(cube_root, is_exact) {
  for (std::uint64_t r : {0u, 1u, 2u, 3u, 10u, 999u, 2642244u}) {
    EXPECT_EQ(cube_root(r * r * r), r);
    EXPECT_EQ(cube_root((r + 1) * (r + 1) * (r + 1) - 1), r);
  }
  EXPECT_EQ(cube_root(UINT64_MAX), 2642245u);
}

// The average window in packets of CUBIC that loses one packet in `interval`, `rtt` apart.
double cubic_average_window(std::uint64_t interval, duration rtt) {
  cubic c(packet, 10);
  c.on_loss_event(at_ns(0), 0);
  std::uint64_t until_loss = interval;
  std::int64_t now = 1;
  double sum = 0;
  std::uint64_t rounds = 0, losses = 0;
  while (losses < 40) {
    const std::uint64_t acks = std::max<std::uint64_t>(c.window_bytes() / packet / 2, 1);
    for (std::uint64_t i = 0; i < acks; ++i) {
      now += rtt.count() / static_cast<std::int64_t>(acks);
      ack_event e;
      e.now = at_ns(now);
      e.bytes = 2 * packet;
      e.smoothed = e.rtt = rtt;
      c.on_acked(e);
      until_loss -= std::min<std::uint64_t>(until_loss, 2);
      if (until_loss > 0) continue;
      until_loss = interval;
      ++losses;
      c.on_loss_event(at_ns(now), 0);
    }
    if (losses < 10) continue;
    sum += static_cast<double>(c.window_bytes()) / packet;
    ++rounds;
  }
  return sum / static_cast<double>(rounds);
}

// R-CC-3
TEST(cubic, has_the_average_window_of_rfc_9438) {
  for (const std::uint64_t interval : {10'000u, 100'000u, 1'000'000u}) {
    const double p = 1 / static_cast<double>(interval);
    const double expected = 1.054 * std::pow(0.1 / p, 0.75);  // equation 6, RTT 0.1 s
    const double average = cubic_average_window(interval, 100ms);
    EXPECT_NEAR(average, expected, 0.2 * expected) << "p " << p;
  }
}

// R-CC-3
TEST(cubic, is_a_reno_flow_where_that_is_faster) {
  for (const std::uint64_t interval : {100u, 1'000u, 10'000u}) {
    const double mathis = std::sqrt(1.5 * static_cast<double>(interval));
    const double average = cubic_average_window(interval, 5ms);
    EXPECT_NEAR(average, mathis, 0.2 * mathis) << "1 loss in " << interval;
  }
}

// R-CC-2
TEST(cubic, does_not_grow_for_an_application_that_uses_less) {
  cubic c(packet, 10);
  ack_event e;
  e.now = at_ns(1);
  e.bytes = packet;
  e.smoothed = e.rtt = 10ms;
  e.app_limited = true;
  c.on_acked(e);
  EXPECT_EQ(c.window_bytes(), 10 * packet);
  e.app_limited = false;
  c.on_acked(e);
  EXPECT_EQ(c.window_bytes(), 11 * packet);
}

// R-CC-4
TEST(hystart, leaves_slow_start_when_round_trips_grow_and_stay_grown) {
  hystart h;
  const auto round = [&](duration rtt) {
    h.on_round_start();
    for (int i = 0; i < 8; ++i) h.on_sample(rtt);
  };
  round(40ms);
  round(44ms);
  EXPECT_FALSE(h.conservative()) << "an eighth of 40 ms is tolerated";
  round(50ms);
  EXPECT_TRUE(h.conservative());
  round(45ms);
  EXPECT_FALSE(h.conservative()) << "it was a mistake";
  round(60ms);
  for (int i = 0; i < 4; ++i) round(61ms);
  EXPECT_FALSE(h.done());
  round(61ms);
  EXPECT_TRUE(h.done());
}

TEST(windowed_min, forgets) {
  windowed_min m(10s);
  m.update(at_ns(0), 5ms);
  m.update(at_ns(0) + 9s, 7ms);
  EXPECT_EQ(m.get(), 5ms);
  m.update(at_ns(0) + 11s, 8ms);
  EXPECT_EQ(m.get(), 5ms);
  m.update(at_ns(0) + 22s, 9ms);
  EXPECT_EQ(m.get(), 8ms);
}

// R-PACE-1, R-PACE-2
TEST(pacer, keeps_the_rate_and_the_burst) {
  for (const std::uint64_t rate : {10'000ull, 12'500'000ull, 1'250'000'000ull}) {
    pacer p;
    const std::uint64_t burst = std::clamp<std::uint64_t>(rate / 500, 10 * packet, 256 * packet);
    std::uint64_t sent = 0;
    int wakes = 0;
    time_point now = at_ns(5);
    const time_point end = now + 10s;
    while (now < end) {
      std::uint64_t at_once = 0;
      while (p.allows(now, rate, packet)) {
        p.on_sent(packet);
        at_once += packet;
      }
      ASSERT_LE(at_once, burst);
      sent += at_once;
      const time_point next = p.next_time(rate, packet);
      ASSERT_GT(next, now);
      now = next;
      ++wakes;
    }
    EXPECT_LE(sent, rate * 10 + burst);
    EXPECT_GE(sent + 2 * burst, rate * 10 / 100 * 99);
    EXPECT_LE(wakes, 100'000) << "a timer a burst, not a packet";
  }
}

class regulated : public testing::Test {
 protected:
  sent_packet send(std::int64_t ms) {
    sent_packet p;
    p.sent = at(ms);
    p.bytes = packet;
    p.eliciting = true;
    r.on_sent(p.sent, p, false);
    return p;
  }
  void ack(std::int64_t ms, const sent_packet& p, bool was_lost = false, std::uint32_t probes = 0) {
    undone += r.on_packet_acked(at(ms), p, was_lost);
    rtt.update(at(ms) - p.sent, 0ms);
    r.on_ack(at(ms), rtt, true, 20 * packet, probes);
  }
  static time_point at(std::int64_t ms) { return at_ns(1'000'000'000) + ms * 1ms; }
  config settings;
  regulator r{congestion_kind::cubic, settings, packet};
  rtt_estimator rtt{100ms};
  int undone = 0;
};

// R-CC-5
TEST_F(regulated, losses_of_one_round_trip_are_one_event) {
  sent_packet first = send(0), second = send(1), third = send(200);
  EXPECT_TRUE(r.on_lost(at(100), first, packet));
  const std::uint64_t cut = r.window_bytes();
  EXPECT_EQ(cut, 7 * packet);
  EXPECT_FALSE(r.on_lost(at(150), second, packet));
  EXPECT_EQ(r.window_bytes(), cut);
  EXPECT_TRUE(r.on_lost(at(300), third, packet));
  EXPECT_LT(r.window_bytes(), cut);
}

// R-CC-5
TEST_F(regulated, a_mistaken_event_is_undone_when_its_last_loss_is_acknowledged) {
  sent_packet first = send(0), second = send(1);
  EXPECT_TRUE(r.on_lost(at(100), first, packet));
  EXPECT_FALSE(r.on_lost(at(100), second, packet));
  ack(120, first, true);
  EXPECT_LT(r.window_bytes(), 10 * packet);
  EXPECT_EQ(undone, 0);
  ack(121, second, true);
  EXPECT_GE(r.window_bytes(), 10 * packet);
  EXPECT_EQ(undone, 1);
}

// R-CC-5
TEST_F(regulated, a_blackout_leaves_the_least_window) {
  sent_packet lost = send(0);
  const sent_packet probe = send(500);
  ack(600, probe, false, 2);
  EXPECT_TRUE(r.on_lost(at(600), lost, packet));
  EXPECT_EQ(r.window_bytes(), 2 * packet);
}

// R-PACE-3
TEST_F(regulated, what_left_unpaced_is_not_owed_later) {
  ack(10, send(0));
  ASSERT_GT(r.pacing_rate(), 0u);
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(r.pace_allows(at(11), 500us));
    send(11);
  }
  send(11);
  EXPECT_TRUE(r.pace_allows(at(12), 500us));
  EXPECT_TRUE(r.pace_allows(at(12), 2ms));
}

// R-CC-1
TEST_F(regulated, a_fixed_window_stays_and_is_not_paced) {
  r.use(congestion_kind::fixed, settings);
  sent_packet lost = send(0);
  EXPECT_TRUE(r.on_lost(at(10), lost, packet));
  EXPECT_EQ(r.window_bytes(), settings.congestion_window_bytes);
  EXPECT_EQ(r.pacing_rate(), 0u);
}

}  // namespace
}  // namespace mdp::engine::congestion
