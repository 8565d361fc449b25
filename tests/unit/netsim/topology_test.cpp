// Ways through routers: which trunks a packet takes, and what the trunks do to it.
#include "mdp/netsim/topology.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/unit/netsim/world.hpp"

namespace mdp::netsim::test {
namespace {

// Links of 1 us to the router, trunks of 1 ms.
std::string options_of(const std::string& topology) {
  return R"({"seed": 3, "links": {"default": {"delay_us": 1}, "trunk": {"delay_us": 1000},
             "lossy": {"delay_us": 10, "loss_pct": 10, "mtu_bytes": 2000},
             "lane": {"delay_us": 10, "rate_mbps": 8, "queue_packets": 5,
                      "down": {"delay_us": 2500}},
             "slow": {"delay_us": 9000}}, "topology": )" +
         topology + "}";
}

// How long a packet from one node to the other takes, less the node's own link, in microseconds.
std::int64_t transit_us(world& w, std::size_t from, std::size_t to) {
  const std::int64_t sent = w.nodes[from]->now().time_since_epoch().count();
  w.send(from, to, 64);
  for (;;) {
    const std::int64_t turn = w.net->advance(never);
    if (turn < 0) return -1;
    if (w.take(static_cast<std::size_t>(turn)).empty()) continue;
    EXPECT_EQ(turn, static_cast<std::int64_t>(to));
    return (w.nodes[to]->now().time_since_epoch().count() - sent) / 1000 - 1;
  }
}

// Node n hangs on router n.
std::unique_ptr<world> crowd(const std::string& topology, std::size_t nodes) {
  auto w = std::make_unique<world>(options_of(topology));
  for (std::size_t i = 0; i < nodes; ++i) w->open("");
  for (std::size_t i = 0; i < nodes; ++i) static_cast<void>(w->take(i));
  return w;
}

TEST(Topology, LinesRingsTreesAndMeshesHaveTheirDistances) {
  struct shape_case {
    const char* shape;
    std::vector<std::int64_t> trunks;  // from node 0 to each other
  };
  const shape_case cases[] = {
      {R"("shape": "line", "routers": 6)", {1, 2, 3, 4, 5}},
      {R"("shape": "ring", "routers": 6)", {1, 2, 3, 2, 1}},
      {R"("shape": "mesh", "routers": 6)", {1, 1, 1, 1, 1}},
      {R"("shape": "tree", "routers": 6, "branches": 2)", {1, 1, 2, 2, 2}},
      {R"("shape": "ring", "routers": 2)", {1}},
      {R"("shape": "dumbbell")", {1}},
  };
  for (const shape_case& c : cases) {
    const auto w =
        crowd(std::string("{\"trunk\": \"trunk\", ") + c.shape + "}", c.trunks.size() + 1);
    for (std::size_t to = 1; to <= c.trunks.size(); ++to) {
      EXPECT_EQ(transit_us(*w, 0, to), c.trunks[to - 1] * 1000) << c.shape << " " << to;
      EXPECT_EQ(transit_us(*w, to, 0), c.trunks[to - 1] * 1000) << c.shape << " " << to;
    }
  }
}

TEST(Topology, NodesOfOneRouterMeetThere) {
  const auto w = crowd(R"({"shape": "line", "routers": 3, "trunk": "trunk"})", 6);
  EXPECT_EQ(transit_us(*w, 1, 4), 0);
  EXPECT_EQ(transit_us(*w, 0, 5), 2000);
}

TEST(Topology, HomesAreOfNodesAndGroups) {
  world w(options_of(R"({"shape": "dumbbell", "trunk": "trunk",
                         "homes": {"client": "left", "server": "right", "client-2": "right"}})"));
  for (const char* name : {"client-0", "client-1", "client-2", "server-0"}) w.open(name);
  for (std::size_t i = 0; i < 4; ++i) static_cast<void>(w.take(i));
  EXPECT_EQ(transit_us(w, 0, 1), 0);
  EXPECT_EQ(transit_us(w, 0, 3), 1000);
  EXPECT_EQ(transit_us(w, 2, 3), 0);
}

