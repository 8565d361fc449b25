// Queues that drop or mark before they are full, against their papers and RFCs.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "mdp/base/random.hpp"
#include "mdp/netsim/red.hpp"
#include "tests/unit/netsim/wire.hpp"

namespace mdp::netsim::test {
namespace {

constexpr std::int64_t ms = 1'000'000;

// 8 Mb/s: a packet of 1,000 bytes takes a millisecond.
link_spec managed(discipline kind, bool ecn = true) {
  link_spec s = rated(8'000'000);
  auto models = std::make_shared<link_models>();
  models->queue.kind = kind;
  models->queue.ecn = ecn;
  s.models = models;
  return s;
}

TEST(CoDel, ControlLawIsExact) {
  for (std::uint32_t n = 1; n < 5000; ++n) {
    const double exact = 1e8 / std::sqrt(static_cast<double>(n));
    EXPECT_NEAR(static_cast<double>(codel_next(0, 100 * ms, n)), exact, 1.0) << n;
  }
}

// RFC 8289, section 5: under a load that does not give way the n-th drop follows the one before by
// 100 ms / sqrt(n).
TEST(CoDel, DropsUnderStandingLoadComeByTheControlLaw) {
  wire w(managed(discipline::codel));
  for (std::int64_t t = 0; t < 3000 * ms; t += ms / 2) {
    static_cast<void>(w.take(t));
    static_cast<void>(w.offer(t, 1000));
  }
  ASSERT_GT(w.gone.size(), 100u);
  // The first after the queue was above its target for an interval.
  EXPECT_NEAR(static_cast<double>(w.gone[0].first) / 1e6, 105, 12);
  double due = static_cast<double>(w.gone[0].first) / 1e6;
  for (std::size_t n = 1; n < 100; ++n) {
    due += 100 / std::sqrt(static_cast<double>(n));
    // At the end of the packet that is being sent then, and of rounding by each before.
    EXPECT_NEAR(static_cast<double>(w.gone[n].first) / 1e6, due, 2.0) << n;
  }
}

TEST(CoDel, AQueueBelowItsTargetIsLeftAlone) {
  wire w(managed(discipline::codel));
  // Bursts of four: the last of each waits three milliseconds.
  for (std::int64_t t = 0; t < 3000 * ms; t += 5 * ms) {
    static_cast<void>(w.take(t));
    for (int i = 0; i < 4; ++i) static_cast<void>(w.offer(t, 1000));
  }
  static_cast<void>(w.take(forever));
  EXPECT_TRUE(w.gone.empty());
  EXPECT_EQ(w.came_from.size(), 2400u);
}

// Packets come as fast as they leave, so that each waits as long as the first backlog takes.
TEST(CoDel, ItsTargetDividesStandingQueues) {
  for (const int backlog : {4, 7}) {
    wire w(managed(discipline::codel));
    for (int i = 0; i < backlog; ++i) static_cast<void>(w.offer(0, 1000));
    for (std::int64_t t = ms; t < 3000 * ms; t += ms) {
      static_cast<void>(w.take(t));
      static_cast<void>(w.offer(t, 1000));
    }
    EXPECT_EQ(w.gone.empty(), backlog == 4) << backlog;
  }
}

// RFC 8289, section 5.5: with no more than a packet behind it none is dropped, however long it
// took.
TEST(CoDel, ASlowWireWithOnePacketWaitingIsLeftAlone) {
  link_spec s = managed(discipline::codel);
  s.rate_bps = 80'000;  // 100 ms a packet
  wire w(s);
  for (int i = 0; i < 2; ++i) static_cast<void>(w.offer(0, 1000));
  for (std::int64_t t = 100 * ms; t < 30'000 * ms; t += 100 * ms) {
    static_cast<void>(w.offer(t - 1, 1000));
    static_cast<void>(w.take(t));
  }
  EXPECT_TRUE(w.gone.empty());
}

// Without congestion CoDel is a FIFO: the same packets at the same times as DropTail.
TEST(CoDel, WithoutCongestionItIsAFifo) {
  wire plain(rated(8'000'000));
  wire w(managed(discipline::codel));
  std::vector<std::pair<std::int64_t, std::uint32_t>> expected;
  std::vector<std::pair<std::int64_t, std::uint32_t>> got;
  std::int64_t t = 0;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    t += static_cast<std::int64_t>(splitmix64(i) % (3 * ms));
    const auto bytes = static_cast<std::uint16_t>(100 + splitmix64(i + 77) % 900);
    for (const auto& e : plain.take(t)) expected.push_back(e);
    for (const auto& e : w.take(t)) got.push_back(e);
    static_cast<void>(plain.offer(t, bytes));
    static_cast<void>(w.offer(t, bytes));
  }
  for (const auto& e : plain.take(forever)) expected.push_back(e);
  for (const auto& e : w.take(forever)) got.push_back(e);
  EXPECT_EQ(got.size(), 5000u);
  EXPECT_EQ(got, expected);
}

TEST(CoDel, MarksWhatCanBeMarked) {
  for (const bool ecn : {true, false}) {
    wire w(managed(discipline::codel, ecn));
    for (std::int64_t t = 0; t < 1000 * ms; t += ms / 2) {
      static_cast<void>(w.take(t));
      static_cast<void>(w.offer(t, 1000, 0, buffer::ecn::ect0));
    }
    EXPECT_EQ(w.gone.empty(), ecn);
    EXPECT_EQ(w.under_test.counts().marked > 5, ecn);
    EXPECT_EQ(w.under_test.counts().queue_full, w.gone.size());
  }
}

TEST(CoDel, AFullQueueDropsItsOldest) {
  link_spec s = managed(discipline::codel);
  s.queue_packets = 3;
  wire w(s);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(w.offer(0, 1000), verdict::waits);
  // The first is on the wire.
  EXPECT_EQ(w.gone, (std::vector<std::pair<std::int64_t, std::uint64_t>>{{0, 1}, {0, 2}}));
  EXPECT_EQ(w.under_test.queued(0, w.slab), 4u);
  EXPECT_EQ(w.take(forever).size(), 4u);
}

// RFC 8290: a thin flow is not touched by one that fills the link twice over.
TEST(FqCoDel, AThinFlowIsIsolated) {
  wire w(managed(discipline::fq_codel));
  std::map<std::uint32_t, std::int64_t> thin_sent;
  std::vector<std::int64_t> waits;
  const auto take = [&](std::int64_t t) {
    for (const auto& [at, number] : w.take(t))
      if (const auto i = thin_sent.find(number); i != thin_sent.end())
        waits.push_back(at - i->second);
  };
  for (std::int64_t t = 0; t < 3000 * ms; t += ms / 2) {
    take(t);
    static_cast<void>(w.offer(t, 1000, 1));
    if (t % (10 * ms) != 0) continue;
    static_cast<void>(w.offer(t, 100, 2));
    thin_sent[w.last] = t;
  }
  take(forever);
  EXPECT_EQ(waits.size(), thin_sent.size()) << "none was dropped";
  // The packet on the wire, one more of the other flow, and its own 0.1 ms.
  for (const std::int64_t wait : waits) EXPECT_LE(wait, 21 * ms / 10);
  EXPECT_GT(w.gone.size(), 100u);
}

// Deficit round robin: flows with packets of 1,400 and of 200 bytes get the same bytes.
TEST(FqCoDel, FlowsShareByBytes) {
  wire w(managed(discipline::fq_codel));
  std::map<std::uint32_t, std::uint16_t> size{{1, 1400}, {2, 200}};
  for (std::int64_t t = 0; t < 5000 * ms; t += ms / 4) {
    static_cast<void>(w.take(t));
    static_cast<void>(w.offer(t, size[1], 1));
    static_cast<void>(w.offer(t, size[2], 2));
    static_cast<void>(w.offer(t, size[2], 2));
  }
  std::map<std::uint32_t, double> bytes;
  for (const std::uint32_t from : w.came_from) bytes[from] += size[from];
  EXPECT_NEAR(bytes[1] / bytes[2], 1.0, 0.01);
}

TEST(FqCoDel, AFullQueueDropsFromTheLongestFlow) {
  link_spec s = managed(discipline::fq_codel);
  s.queue_packets = 10;
  wire w(s);
  static_cast<void>(w.offer(0, 1000, 2));
  static_cast<void>(w.offer(0, 1000, 2));
  for (int i = 0; i < 50; ++i) static_cast<void>(w.offer(0, 1000, 1));
  const auto out = w.take(forever);
  std::size_t thin = 0;
  for (const std::uint32_t from : w.came_from) thin += from == 2;
  EXPECT_EQ(thin, 2u);
  EXPECT_EQ(out.size() + w.gone.size(), 52u);
}

queue_spec red(std::uint32_t least, std::uint32_t most) {
  queue_spec q;
  q.kind = discipline::red;
  q.min_packets = least;
  q.max_packets = most;
  return q;
}

// Floyd and Jacobson 1993, section 7: the gaps between marks are uniform over 1 .. 1/p.
TEST(Red, GapsBetweenSignalsAreUniform) {
  red_process r(red(50, 150));
  std::vector<std::size_t> gaps(64);
  std::size_t gap = 0;
  std::size_t signals = 0;
  for (std::uint64_t i = 0; signals < 200'000; ++i) {
    ++gap;
    // 100 in the queue: the average gets there, and p is 5 %.
    if (r.on_arrival(100, 0, splitmix64(i)) == red_process::answer::take) continue;
    if (i > 50'000) {
      ASSERT_LT(gap, gaps.size());
      ++gaps[gap];
      ++signals;
    }
    gap = 0;
  }
  EXPECT_NEAR(static_cast<double>(r.average()) / 65536, 100, 0.05);
  for (std::size_t g = 1; g <= 20; ++g)
    EXPECT_NEAR(static_cast<double>(gaps[g]), 10'000, 4 * 100) << g;  // 4 sigma
  for (std::size_t g = 21; g < gaps.size(); ++g) EXPECT_LT(gaps[g], 200u) << g;
}

// Gentle: halfway between max and twice max the probability is halfway between max_pct and 1.
TEST(Red, RisesGentlyAboveItsMaximum) {
  red_process r(red(50, 150));
  for (int i = 0; i < 100'000; ++i) static_cast<void>(r.on_arrival(225, 0, ~std::uint64_t{0}));
  std::size_t first = 0;
  std::size_t trials = 0;
  for (std::uint64_t i = 0; trials < 100'000; ++i) {
    if (r.on_arrival(225, 0, splitmix64(i)) == red_process::answer::take) continue;
    // Right after a signal the probability is p itself.
    ++trials;
    first += r.on_arrival(225, 0, splitmix64(~i)) != red_process::answer::take;
  }
  EXPECT_NEAR(static_cast<double>(first) / static_cast<double>(trials), 0.55, 0.006);
  for (int i = 0; i < 100'000; ++i) static_cast<void>(r.on_arrival(301, 0, 0));
  EXPECT_EQ(r.on_arrival(301, 0, ~std::uint64_t{0}), red_process::answer::drop);
}

TEST(Red, AnIdleWireLowersTheAverage) {
  for (const std::uint64_t idle : {1ull, 100ull, 1000ull, 10'000ull}) {
    red_process r(red(5, 15));
    for (int i = 0; i < 100'000; ++i) static_cast<void>(r.on_arrival(100, 0, ~std::uint64_t{0}));
    const auto before = static_cast<double>(r.average());
    static_cast<void>(r.on_arrival(0, idle, ~std::uint64_t{0}));
    const double expected = before * std::pow(1 - 1.0 / 512, static_cast<double>(idle));
    EXPECT_NEAR(static_cast<double>(r.average()), expected, 2 + 1e-4 * expected) << idle;
  }
}

TEST(Red, MarksOrDropsOnALink) {
  for (const auto codepoint : {buffer::ecn::not_ect, buffer::ecn::ect0}) {
    wire w(managed(discipline::red));
    // A queue of some 100 packets that neither grows nor shrinks.
    for (int i = 0; i < 100; ++i) static_cast<void>(w.offer(0, 1000, 0, codepoint));
    std::size_t offered = 0;
    for (std::int64_t t = ms; offered < 20'000; t += ms) {
      static_cast<void>(w.take(t));
      for (; w.under_test.queued(t, w.slab) < 100; ++offered)
        static_cast<void>(w.offer(t, 1000, 0, codepoint));
    }
    const link_counts counts = w.under_test.counts();
    const std::uint64_t signals = counts.marked + counts.queue_full;
    EXPECT_EQ(counts.marked == 0, codepoint == buffer::ecn::not_ect);
    EXPECT_EQ(counts.queue_full == 0, codepoint != buffer::ecn::not_ect);
    EXPECT_NEAR(static_cast<double>(signals) / static_cast<double>(offered), 1 / 10.7, 0.01);
  }
}

}  // namespace
}  // namespace mdp::netsim::test
