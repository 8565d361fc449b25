// What is sent arrives, whole, from the right address and in its sizes; and the counters add up.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "tests/conformance/fixture.hpp"

namespace mdp::conformance {
namespace {

class delivery : public transport_suite {};

// Skips where nothing can ever arrive.
#define MDP_NEEDS_DELIVERY() \
  if (!delivers()) GTEST_SKIP() << "SKIPPED: this transport delivers nothing by design"

TEST_P(delivery, one_datagram_arrives_with_its_senders_address) {
  MDP_NEEDS_DELIVERY();
  port& a = open();
  port& b = open();
  ASSERT_NE(a.address(), b.address());
  send_one(a, b.address(), "hello");
  ASSERT_TRUE(pump_until([&] { return !b.inbox.empty(); }));
  EXPECT_EQ(b.inbox[0].bytes, "hello");
  EXPECT_EQ(b.inbox[0].from, a.address());
}

TEST_P(delivery, both_directions) {
  MDP_NEEDS_DELIVERY();
  port& a = open();
  port& b = open();
  for (unsigned i = 0; i < 100; ++i) {
    send_one(a, b.address(), pattern(100, i));
    send_one(b, a.address(), pattern(200, i));
  }
  ASSERT_TRUE(pump_until([&] { return a.inbox.size() == 100 && b.inbox.size() == 100; }));
  EXPECT_EQ(a.inbox.back().bytes, pattern(200, 99));
  EXPECT_EQ(b.inbox.back().bytes, pattern(100, 99));
}

TEST_P(delivery, sizes_from_one_byte_to_the_largest) {
  MDP_NEEDS_DELIVERY();
  port& a = open();
  port& b = open();
  const std::uint32_t max = datagram_bytes_max();
  for (const std::uint32_t size :
       {1u, 2u, 63u, 64u, 65u, 1200u, 1472u, 8192u, 9001u, max - 1, max}) {
    if (size > max) continue;
    b.inbox.clear();
    send_one(a, b.address(), pattern(size, size), 0, size > 16 ? 3 : 1);
    ASSERT_TRUE(pump_until([&] { return !b.inbox.empty(); })) << size << " bytes did not arrive";
    EXPECT_EQ(b.inbox[0].bytes, pattern(size, size)) << size << " bytes";
  }
}

TEST_P(delivery, trains_with_an_uneven_last_datagram) {
  MDP_NEEDS_DELIVERY();
  port& a = open();
  port& b = open();
  const auto& caps = a.link->caps();
  struct shape {
    std::uint32_t count;
    std::uint16_t segment;
    std::uint32_t last;
  };
  for (const shape s : {shape{2, 100, 1}, shape{5, 1200, 77}, shape{40, 1200, 1200},
                        shape{caps.segments_max, 64, 63}, shape{caps.segments_max, 64, 64}}) {
    if (s.count == 0) continue;
    const std::uint32_t bytes = (s.count - 1) * s.segment + s.last;
    if (s.count > caps.segments_max || bytes > caps.train_bytes_max) continue;
    b.inbox.clear();
    const std::string sent = pattern(bytes, s.count);
    // Parts that do not align with segments are allowed.
    send_one(a, b.address(), sent, s.segment, 7);
    ASSERT_TRUE(pump_until([&] { return b.inbox.size() >= s.count; }))
        << s.count << "x" << s.segment;
    ASSERT_EQ(b.inbox.size(), s.count);
    std::string joined;
    for (std::size_t i = 0; i < b.inbox.size(); ++i) {
      EXPECT_EQ(b.inbox[i].bytes.size(), i + 1 < b.inbox.size() ? s.segment : s.last);
      joined += b.inbox[i].bytes;
    }
    EXPECT_EQ(joined, sent);
  }
}

TEST_P(delivery, batches_larger_than_64_keep_every_item) {
  MDP_NEEDS_DELIVERY();
  port& a = open();
  port& b = open();
  constexpr std::size_t total = 200;
  std::vector<slice> parts(total);
  std::vector<buffer::tx_datagrams> items;
  for (std::size_t i = 0; i < total; ++i) {
    parts[i] = slice::acquire(*tx_pool_).subslice(0, 8);
    std::memcpy(parts[i].data(), &i, sizeof i);
    items.push_back({b.address(), std::span<const slice>(&parts[i], 1), 8, 0, {}});
  }
  std::size_t taken = 0;
  ASSERT_TRUE(pump_until([&] {
    taken += a.link->send(std::span(items).subspan(taken));
    return taken == total;
  }));
  parts.clear();
  ASSERT_TRUE(pump_until([&] { return b.inbox.size() >= total; }));
  std::set<std::size_t> seen;
  for (const auto& d : b.inbox) {
    std::size_t i = 0;
    std::memcpy(&i, d.bytes.data(), sizeof i);
    EXPECT_TRUE(seen.insert(i).second) << "item " << i << " came twice";
  }
  EXPECT_EQ(seen.size(), total);
}

TEST_P(delivery, partial_sends_neither_lose_nor_repeat_an_item) {
  MDP_NEEDS_DELIVERY();
  port& a = open();
  port& b = open();
  // Large datagrams in numbers: a transport with a bounded queue takes them in several helpings.
  const std::uint32_t bytes = std::min(datagram_bytes_max(), 16384u);
  std::uint32_t next = 0;
  for (int round = 0; round < 10; ++round) {
    buffer::tx_batch batch;
    for (int i = 0; i < 20; ++i) {
      std::string text = pattern(bytes, 0);
      std::memcpy(text.data(), &next, sizeof next);
      ++next;
      add_item(batch, b.address(), text);
    }
    ASSERT_TRUE(send_all(a, batch));
    ASSERT_TRUE(pump_until([&] { return b.inbox.size() >= next; }));
  }
  std::set<std::uint32_t> seen;
  for (const auto& d : b.inbox) {
    std::uint32_t i = 0;
    std::memcpy(&i, d.bytes.data(), sizeof i);
    EXPECT_TRUE(seen.insert(i).second);
  }
  EXPECT_EQ(seen.size(), next);
}

TEST_P(delivery, many_peers_to_one) {
  MDP_NEEDS_DELIVERY();
  constexpr std::size_t peers = 20;
  port& sink = open();
  for (std::size_t i = 0; i < peers; ++i) open(4);
  for (unsigned round = 0; round < 5; ++round) {
    for (std::size_t i = 1; i <= peers; ++i)
      send_one(*ports_[i], sink.address(), to_string(ports_[i]->address()));
  }
  ASSERT_TRUE(pump_until([&] { return sink.inbox.size() >= peers * 5; }));
  for (const auto& d : sink.inbox) EXPECT_EQ(d.bytes, to_string(d.from));
}

TEST_P(delivery, an_empty_batch_is_taken_and_counts_nothing) {
  port& a = open();
  EXPECT_EQ(a.link->send({}), 0u);
  EXPECT_EQ(poll_once(a), 0u);
  EXPECT_EQ(a.link->counts().tx_datagrams, 0u);
}

TEST_P(delivery, counters_add_up) {
  MDP_NEEDS_DELIVERY();
  port& a = open();
  port& b = open();
  const std::uint32_t train = std::min(a.link->caps().segments_max, 10u);
  std::uint64_t bytes = 0;
  for (unsigned i = 0; i < 30; ++i) {
    send_one(a, b.address(), pattern(500 * train, i),
             train > 1 ? std::uint16_t{500} : std::uint16_t{0});
    bytes += 500 * train;
  }
  const std::uint64_t expected = 30u * train;
  ASSERT_TRUE(pump_until([&] {
    return b.link->counts().rx_datagrams >= expected && a.link->counts().tx_datagrams >= expected;
  }));
  const auto& tx = a.link->counts();
  const auto& rx = b.link->counts();
  EXPECT_EQ(tx.tx_datagrams, expected);
  EXPECT_EQ(tx.tx_bytes, bytes);
  EXPECT_EQ(tx.tx_rejected, 0u);
  EXPECT_EQ(rx.rx_datagrams, expected);
  EXPECT_EQ(rx.rx_bytes, bytes);
  EXPECT_EQ(b.inbox.size(), expected);
  EXPECT_EQ(rx.tx_datagrams, 0u);
  EXPECT_EQ(tx.rx_datagrams, 0u);
}

TEST_P(delivery, an_exhausted_receive_pool_recovers) {
  MDP_NEEDS_DELIVERY();
  port& a = open();
  port& b = open(4);
  std::vector<rx_datagrams> held;
  std::array<rx_datagrams, 64> got;
  constexpr unsigned total = 12;
  for (unsigned i = 0; i < total; ++i) send_one(a, b.address(), pattern(64, i), 0);
  // Take what comes without giving blocks back: at most as many as there are.
  const auto take = [&](std::size_t wanted) {
    const time_point end = a.link->now() + std::chrono::seconds(5);
    while (held.size() < wanted && a.link->now() < end) {
      const std::size_t n = b.link->poll(
          got,
          {.deadline = fabric_->caps().virtual_time ? never : b.link->now() + duration(1'000'000)});
      for (std::size_t i = 0; i < n; ++i) held.push_back(std::move(got[i]));
      if (fabric_->caps().virtual_time)
        static_cast<void>(fabric_->advance(a.link->now() + duration(1'000'000)));
    }
  };
  take(4);
  // Datagrams of one sender may share a block; a block of each is held here.
  std::set<const buffer::block*> blocks;
  for (const auto& h : held) blocks.insert(h.data.owner());
  EXPECT_LE(blocks.size(), 4u);
  EXPECT_GE(blocks.size(), 1u);
  held.clear();
  // Those that waited may be lost or not; new ones must arrive.
  pump_quietly();
  b.inbox.clear();
  send_one(a, b.address(), "after");
  ASSERT_TRUE(pump_until([&] { return !b.inbox.empty() && b.inbox.back().bytes == "after"; }));
}

INSTANTIATE_TEST_SUITE_P(plugin, delivery, testing::ValuesIn(plugins_under_test()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace mdp::conformance
