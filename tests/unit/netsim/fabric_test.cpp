// The network through the transport interface: time, wake-ups, trains, pools, closing.
#include <gtest/gtest.h>

#include "tests/unit/netsim/world.hpp"

namespace mdp::netsim::test {
namespace {

constexpr const char* wan = R"({"links": {"default": {"delay_us": 25000}}})";
constexpr time_point second = at_ns(1'000'000'000);

TEST(Fabric, OneWayDelayIsTheSendersLink) {
  world w(R"({"links": {"far": {"delay_us": 25000}, "near": {"delay_us": 10}},
              "nodes": {"client": "far", "server-0": "near"}})");
  w.open("client-0");
  w.open("server-0");
  w.send(0, 1, 100);
  EXPECT_EQ(w.net->advance(second), 1);
  EXPECT_EQ(w.nodes[1]->now(), at_ns(25'000'000));
  const auto got = w.take(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].from, simulated_address(0));
  w.send(1, 0, 100);
  EXPECT_EQ(w.net->advance(second), 0);
  EXPECT_EQ(w.nodes[0]->now(), at_ns(25'010'000));
}

TEST(Fabric, ADownLinkAddsItsOwn) {
  world w(R"({"links": {"default": {"delay_us": 100, "down": {"delay_us": 7, "rate_mbps": 8}}}})");
  w.open("a");
  w.open("b");
  w.send(0, 1, 1000);
  EXPECT_EQ(w.net->advance(second), 1);
  EXPECT_EQ(w.nodes[1]->now(), at_ns(100'000 + 1'000'000 + 7'000));
}

TEST(Fabric, TheClockStandsAtTheLimit) {
  world w(wan);
  w.open("a");
  w.open("b");
  w.send(0, 1, 10);
  EXPECT_EQ(w.net->advance(at_ns(1000)), -1);
  EXPECT_EQ(w.nodes[0]->now(), at_ns(1000));
  EXPECT_EQ(w.net->advance(at_ns(25'000'000)), 1);
  EXPECT_EQ(w.take(1).size(), 1u);
  EXPECT_EQ(w.net->advance(never), -1);
  EXPECT_EQ(w.nodes[0]->now(), at_ns(25'000'000));
}

TEST(Fabric, ArrivalsOfOneInstantAreOneWakeUp) {
  world w(R"({"links": {"default": {"delay_us": 5}}})");
  for (const char* name : {"a", "b", "c", "d"}) w.open(name);
  for (const std::size_t from : {0u, 1u, 3u}) w.send(from, 2, 10);
  EXPECT_EQ(w.net->advance(second), 2);
  EXPECT_EQ(w.take(2).size(), 3u);
  EXPECT_EQ(w.net->advance(second), -1);
}

TEST(Fabric, DeadlinesWakeInOrder) {
  world w(wan);
  w.open("a");
  w.open("b");
  std::array<buffer::rx_datagrams, 4> out;
  EXPECT_EQ(w.nodes[0]->poll(out, {.deadline = at_ns(300)}), 0u);
  EXPECT_EQ(w.nodes[1]->poll(out, {.deadline = at_ns(200)}), 0u);
  EXPECT_EQ(w.net->advance(second), 1);
  EXPECT_EQ(w.nodes[1]->now(), at_ns(200));
  EXPECT_EQ(w.nodes[1]->poll(out, {.deadline = at_ns(300)}), 0u);
  EXPECT_EQ(w.net->advance(second), 0);  // the same instant: lower number first
  EXPECT_EQ(w.net->advance(second), 1);
  EXPECT_EQ(w.nodes[1]->now(), at_ns(300));
  EXPECT_EQ(w.net->advance(second), -1);  // a wake-up comes once
}

TEST(Fabric, APastDeadlineIsRunnableAtOnceButTimeMoves) {
  world w(wan);
  w.open("a");
  w.open("b");
  w.send(0, 1, 10);
  std::array<buffer::rx_datagrams, 4> out;
  EXPECT_EQ(w.nodes[1]->poll(out, {}), 0u);
  EXPECT_EQ(w.net->advance(second), 1);
  EXPECT_EQ(w.nodes[1]->now(), at_ns(0));
  int turns = 0;
  while (w.nodes[1]->poll(out, {}) == 0) {
    ASSERT_LT(++turns, 60'000);
    ASSERT_EQ(w.net->advance(second), 1);
  }
  EXPECT_EQ(w.nodes[1]->now(), at_ns(25'000'000));
}

TEST(Fabric, MoreThanFitsStaysAndWakesAgain) {
  world w(wan);
  w.open("a");
  w.open("b");
  for (int i = 0; i < 10; ++i) w.send(0, 1, 10, static_cast<std::uint8_t>(i));
  EXPECT_EQ(w.net->advance(second), 1);
  std::array<buffer::rx_datagrams, 4> out;
  EXPECT_EQ(w.nodes[1]->poll(out, {.deadline = never}), 4u);
  EXPECT_EQ(w.net->advance(second), 1);
  EXPECT_EQ(w.nodes[1]->now(), at_ns(25'000'000));
  EXPECT_EQ(w.nodes[1]->poll(out, {.deadline = never}), 4u);
  EXPECT_EQ(out[3].data.data()[0], std::byte{7});
  EXPECT_EQ(w.take(1).size(), 2u);
}

// A train of 3 full segments and a rest, made of parts that do not align with them.
TEST(Fabric, TrainsAreSplit) {
  world w(wan);
  w.open("a");
  w.open("b");
  std::array<buffer::slice, 3> parts;
  std::uint8_t value = 0;
  std::uint32_t total = 0;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const buffer::slice whole = buffer::slice::acquire(w.pool);
    parts[i] = whole.subslice(0, 500 + i * 150);
    total += parts[i].size();
    for (std::uint32_t b = 0; b < parts[i].size(); ++b) parts[i].data()[b] = std::byte{value++};
  }
  const buffer::tx_datagrams item{w.nodes[1]->local_address(), parts, total, 600};
  EXPECT_EQ(w.nodes[0]->send({&item, 1}), 1u);
  EXPECT_EQ(w.nodes[0]->counts().tx_datagrams, 4u);
  EXPECT_EQ(w.net->advance(second), 1);
  const auto got = w.take(1);
  ASSERT_EQ(got.size(), 4u);
  value = 0;
  for (const auto& d : got) {
    EXPECT_EQ(d.data.size(), &d == &got.back() ? total - 1800 : 600u);
    EXPECT_EQ(d.segment_bytes, 0);
    for (const std::byte b : d.data.bytes()) ASSERT_EQ(b, std::byte{value++});
  }
}

// Within one pool a datagram is handed on by reference, between pools it is copied.
TEST(Fabric, SharesWithinAPoolCopiesBetweenPools) {
  world w(wan);
  buffer::block_pool other({.block_bytes = 2048, .block_count = 2, .prefault = false});
  w.open("a");
  w.open("b");
  w.open("c", &other);
  w.send(0, 1, 10, 1);
  w.send(0, 2, 10, 2);
  EXPECT_EQ(w.net->advance(second), 1);
  const auto shared = w.take(1);
  EXPECT_EQ(shared.at(0).data.owner()->owner, &w.pool);
  EXPECT_EQ(w.net->advance(second), 2);
  const auto copied = w.take(2);
  EXPECT_EQ(copied.at(0).data.owner()->owner, &other);
  EXPECT_EQ(copied.at(0).data.data()[0], std::byte{2});
  EXPECT_EQ(w.pool.available(), w.pool.block_count() - 1);
}

TEST(Fabric, AnEmptyReceivePoolDelaysButLosesNothing) {
  world w(wan);
  buffer::block_pool small({.block_bytes = 2048, .block_count = 2, .prefault = false});
  w.open("a");
  w.open("b", &small);
  for (int i = 0; i < 5; ++i) w.send(0, 1, 10, static_cast<std::uint8_t>(i));
  EXPECT_EQ(w.net->advance(second), 1);
  auto held = w.take(1);
  ASSERT_EQ(held.size(), 2u);
  EXPECT_EQ(w.nodes[1]->counts().rx_no_block, 1u);
  EXPECT_EQ(w.net->advance(second), 1);  // looks again a little later
  EXPECT_GT(w.nodes[1]->now(), at_ns(25'000'000));
  EXPECT_EQ(w.take(1).size(), 0u);
  const time_point before = w.nodes[1]->now();
  EXPECT_EQ(w.net->advance(second), 1);
  EXPECT_GT(w.nodes[1]->now(), before);
  held.clear();
  std::uint8_t next = 2;
  while (next < 5) {
    for (const auto& d : w.take(1)) EXPECT_EQ(d.data.data()[0], std::byte{next++});
    static_cast<void>(w.net->advance(second));
  }
  EXPECT_EQ(w.nodes[1]->counts().rx_datagrams, 5u);
}

TEST(Fabric, UnknownNodesAndPortsArePathErrors) {
  world w(wan);
  w.open("a");
  const buffer::slice part = buffer::slice::acquire(w.pool).subslice(0, 10);
  for (const endpoint_address& to :
       {simulated_address(7), simulated_address(0, 9), *parse_endpoint_address("127.0.0.1:80")}) {
    const buffer::tx_datagrams item{to, {&part, 1}, 10};
    EXPECT_EQ(w.nodes[0]->send({&item, 1}), 1u);
  }
  EXPECT_EQ(w.nodes[0]->counts().path_errors, 3u);
  EXPECT_EQ(w.fact("packets_sent"), "0");
}

TEST(Fabric, AClosedNodeTakesItsPacketsAlong) {
  world w(wan);
  w.open("a");
  w.open("b");
  w.open("c");
  w.send(0, 1, 10);
  w.send(1, 2, 10);
  w.send(2, 1, 10);
  w.send(0, 2, 10);
  w.nodes[1].reset();
  EXPECT_EQ(w.pool.available(), w.pool.block_count() - 3);  // what b sent is let go at once
  EXPECT_EQ(w.net->advance(second), 2);
  EXPECT_EQ(w.take(2).size(), 1u);
  EXPECT_EQ(w.net->advance(second), -1);
  EXPECT_EQ(w.nodes[0]->counts().path_errors, 1u);
  EXPECT_EQ(w.nodes[2]->counts().path_errors, 1u);
  EXPECT_EQ(w.fact("packets_dropped_closed"), "3");
  EXPECT_EQ(w.pool.available(), w.pool.block_count());
}

// Nodes come and go in the middle of traffic on every kind of link: no block is lost, none given
// back twice, and every packet is accounted for.
TEST(Fabric, ComingAndGoingLosesNoBlock) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    world w(R"({"links": {
      "default": {"rate_mbps": 50, "delay_us": 300, "loss_pct": 2},
      "wild": {"delay_us": 100, "jitter_us": 900, "reorder": true, "rate_mbps": 80,
               "queue_packets": 8, "down": {"rate_mbps": 40, "jitter_us": 200, "reorder": true}}},
      "nodes": {"wild": "wild"}})");
    seeded_random random(seed);
    std::uint64_t sent = 0;
    std::uint64_t taken = 0;
    for (int step = 0; step < 2000; ++step) {
      if (w.nodes.size() < 4 || random.next() % 50 == 0) {
        w.open(random.next() % 2 == 0 ? "wild" : "tame");
      }
      const std::size_t from = random.next() % w.nodes.size();
      const std::size_t to = random.next() % w.nodes.size();
      if (w.nodes[from] && w.nodes[to] && w.pool.available() > 0) {
        w.send(from, to, static_cast<std::uint32_t>(1 + random.next() % 1400));
        ++sent;
      }
      if (random.next() % 60 == 0) w.nodes[random.next() % w.nodes.size()].reset();
      const auto node = w.net->advance(at_ns(step * 20'000));
      if (node >= 0) taken += w.take(static_cast<std::size_t>(node)).size();
    }
    for (std::int64_t node = 0; node >= 0;) {
      node = w.net->advance(never);
      if (node >= 0) taken += w.take(static_cast<std::size_t>(node)).size();
    }
    const std::uint64_t gone = std::stoull(w.fact("packets_dropped_loss")) +
                               std::stoull(w.fact("packets_dropped_queue")) +
                               std::stoull(w.fact("packets_dropped_closed"));
    EXPECT_EQ(sent, taken + gone) << "seed " << seed;
    EXPECT_EQ(w.fact("packets_delivered"), std::to_string(taken)) << "seed " << seed;
    EXPECT_NE(w.fact("packets_dropped_closed"), "0") << "seed " << seed;
    EXPECT_EQ(w.pool.available(), w.pool.block_count()) << "seed " << seed;
  }
}

