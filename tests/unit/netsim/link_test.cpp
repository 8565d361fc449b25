// One link alone: rate, delay, jitter, loss, queue.
#include "mdp/netsim/link.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "mdp/base/random.hpp"
#include "tests/unit/netsim/wire.hpp"

namespace mdp::netsim::test {
namespace {

TEST(Link, DelayIsExact) {
  link_spec s;
  s.delay_ns = 25'000'000;
  wire w(s);
  EXPECT_EQ(w.offer(7, 100), verdict::pass);
  EXPECT_EQ(w.take(forever),
            (std::vector<std::pair<std::int64_t, std::uint32_t>>{{25'000'007, 0}}));
}

// 1,000 bytes at 3 Mb/s take 2,666,666.6 ns: packet n leaves at floor(n * 8e12 / 3e6), without
// drift.
TEST(Link, PacketsBackToBackLeaveAtExactMultiples) {
  wire w(rated(3'000'000));
  for (int i = 0; i < 30'000; ++i) ASSERT_EQ(w.offer(0, 1000), verdict::pass);
  const auto out = w.take(forever);
  ASSERT_EQ(out.size(), 30'000u);
  for (std::size_t n = 0; n < out.size(); ++n) {
    ASSERT_EQ(out[n].first, static_cast<std::int64_t>((n + 1) * 8'000'000 / 3));
  }
}

TEST(Link, AnIdleWireStartsAfresh) {
  wire w(rated(8'000'000));
  static_cast<void>(w.offer(0, 1000));
  static_cast<void>(w.offer(5'000'000, 1000));
  EXPECT_EQ(w.take(forever),
            (std::vector<std::pair<std::int64_t, std::uint32_t>>{{1'000'000, 0}, {6'000'000, 1}}));
}

TEST(Link, QueueLimitInPackets) {
  link_spec s = rated(8'000'000);  // 1 ms for 1,000 bytes
  s.queue_packets = 3;
  wire w(s);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(w.offer(0, 1000), verdict::pass);
  EXPECT_EQ(w.offer(0, 1000), verdict::queue_full);
  EXPECT_EQ(w.offer(999'999, 1000), verdict::queue_full);
  EXPECT_EQ(w.offer(1'000'000, 1000), verdict::pass);  // one has left
  EXPECT_EQ(w.under_test.queued(1'000'000, w.slab), 3u);
  EXPECT_EQ(w.under_test.dropped(), (std::vector<std::uint64_t>{3, 4}));
  EXPECT_EQ(w.under_test.counts().queue_full, 2u);
  EXPECT_EQ(w.take(forever).size(), 4u);
}

TEST(Link, QueueLimitInBytes) {
  link_spec s = rated(8'000'000);
  s.queue_bytes = 2500;
  wire w(s);
  EXPECT_EQ(w.offer(0, 1000), verdict::pass);
  EXPECT_EQ(w.offer(0, 1000), verdict::pass);
  EXPECT_EQ(w.offer(0, 1000), verdict::queue_full);
  EXPECT_EQ(w.offer(0, 500), verdict::pass);
  EXPECT_EQ(w.offer(1'000'000, 1000), verdict::pass);
}

TEST(Link, TooLargeForTheMtu) {
  link_spec s;
  s.mtu_bytes = 1200;
  wire w(s);
  EXPECT_EQ(w.offer(0, 1201), verdict::too_large);
  EXPECT_EQ(w.offer(0, 1200), verdict::pass);
  EXPECT_EQ(w.under_test.counts().too_large, 1u);
}

TEST(Link, LossRateWithinThreeSigma) {
  for (const char* percent : {"1", "0.1", "30"}) {
    link_spec s;
    s.loss = *probability_of_percent(*parse_decimal(percent));
    wire w(s);
    constexpr double n = 1e6;
    for (int i = 0; i < 1'000'000; ++i) {
      static_cast<void>(w.offer(i, 64));
      static_cast<void>(w.take(i));
    }
    const double p = std::stod(percent) / 100;
    EXPECT_NEAR(static_cast<double>(w.under_test.counts().lost), n * p,
                3 * std::sqrt(n * p * (1 - p)))
        << percent;
    EXPECT_LE(w.under_test.dropped().size(), link::dropped_listed_max);
  }
}

TEST(Link, LossIsIndependentFromPacketToPacket) {
  link_spec s;
  s.loss = *probability_of_percent(*parse_decimal("50"));
  wire w(s);
  constexpr double n = 400'000;
  double pairs = 0;
  bool before = false;
  for (int i = 0; i < 400'000; ++i) {
    const bool lost = w.offer(i, 64) == verdict::lost;
    static_cast<void>(w.take(i));
    if (lost && before) ++pairs;
    before = lost;
  }
  // Variance of the number of adjacent pairs at p = 1/2 is 5n/16.
  EXPECT_NEAR(pairs, n / 4, 3.5 * std::sqrt(5 * n / 16));
}

// The fate of packet k is a function of k: loss is the same whatever the jitter or the sizes are.
TEST(Link, OtherFaultsMoveNoLoss) {
  link_spec s;
  s.loss = *probability_of_percent(*parse_decimal("10"));
  wire plain(s);
  s.jitter_ns = 1'000'000;
  s.reorder = true;
  wire jittery(s);
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(plain.offer(i, 64), jittery.offer(i * 1000, 1400));
  }
}

TEST(Link, JitterStaysInBoundsAndKeepsOrder) {
  link_spec s;
  s.delay_ns = 1'000'000;
  s.jitter_ns = 500'000;
  wire w(s);
  for (int i = 0; i < 20'000; ++i) static_cast<void>(w.offer(i * 100'000, 64));
  const auto out = w.take(forever);
  ASSERT_EQ(out.size(), 20'000u);
  std::int64_t least = no_event;
  std::int64_t most = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    ASSERT_EQ(out[i].second, i);
    const std::int64_t transit = out[i].first - static_cast<std::int64_t>(i) * 100'000;
    least = std::min(least, transit);
    most = std::max(most, transit);
  }
  EXPECT_GE(least, 1'000'000);
  EXPECT_LE(most, 1'500'000);
  EXPECT_GT(most - least, 490'000);
}

// Uniform jitter J and packets .1 J apart: P(overtaken by the next) = .9^2 / 2 = 40.5 %.
TEST(Link, JitterMayReorder) {
  link_spec s;
  s.delay_ns = 1'000'000;
  s.jitter_ns = 1'000'000;
  s.reorder = true;
  wire w(s);
  constexpr std::size_t n = 200'000;
  std::vector<std::int64_t> arrival(n);
  std::int64_t last = 0;
  const auto collect = [&](std::int64_t until) {
    for (const auto& [time, number] : w.take(until)) {
      EXPECT_GE(time, last);
      last = time;
      arrival[number] = time;
    }
  };
  for (std::size_t i = 0; i < n; ++i) {
    const auto now = static_cast<std::int64_t>(i) * 100'000;
    collect(now);
    static_cast<void>(w.offer(now, 64));
  }
  collect(forever);
  std::size_t overtaken = 0;
  for (std::size_t i = 0; i + 1 < n; ++i) {
    ASSERT_GE(arrival[i], static_cast<std::int64_t>(i) * 100'000 + 1'000'000);
    if (arrival[i + 1] < arrival[i]) ++overtaken;
  }
  EXPECT_NEAR(static_cast<double>(overtaken) / n, .405, .006);
}

// Reordering together with a rate and a queue: everything comes out once, and the queue empties.
TEST(Link, ReorderingKeepsTheQueueInOrder) {
  link_spec s = rated(80'000'000);  // 0.1 ms for 1,000 bytes
  s.delay_ns = 1000;
  s.jitter_ns = 700'000;
  s.reorder = true;
  s.queue_packets = 20;
  wire w(s);
  seeded_random random(5);
  std::vector<std::uint32_t> seen;
  std::uint64_t passed = 0;
  std::int64_t now = 0;
  for (int i = 0; i < 50'000; ++i) {
    now += static_cast<std::int64_t>(random.next() % 200'000);
    for (const auto& [time, number] : w.take(now)) seen.push_back(number);
    if (w.offer(now, 1000) == verdict::pass) ++passed;
    ASSERT_LE(w.under_test.queued(now, w.slab), 20u);
  }
  for (const auto& [time, number] : w.take(forever)) seen.push_back(number);
  EXPECT_EQ(seen.size(), passed);
  EXPECT_FALSE(std::is_sorted(seen.begin(), seen.end()));
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
  EXPECT_EQ(w.under_test.queued(forever, w.slab), 0u);
  EXPECT_EQ(w.slab.live(), 0u);
  EXPECT_GT(w.under_test.counts().queue_full, 0u);
}

}  // namespace
}  // namespace mdp::netsim::test