// Two trunks of 1 ms are shorter than one of 9 ms; each way has its own delay when `down` differs.
TEST(Topology, AGraphTakesTheLeastDelayEachWay) {
  const auto w = crowd(R"({"shape": "graph", "trunks": [
      {"from": "a", "to": "b", "link": "trunk"}, {"from": "b", "to": "c", "link": "trunk"},
      {"from": "a", "to": "c", "link": "slow"}, {"from": "a", "to": "d", "link": "lane"},
      {"from": "d", "to": "c", "link": "trunk"}]})",
                       4);
  EXPECT_EQ(transit_us(*w, 0, 2), 1000 + 10 + 64);  // over d: 64 us to serialise 64 bytes
  EXPECT_EQ(transit_us(*w, 2, 0), 2000);            // over b: the lane takes 2.5 ms back
}

// Every hop loses a tenth: sent * .9^h arrive, within 3 sigma.
TEST(Topology, DeliveredOverHops) {
  for (const std::size_t hops : {1u, 2u, 4u}) {
    const auto w = crowd(R"({"shape": "line", "routers": 5, "trunk": "lossy"})", 5);
    constexpr int n = 20'000;
    for (int i = 0; i < n; ++i) {
      w->send(0, hops, 64);
      for (std::int64_t turn = 0; turn >= 0;) {
        turn = w->net->advance(at_ns((i + 1) * std::int64_t{100'000}));
        if (turn >= 0) static_cast<void>(w->take(static_cast<std::size_t>(turn)));
      }
    }
    const double p = std::pow(.9, static_cast<double>(hops));
    EXPECT_NEAR(std::stod(w->fact("packets_delivered")), n * p, 3 * std::sqrt(n * p * (1 - p)));
    EXPECT_NE(w->fact("dropped.r0->r1"), "absent");
    EXPECT_EQ(w->fact("dropped.r1->r0"), "absent");
  }
}

// The queue of the trunk that many share: what does not fit is dropped there.
TEST(Topology, ADumbbellsTrunkIsTheBottleneck) {
  world w(options_of(R"({"shape": "dumbbell", "trunk": "lane",
                         "homes": {"client": "left", "server": "right"}})"));
  for (const char* name : {"client-0", "client-1", "server-0"}) w.open(name);
  for (std::size_t i = 0; i < 3; ++i) static_cast<void>(w.take(i));
  for (int i = 0; i < 6; ++i) {
    w.send(0, 2, 1000);
    w.send(1, 2, 1000);
  }
  std::size_t got = 0;
  while (w.net->advance(at_ns(1'000'000'000)) >= 0) got += w.take(2).size();
  EXPECT_EQ(got, 5u);
  EXPECT_EQ(w.fact("drops.left->right"), "7");
  EXPECT_EQ(w.fact("packets_dropped_queue"), "7");
}

TEST(Topology, SameSeedSameDigestOverTrunks) {
  const auto digest = [](const char* trunk) {
    const auto w =
        crowd(std::string(R"({"shape": "ring", "routers": 4, "trunk": ")") + trunk + "\"}", 8);
    for (std::size_t i = 0; i < 400; ++i) {
      w->send(i % 8, (i * 3 + 1) % 8, 100);
      for (std::int64_t turn = 0; turn >= 0;) {
        turn = w->net->advance(at_ns(static_cast<std::int64_t>(i) * 50'000));
        if (turn >= 0) static_cast<void>(w->take(static_cast<std::size_t>(turn)));
      }
    }
    return w->fact("digest");
  };
  EXPECT_EQ(digest("lossy"), digest("lossy"));
  EXPECT_NE(digest("lossy"), digest("trunk"));
}

}  // namespace
}  // namespace mdp::netsim::test