TEST(Fabric, TransportsMayOutliveIt) {
  world w(wan);
  w.open("a");
  w.open("b");
  for (int i = 0; i < 20; ++i) w.send(0, 1, 10);
  w.net.reset();
  EXPECT_EQ(w.nodes[0]->now(), at_ns(0));
  w.nodes.clear();
  EXPECT_EQ(w.pool.available(), w.pool.block_count());
}

TEST(Fabric, WakeMakesRunnable) {
  world w(wan);
  w.open("a");
  w.open("b");
  w.nodes[1]->wake();
  EXPECT_EQ(w.net->advance(second), 1);
  EXPECT_EQ(w.nodes[1]->now(), at_ns(0));
  EXPECT_EQ(w.net->advance(second), -1);
}

TEST(Fabric, LargerThanTheMtuIsDroppedAndCounted) {
  world w(R"({"links": {"default": {"mtu_bytes": 1200}, "big": {"mtu_bytes": 2000}}})");
  EXPECT_EQ(w.net->caps().datagram_bytes_max, 2000u);
  w.open("a");
  w.open("b");
  w.send(0, 1, 1201);
  w.send(0, 1, 1200);
  EXPECT_EQ(w.net->advance(second), 1);
  EXPECT_EQ(w.take(1).size(), 1u);
  EXPECT_EQ(w.fact("packets_dropped_mtu"), "1");
  EXPECT_EQ(w.fact("dropped.a/up"), "0");
}

std::string open_error(world& w, const transport::open_options& options) {
  try {
    static_cast<void>(w.net->open(options));
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Fabric, RefusesToOpenWithAReason) {
  world w(wan);
  buffer::block_pool tiny({.block_bytes = 64, .block_count = 2});
  EXPECT_NE(open_error(w, {{}, "a", nullptr}).find("receive pool"), std::string::npos);
  EXPECT_NE(open_error(w, {{}, "a", &tiny}).find("have 64 bytes"), std::string::npos);
  const endpoint_address loopback = *parse_endpoint_address("127.0.0.1:80");
  EXPECT_NE(open_error(w, {loopback, "a", &w.pool}).find("127.0.0.1:80"), std::string::npos);
  EXPECT_NE(open_error(w, {simulated_address(3), "a", &w.pool}).find("number 0"),
            std::string::npos);
  EXPECT_EQ(open_error(w, {simulated_address(0, 77), "a", &w.pool}), "no error");
}

}  // namespace
}  // namespace mdp::netsim::test
