// What links have as netem and mahimahi do: correlated draws, reordering by gap, delivery traces.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "mdp/netsim/link_models.hpp"
#include "mdp/netsim/options.hpp"
#include "tests/unit/netsim/wire.hpp"
#include "tests/unit/netsim/world.hpp"

namespace mdp::netsim::test {
namespace {

probability percent(const char* text) {
  return *probability_of_percent(*parse_decimal(text));
}

link_spec modelled(const link_models& models) {
  link_spec s;
  s.delay_ns = 1'000'000;
  s.models = std::make_shared<const link_models>(models);
  return s;
}

// Share of the draws below p when each is (1 - r) of a uniform one and r of the one before: the
// fixed point of F(t) = integral of F((t - (1 - r) u) / r) du, on a grid. Not netem's arithmetic.
double share_below(double p, double r) {
  constexpr int n = 4000;
  std::vector<double> f(n + 1);
  for (int i = 0; i <= n; ++i) f[static_cast<std::size_t>(i)] = static_cast<double>(i) / n;
  const auto at = [&](double x) {
    if (x <= 0) return 0.0;
    if (x >= 1) return 1.0;
    const double place = x * n;
    const auto low = static_cast<std::size_t>(place);
    return f[low] + (place - static_cast<double>(low)) * (f[low + 1] - f[low]);
  };
  for (int round = 0; round < 60; ++round) {
    std::vector<double> next(n + 1);
    for (int i = 0; i <= n; ++i) {
      constexpr int steps = 200;
      double sum = 0;
      for (int s = 0; s < steps; ++s)
        sum += at((static_cast<double>(i) / n - (1 - r) * (s + 0.5) / steps) / r);
      next[static_cast<std::size_t>(i)] = sum / steps;
    }
    f = next;
  }
  return at(p);
}

// netem's flaw too: the losses become fewer than asked for.
TEST(Correlation, LossesFollowTheStationaryLawOfTheirDraws) {
  link_models m;
  m.correlation.loss = percent("50");
  link_spec s = modelled(m);
  s.loss = percent("20");
  constexpr int n = 1'000'000;
  wire w(s);
  for (int i = 0; i < n; ++i) {
    static_cast<void>(w.offer(i * 100, 64));
    static_cast<void>(w.take(i * 100));
  }
  const double expected = share_below(0.2, 0.5);
  EXPECT_LT(expected, 0.15);
  const double lost = static_cast<double>(w.under_test.counts().lost) / n;
  // Neighbours are alike, so the mean of n varies as that of n (1 - r) / (1 + r).
  EXPECT_NEAR(lost, expected, 3 * std::sqrt(expected * (1 - expected) * 3 / n));
}

// Lags 1 to 4 of the delays: r^k; their deviation: J / sqrt(12) sqrt((1 - r) / (1 + r)).
TEST(Correlation, DelaysAreAlikeByPowersOfIt) {
  for (const char* text : {"25", "60"}) {
    const double r = std::atof(text) / 100;
    link_models m;
    m.correlation.delay = percent(text);
    link_spec s = modelled(m);
    s.jitter_ns = 10'000'000;
    s.reorder = true;
    constexpr std::size_t n = 1'000'000;
    wire w(s);
    std::vector<double> delay(n);
    const auto note = [&](std::int64_t until) {
      for (const auto& [time, number] : w.take(until))
        delay[number] = static_cast<double>(time - number * std::int64_t{1'000'000});
    };
    for (std::size_t i = 0; i < n; ++i) {
      const auto now = static_cast<std::int64_t>(i) * 1'000'000;
      note(now);
      static_cast<void>(w.offer(now, 64));
    }
    note(forever);
    double mean = 0, variance = 0;
    for (const double d : delay) mean += d / n;
    for (const double d : delay) variance += (d - mean) * (d - mean) / n;
    EXPECT_NEAR(mean, 1e6 + 5e6, 2e4);
    EXPECT_NEAR(std::sqrt(variance / ((1 - r) / (1 + r))), 1e7 / std::sqrt(12), 1e4);
    for (std::size_t k = 1; k <= 4; ++k) {
      double together = 0;
      for (std::size_t i = k; i < n; ++i) together += (delay[i] - mean) * (delay[i - k] - mean);
      EXPECT_NEAR(together / n / variance, std::pow(r, k), 0.006) << "lag " << k;
    }
  }
}

TEST(Correlation, NoneIsTheDrawItself) {
  correlated_draw d;
  EXPECT_EQ(d.next(123, {}), 123u);
  EXPECT_EQ(d.next(7, {}), 7u);
  correlated_draw same;
  const std::uint64_t first = same.next(std::uint64_t{77} << 32, percent("100"));
  EXPECT_EQ(same.next(UINT64_MAX, percent("100")) >> 32, first >> 32);
}

TEST(Correlation, CopiesAndDamageComeInRuns) {
  link_models m;
  m.duplicate = m.corrupt = percent("30");
  m.correlation.duplicate = m.correlation.corrupt = percent("60");
  wire w(modelled(m));
  constexpr int n = 100'000;
  std::vector<bool> twice(n), harmed(n);
  for (int i = 0; i < n; ++i) {
    const link_counts before = w.under_test.counts();
    static_cast<void>(w.offer(i * 100, 64));
    static_cast<void>(w.take(i * 100));
    twice[static_cast<std::size_t>(i)] = w.under_test.counts().duplicated != before.duplicated;
    harmed[static_cast<std::size_t>(i)] = w.under_test.counts().corrupted != before.corrupted;
  }
  for (const std::vector<bool>* list : {&twice, &harmed}) {
    double events = 0, runs = 0;
    for (std::size_t i = 1; i < list->size(); ++i) {
      events += (*list)[i] ? 1 : 0;
      runs += (*list)[i] && !(*list)[i - 1] ? 1 : 0;
    }
    ASSERT_GT(runs, 100);
    const double alone = 1 / (1 - events / static_cast<double>(n));  // mean of independent ones
    EXPECT_GT(events / runs, 1.3 * alone);
  }
  EXPECT_NE(twice, harmed);
}

// netem's `reorder 100% gap 5`: packets 4, 9, 14, ... go at once.
TEST(Reordering, EveryFifthPacketGoesWithoutDelay) {
  link_models m;
  m.early = percent("100");
  m.early_gap = 5;
  wire w(modelled(m));
  std::map<std::uint32_t, std::int64_t> came;
  for (int i = 0; i < 1000; ++i) static_cast<void>(w.offer(i * 1000, 64));
  for (const auto& [time, number] : w.take(forever)) came[number] = time;
  ASSERT_EQ(came.size(), 1000u);
  for (const auto& [number, time] : came)
    EXPECT_EQ(time, number * 1000 + (number % 5 == 4 ? 0 : 1'000'000)) << number;
}

// With a probability p the wait for the next early packet is gap - 1 and then geometric: one of
// gap - 1 + 1/p packets.
TEST(Reordering, BeyondTheGapItIsByChance) {
  link_models m;
  m.early = percent("25");
  m.early_gap = 4;
  wire w(modelled(m));
  constexpr int n = 200'000;
  int early = 0;
  for (int i = 0; i < n; ++i) {
    const std::int64_t now = i * std::int64_t{2'000'000};
    static_cast<void>(w.offer(now, 64));
    for (const auto& [time, number] : w.take(now + 1'999'999)) early += time == now ? 1 : 0;
  }
  EXPECT_NEAR(early, n / 7.0, 3 * std::sqrt(n / 7.0));
}

TEST(Reordering, TheOthersKeepTheirOrderAndTheRateItsTime) {
  link_models m;
  m.early = percent("50");
  link_spec s = modelled(m);
  s.rate_bps = 8'000'000;  // a byte a microsecond
  s.jitter_ns = 3'000'000;
  wire w(s);
  for (int i = 0; i < 1000; ++i) static_cast<void>(w.offer(0, 100));
  std::uint32_t newest = 0;
  int early = 0;
  for (const auto& [time, number] : w.take(forever)) {
    const std::int64_t departs = (number + std::int64_t{1}) * 100'000;
    ASSERT_GE(time, departs);
    if (time == departs) {
      ++early;
      continue;
    }
    ASSERT_GE(time, departs + 1'000'000);
    ASSERT_GE(number, newest);
    newest = number;
  }
  EXPECT_NEAR(early, 500, 50);
}

link_spec traced(const delivery_trace& trace) {
  link_models m;
  m.deliveries = trace;
  link_spec s = modelled(m);
  s.delay_ns = 0;
  s.queue_packets = 0;
  s.mtu_bytes = 9000;
  s.rate_bps = mean_rate_bps(trace);
  return s;
}

// Each opportunity takes one full packet; those that find none are gone; the trace begins anew.
TEST(Deliveries, APacketGoesAtTheNextOpportunity) {
  wire w(traced({2, 2, 5, 9}));
  const auto departs = [&](std::int64_t ms, std::uint16_t bytes) {
    EXPECT_EQ(w.offer(ms * 1'000'000, bytes), verdict::pass);
    const std::int64_t at = w.last_depart;
    EXPECT_EQ(at % 1'000'000, 0);
    static_cast<void>(w.take(ms * 1'000'000));
    return at / 1'000'000;
  };
  EXPECT_EQ(departs(0, 1472), 2);
  EXPECT_EQ(departs(0, 1472), 2);
  EXPECT_EQ(departs(1, 1472), 5);
  EXPECT_EQ(departs(1, 1472), 9);
  EXPECT_EQ(departs(1, 1472), 11);                 // 9 + 2
  EXPECT_EQ(departs(12, 1472), 14);                // the second one of 11 was nobody's
  EXPECT_EQ(departs(18, 1472), 18);                // just in time
  EXPECT_EQ(departs(9'000'003, 1472), 9'000'005);  // a million rounds later
}

TEST(Deliveries, SmallPacketsShareOneAndLargeOnesTakeSeveral) {
  wire w(traced({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  std::vector<std::int64_t> at;
  // 468 + 32 bytes: three in each opportunity, with 4 bytes left that help the next.
  for (int i = 0; i < 4; ++i) {
    static_cast<void>(w.offer(0, 468));
    at.push_back(w.last_depart / 1'000'000);
  }
  EXPECT_EQ(at, (std::vector<std::int64_t>{1, 1, 1, 2}));
  static_cast<void>(w.offer(0, 4000));  // 4,032 bytes: 1,008 of the second, 1,504 and 1,504
  EXPECT_EQ(w.last_depart / 1'000'000, 5);
}

// Under standing load the link carries the trace's integral, to the packet.
TEST(Deliveries, AFullQueueIsServedByEveryOpportunity) {
  delivery_trace trace;
  seeded_random random(7);
  std::uint32_t ms = 0;
  for (int i = 0; i < 5000; ++i)
    trace.push_back(ms += static_cast<std::uint32_t>(random.next() % 4));
  wire w(traced(trace));
  std::vector<std::int64_t> out;
  for (int i = 0; i < 12'000; ++i) {
    static_cast<void>(w.offer(0, 1472));
    out.push_back(w.last_depart / 1'000'000);
  }
  for (std::size_t i = 0; i < out.size(); ++i)
    ASSERT_EQ(out[i], static_cast<std::int64_t>(i / 5000) * trace.back() + trace[i % 5000]) << i;
}

TEST(Deliveries, TheQueueFillsAsTheTraceLets) {
  link_spec s = traced({10, 20});
  s.queue_packets = 2;
  wire w(s);
  EXPECT_EQ(w.offer(0, 100), verdict::pass);
  EXPECT_EQ(w.offer(0, 1472), verdict::pass);
  EXPECT_EQ(w.offer(0, 1472), verdict::queue_full);
  EXPECT_EQ(w.offer(10'000'000, 1472), verdict::pass);  // the first has gone
  EXPECT_EQ(mean_rate_bps({10, 20}), 2u * 1504 * 8 * 50);
}

// The options, from JSON.
std::string complaint(const std::string& link) {
  try {
    static_cast<void>(parse_network_options((R"({"links": {"default": {)" + link + "}}}").c_str()));
  } catch (const options_error& e) {
    return e.what();
  }
  return "";
}

TEST(NetemOptions, WhatHasNoMeaningIsRefused) {
  EXPECT_EQ(complaint(R"("loss_pct": 1, "loss_correlation_pct": 25)"), "");
  EXPECT_NE(complaint(R"("loss_correlation_pct": 25)").find("without loss_pct"), std::string::npos);
  EXPECT_NE(complaint(R"("delay_correlation_pct": 25)").find("without jitter_us"),
            std::string::npos);
  EXPECT_NE(complaint(R"("duplicate_correlation_pct": 1)").find("without duplicate_pct"),
            std::string::npos);
  EXPECT_NE(complaint(R"("corrupt_correlation_pct": 1)").find("without corrupt_pct"),
            std::string::npos);
  EXPECT_NE(complaint(R"("reorder_correlation_pct": 1)").find("without reorder_pct"),
            std::string::npos);
  EXPECT_NE(complaint(R"("reorder_gap": 0)"), "");
  EXPECT_EQ(complaint(R"("reorder_gap": 5)"), "");
  EXPECT_NE(complaint(R"("rate_mbps": 1, "reorder_pct": 5, "queue": {"discipline": "codel"})"), "");
  EXPECT_NE(complaint(R"("deliveries_ms": [])").find("is empty"), std::string::npos);
  EXPECT_NE(complaint(R"("deliveries_ms": [3, 2])").find("deliveries_ms/1"), std::string::npos);
  EXPECT_NE(complaint(R"("deliveries_ms": [0, 0])").find("takes no time"), std::string::npos);
  EXPECT_NE(complaint(R"("deliveries_ms": [1], "rate_mbps": 5)").find("is the rate"),
            std::string::npos);
  EXPECT_NE(complaint(R"("deliveries_ms": [1], "burst_bytes": 5000)"), "");
  EXPECT_NE(complaint(R"("deliveries_ms": [1], "queue": {"discipline": "codel"})"), "");
  EXPECT_NE(complaint(R"("deliveries_ms": [1], "changes": [{"at_us": 1, "rate_mbps": 2}])"), "");
  EXPECT_EQ(complaint(R"("deliveries_ms": [1, 1, 2])"), "");
}

}  // namespace
}  // namespace mdp::netsim::test
