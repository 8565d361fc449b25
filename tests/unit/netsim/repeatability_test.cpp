// The same seed is the same run: digests, loss lists, and what other nodes cannot change.
#include <gtest/gtest.h>

#include "tests/unit/netsim/world.hpp"

namespace mdp::netsim::test {
namespace {

std::string options_of(std::uint64_t seed) {
  return R"({"seed": )" + std::to_string(seed) + R"(, "links": {
    "default": {"rate_mbps": 33.3, "delay_us": 900, "jitter_us": 250, "loss_pct": 1.5,
                "queue_packets": 40},
    "wild": {"rate_mbps": 20, "delay_us": 1500, "jitter_us": 3000, "reorder": true,
             "loss_pct": 3, "queue_bytes": 30000,
             "down": {"rate_mbps": 10, "queue_packets": 12, "loss_pct": 0.1}}},
    "nodes": {"b": "wild", "d": "wild"}})";
}

// Nodes that answer what they receive and chatter at seeded times.
std::unique_ptr<world> chatter(std::uint64_t seed, std::size_t nodes) {
  auto w = std::make_unique<world>(options_of(seed), 4096);
  const std::array names{"a", "b", "c", "d", "e"};
  for (std::size_t i = 0; i < nodes; ++i) w->open(names[i]);
  std::array<buffer::rx_datagrams, 8> out;
  std::vector<seeded_random> random;
  for (std::size_t i = 0; i < nodes; ++i) {
    random.emplace_back(i);
    static_cast<void>(w->nodes[i]->poll(out, {.deadline = at_ns(1)}));
  }
  for (;;) {
    const std::int64_t turn = w->net->advance(at_ns(2'000'000'000));
    if (turn < 0) return w;
    const auto node = static_cast<std::size_t>(turn);
    const auto wait = static_cast<std::int64_t>(random[node].next() % 2'000'000);
    const time_point next = w->nodes[node]->now() + duration(wait);
    const std::size_t n = w->nodes[node]->poll(out, {.deadline = next});
    for (std::size_t i = 0; i < n; ++i) out[i] = {};
    const std::size_t to = random[node].next() % 2 == 0 ? (node + 1) % nodes : (node + 2) % nodes;
    for (std::uint64_t burst = random[node].next() % 4; burst > 0; --burst) {
      w->send(node, to, static_cast<std::uint32_t>(40 + random[node].next() % 1400));
    }
  }
}

TEST(Repeatability, SameSeedSameDigestAndSameDrops) {
  const auto first = chatter(42, 4);
  const auto second = chatter(42, 4);
  EXPECT_EQ(first->net->facts(), second->net->facts());
  EXPECT_NE(first->fact("packets_dropped_loss"), "0");
  EXPECT_NE(first->fact("packets_dropped_queue"), "0");
  EXPECT_NE(first->fact("dropped.a/up"), "absent");
}

TEST(Repeatability, OtherSeedOtherDigest) {
  EXPECT_NE(chatter(42, 4)->fact("digest"), chatter(43, 4)->fact("digest"));
}

// Recorded once; every compiler, optimisation and CPU must agree.
TEST(Repeatability, GoldenDigest) {
  const auto w = chatter(42, 4);
  EXPECT_EQ(w->fact("events"), "66874");
  EXPECT_EQ(w->fact("digest"), "3157984c869c8fd2");
}

// One packet each millisecond from a to b: the first drops of seed 42 at 1 %.
std::unique_ptr<world> steady(std::uint64_t seed, const std::vector<std::string>& names) {
  const std::string options = R"({"seed": )" + std::to_string(seed) +
                              R"(, "links": {"default": {"delay_us": 10, "loss_pct": 1}}})";
  auto w = std::make_unique<world>(options);
  for (const auto& name : names) w->open(name);
  for (std::int64_t ms = 1; ms <= 3000; ++ms) {
    for (std::size_t from = 0; from < names.size(); ++from) {
      w->send(from, from ^ 1, 64);
    }
    for (std::int64_t turn = 0; turn >= 0;) {
      turn = w->net->advance(at_ns(ms * 1'000'000));
      if (turn >= 0) static_cast<void>(w->take(static_cast<std::size_t>(turn)));
    }
  }
  return w;
}

TEST(Repeatability, LossListOfSeed42) {
  EXPECT_EQ(steady(42, {"a", "b"})->fact("dropped.a/up"),
            "231,244,248,298,362,397,584,654,699,858,896,1085,1106,1128,1131,1240,1272,1294,"
            "1424,1784,1814,1821,1968,2070,2082,2114,2124,2247,2475,2712,2735,2783,2900,2965");
}

TEST(Repeatability, ANodeMoreChangesNoOtherLinksLosses) {
  const auto two = steady(42, {"a", "b"});
  const auto more = steady(42, {"x", "y", "b", "a"});
  for (const char* fact : {"dropped.a/up", "dropped.b/up"}) {
    EXPECT_EQ(two->fact(fact), more->fact(fact)) << fact;
  }
  EXPECT_NE(more->fact("dropped.x/up"), more->fact("dropped.a/up"));
}

// A name used twice is two links with fates of their own.
TEST(Repeatability, ATwinNameIsAnotherLink) {
  const auto w = steady(42, {"a", "a"});
  EXPECT_NE(w->fact("dropped.a/up"), w->fact("dropped.a#2/up"));
  EXPECT_NE(w->fact("dropped.a#2/up"), "absent");
}

}  // namespace
}  // namespace mdp::netsim::test
