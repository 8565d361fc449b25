// Partitions, pauses, clocks and NATs: what a node and its partner see of each.
#include <gtest/gtest.h>

#include "mdp/netsim/fault_timeline.hpp"
#include "mdp/netsim/link_models.hpp"
#include "tests/unit/netsim/world.hpp"

namespace mdp::netsim::test {
namespace {

using namespace std::chrono_literals;

std::string faults(const std::string& list) {
  return R"({"links": {"default": {"delay_us": 100}}, "faults": [)" + list + "]}";
}

// For a time in which nothing arrives.
void run_to(world& w, std::int64_t ns) {
  while (w.net->advance(at_ns(ns)) >= 0) {
    for (std::size_t n = 0; n < w.nodes.size(); ++n) {
      if (w.nodes[n]) static_cast<void>(w.nodes[n]->poll({}, {.deadline = never}));
    }
  }
}

// Runs to a time and counts what every node takes; a node sleeps between.
std::vector<std::size_t> taken_until(world& w, std::int64_t ns) {
  std::vector<std::size_t> counts(w.nodes.size());
  for (std::int64_t node = 0; (node = w.net->advance(at_ns(ns))) >= 0;) {
    const auto n = static_cast<std::size_t>(node);
    counts[n] += w.take(n).size();
  }
  return counts;
}

TEST(Faults, APartitionPartsItsNodesFromAllOthersOnly) {
  world w(faults(R"({"kind": "partition", "at_us": 1000, "for_us": 1000,
                     "nodes": ["a", "c-0"]})"));
  const std::size_t a0 = w.open("a-0"), a1 = w.open("a-1"), b = w.open("b-0"), c = w.open("c-0");
  const auto all = [&] {
    w.send(a0, a1, 10);
    w.send(a0, c, 10);
    w.send(a0, b, 10);
    w.send(b, c, 10);
  };
  all();
  EXPECT_EQ(taken_until(w, 999'999), (std::vector<std::size_t>{0, 1, 1, 2}));
  w.send(a0, b, 10);  // under way when the partition begins: it arrives
  EXPECT_EQ(taken_until(w, 1'000'000), (std::vector<std::size_t>{0, 0, 0, 0}));
  all();
  EXPECT_EQ(taken_until(w, 1'999'999), (std::vector<std::size_t>{0, 1, 1, 1}));
  EXPECT_EQ(w.fact("packets_dropped_carrier"), "2");
  EXPECT_EQ(taken_until(w, 2'000'000), (std::vector<std::size_t>{0, 0, 0, 0}));
  all();
  EXPECT_EQ(taken_until(w, 3'000'000), (std::vector<std::size_t>{0, 1, 1, 2}));
}

TEST(Faults, TwoPartitionsMakeThreeIslands) {
  world w(faults(R"({"kind": "partition", "at_us": 0, "nodes": ["a"]},
                    {"kind": "partition", "at_us": 0, "nodes": ["b"]})"));
  const std::size_t a = w.open("a"), b = w.open("b"), c = w.open("c"), d = w.open("d");
  run_to(w, 1);
  w.send(a, b, 10);
  w.send(b, c, 10);
  w.send(c, a, 10);
  w.send(c, d, 10);
  EXPECT_EQ(taken_until(w, 1'000'000), (std::vector<std::size_t>{0, 0, 0, 1}));
}

TEST(Faults, APausedNodeFindsEverythingWhenItRunsAgain) {
  world w(faults(R"({"kind": "pause", "at_us": 500, "for_us": 2000, "nodes": ["b"]})"));
  const std::size_t a = w.open("a"), b = w.open("b");
  static_cast<void>(w.nodes[b]->poll({}, {.deadline = at_ns(700'000)}));
  EXPECT_EQ(w.net->advance(at_ns(800'000)), -1) << "its deadline waits as well";
  for (int i = 0; i < 3; ++i) w.send(a, b, 10);
  EXPECT_EQ(w.take(b).size(), 0u) << "asked while it is paused";
  EXPECT_EQ(w.net->advance(at_ns(2'499'999)), -1);
  EXPECT_EQ(w.net->advance(at_ns(2'500'000)), static_cast<std::int64_t>(b));
  EXPECT_EQ(w.nodes[b]->now(), at_ns(2'500'000));
  EXPECT_EQ(w.take(b).size(), 3u);
}

TEST(Faults, APauseForGoodIsNoEndlessLoop) {
  world w(faults(R"({"kind": "pause", "at_us": 0, "nodes": ["b"]})"));
  const std::size_t a = w.open("a"), b = w.open("b");
  run_to(w, 1000);
  w.send(a, b, 10);
  EXPECT_EQ(taken_until(w, 10'000'000'000), (std::vector<std::size_t>{0, 0}));
}

TEST(Faults, AClockStepsForwardAndItsDeadlinesCome) {
  world w(faults(R"({"kind": "clock_step", "at_us": 1000, "step_us": 500, "nodes": ["a"]})"));
  const std::size_t a = w.open("a"), b = w.open("b");
  static_cast<void>(w.nodes[a]->poll({}, {.deadline = at_ns(1'400'000)}));
  ASSERT_EQ(w.net->advance(never), static_cast<std::int64_t>(a));
  EXPECT_EQ(w.nodes[b]->now(), at_ns(1'000'000)) << "its deadline is past at once";
  EXPECT_EQ(w.nodes[a]->now(), at_ns(1'500'000));
  static_cast<void>(w.nodes[a]->poll({}, {.deadline = at_ns(1'600'000)}));
  ASSERT_EQ(w.net->advance(never), static_cast<std::int64_t>(a));
  EXPECT_EQ(w.nodes[b]->now(), at_ns(1'100'000));
}

// 200 ppm fast for a second, then right again: .2 ms ahead, for ever.
TEST(Faults, ASkewedClockGainsItsShare) {
  for (const std::int64_t ppm : {200, -200, 100'000, -100'000}) {
    world w(faults(R"({"kind": "clock_skew", "at_us": 0, "for_us": 1e6, "nodes": ["a"],
                       "skew_ppm": )" +
                   std::to_string(ppm) + "}"));
    const std::size_t a = w.open("a"), b = w.open("b");
    run_to(w, 500'000'000);
    EXPECT_EQ(w.nodes[a]->now(), at_ns(500'000'000 + 500 * ppm));
    // A timer fires when its own clock says so, to the nanosecond, and never before.
    const time_point deadline = w.nodes[a]->now() + 1234567ns;
    static_cast<void>(w.nodes[a]->poll({}, {.deadline = deadline}));
    ASSERT_EQ(w.net->advance(never), static_cast<std::int64_t>(a));
    EXPECT_GE(w.nodes[a]->now(), deadline);
    EXPECT_LE(w.nodes[a]->now(), deadline + 2ns);
    run_to(w, 3'000'000'000);
    EXPECT_EQ(w.nodes[a]->now(), at_ns(3'000'000'000 + 1000 * ppm));
    EXPECT_EQ(w.nodes[b]->now(), at_ns(3'000'000'000));
  }
}

TEST(Faults, LocalAndNetworkTimeAgreeOverAMonth) {
  fault_timeline t({{.kind = fault_kind::clock_skew,
                     .at_ns = 0,
                     .until_ns = INT64_MAX,
                     .skew_ppm = 137,
                     .nodes = {"a"}}});
  t.add_node("a", 0);
  std::vector<std::uint32_t> touched, rebound;
  t.apply(touched, rebound);
  ASSERT_EQ(touched, std::vector<std::uint32_t>{0});
  for (std::int64_t now = 1; now < 2'592'000'000'000'000; now = now * 3 + 1) {
    const std::int64_t local = t.local_time(0, now);
    EXPECT_EQ(local, now + now / 1'000'000 * 137 + now % 1'000'000 * 137 / 1'000'000);
    EXPECT_NEAR(static_cast<double>(t.network_time(0, local) - now), 0, 1);
    EXPECT_GE(t.local_time(0, t.network_time(0, local)), local);
  }
}

// RFC 4787, REQ-1: endpoint-independent mapping; the address is what others see.
TEST(Faults, ARebindChangesThePortThatOthersSee) {
  world w(faults(R"({"kind": "rebind", "at_us": 1000, "nodes": ["a"]})"));
  const std::size_t a = w.open("a"), b = w.open("b");
  const endpoint_address before = w.nodes[a]->local_address();
  const auto next_at_b = [&] {
    EXPECT_EQ(w.net->advance(at_ns(3'000'000)), static_cast<std::int64_t>(b));
    auto got = w.take(b);
    EXPECT_EQ(got.size(), 1u);
    return got.at(0).from;
  };
  run_to(w, 950'000);
  w.send(a, b, 10);  // leaves by the old mapping, arrives after the change
  EXPECT_EQ(next_at_b(), before);
  EXPECT_EQ(w.nodes[b]->now(), at_ns(1'050'000));
  w.send(b, a, 10);  // to the old port: the NAT drops it, and tells nobody
  w.send(a, b, 10);
  EXPECT_EQ(next_at_b().port, before.port + 1);
  EXPECT_EQ(w.net->advance(at_ns(2'000'000)), -1) << "nothing for a";
  EXPECT_EQ(w.nodes[b]->counts().path_errors, 0u);
  EXPECT_EQ(w.fact("packets_dropped_closed"), "1");
}

// RFC 4787, REQ-5, REQ-6: silence of the node ends its mapping; only what goes out refreshes it.
TEST(Faults, ANatForgetsASilentNode) {
  world w(R"({"links": {"default": {"delay_us": 100}, "home": {"nat_timeout_us": 5000}},
              "nodes": {"a": "home"}})");
  const std::size_t a = w.open("a"), b = w.open("b");
  w.send(a, b, 10);
  EXPECT_EQ(taken_until(w, 4'000'000), (std::vector<std::size_t>{0, 1}));
  w.send(b, a, 10);  // comes in: no refreshment
  EXPECT_EQ(taken_until(w, 5'000'000), (std::vector<std::size_t>{1, 0}));
  run_to(w, 5'100'000);
  w.send(b, a, 10);
  EXPECT_EQ(taken_until(w, 9'000'000), (std::vector<std::size_t>{0, 0})) << "too late";
  w.send(a, b, 10);
  ASSERT_EQ(w.net->advance(at_ns(10'000'000)), static_cast<std::int64_t>(b));
  const auto got = w.take(b);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].from.port, w.nodes[a]->local_address().port + 1) << "a mapping of its own";
  w.send(b, a, 10);
  EXPECT_EQ(taken_until(w, 11'000'000), (std::vector<std::size_t>{0, 0})) << "to the old port";
}

TEST(Faults, AClosedNodeOpensAnewAtItsAddress) {
  world w(R"({"links": {"default": {"delay_us": 100}}})");
  const std::size_t a = w.open("a"), b = w.open("b");
  const endpoint_address address = w.nodes[b]->local_address();
  w.send(a, b, 10);
  w.nodes[b].reset();
  EXPECT_EQ(w.net->advance(at_ns(1'000'000)), -1);
  EXPECT_EQ(w.fact("packets_dropped_closed"), "1");
  w.nodes[b] = w.net->open({address, "b", &w.pool});
  EXPECT_EQ(w.nodes[b]->local_address(), address);
  w.send(a, b, 10);
  EXPECT_EQ(taken_until(w, 2'000'000), (std::vector<std::size_t>{0, 1}));
  EXPECT_THROW(static_cast<void>(w.net->open({address, "b", &w.pool})), std::runtime_error)
      << "it is open";
}

TEST(Faults, TheSameSeedGivesTheSameDigest) {
  const auto digest = [] {
    world w(faults(R"({"kind": "partition", "at_us": 200, "for_us": 300, "nodes": ["a"]},
                      {"kind": "pause", "at_us": 400, "for_us": 300, "nodes": ["b"]},
                      {"kind": "rebind", "at_us": 500, "nodes": ["a"]})"));
    const std::size_t a = w.open("a"), b = w.open("b");
    for (int i = 0; i < 20; ++i) {
      w.send(a, b, 10);
      static_cast<void>(taken_until(w, i * 50'000));
    }
    return w.fact("digest");
  };
  EXPECT_EQ(digest(), digest());
}

// Each kind is there for about half of the seeds, and no two kinds go together.
TEST(Faults, ASwarmTakesKindsAwayOneByOne) {
  int loss = 0, hold = 0, pause = 0, loss_and_hold = 0;
  for (int seed = 1; seed <= 400; ++seed) {
    const network_options o =
        parse_network_options((R"({"swarm": true, "seed": )" + std::to_string(seed) +
                               R"(, "links": {"wan": {"loss_pct": 1, "hold_pct": 1, "hold_us": 5}},
              "faults": [{"kind": "pause", "at_us": 1, "nodes": ["a"]}]})")
                                  .c_str());
    const link_spec& wan = o.links.at("wan").up;
    const bool holds = wan.models->hold.possible();
    loss += wan.loss.possible();
    hold += holds;
    loss_and_hold += wan.loss.possible() && holds;
    pause += !o.faults.empty();
  }
  for (const int count : {loss, hold, pause}) EXPECT_NEAR(count, 200, 40);  // 4 sigma
  EXPECT_NEAR(loss_and_hold, 100, 35);
}

}  // namespace
}  // namespace mdp::netsim::test
