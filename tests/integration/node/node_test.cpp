// Real nodes over real plugins: two nodes on loopback sockets, every layout; junk on the
// wire.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <set>

#include "mdp/base/random.hpp"
#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/runtime/node.hpp"
#include "tests/support/node_world.hpp"

namespace mdp {
namespace {

using namespace std::chrono_literals;
using messaging::event;
using messaging::event_kind;

using test::node_variant;

class node_over : public testing::TestWithParam<node_variant> {
 protected:
  void SetUp() override {
    try {
      fabric_ = plugin::create_fabric(GetParam().plugin, "{}", {MDP_PLUGIN_DIR});
    } catch (const plugin::plugin_error& e) {
      GTEST_SKIP() << "SKIPPED: " << e.what();
    }
  }
  std::unique_ptr<messaging::messenger> make(node_config config = {}) {
    node_options options;
    options.fabric = fabric_.get();
    options.threads = *parse_thread_plan(GetParam().threads);
    options.config = config;
    return make_node(options);
  }
  std::shared_ptr<transport::fabric> fabric_;
};

// Polls both until `done`; false after ten seconds.
template <class Done, class OnEvent>
bool pump(messaging::messenger& a, messaging::messenger& b, OnEvent&& on_event, Done&& done) {
  std::vector<event> events(64);
  const time_point end = a.now() + 10s;
  while (!done()) {
    for (messaging::messenger* m : {&a, &b}) {
      const std::size_t n = m->poll(events, m->now() + 100us);
      for (std::size_t i = 0; i < n; ++i) {
        on_event(*m, events[i]);
        events[i].payload.reset();
      }
    }
    if (a.now() > end) return done();
  }
  return true;
}

TEST_P(node_over, delivers_messages_of_every_size_once_and_confirms_them) {
  auto a = make();
  auto b = make();
  const auto peer = a->connect(b->local_address());
  ASSERT_TRUE(peer) << peer.error();
  constexpr std::size_t count = 3000;
  std::set<std::uint64_t> seen;
  std::size_t received = 0;
  std::size_t delivered = 0;
  std::size_t sent = 0;
  std::vector<std::byte> payload(100000);
  const auto size_of = [](std::size_t i) { return i % 100 == 99 ? 100000 - i : 8 + i % 1500; };
  const auto on_event = [&](messaging::messenger& m, event& e) {
    if (e.kind == event_kind::message) {
      ASSERT_EQ(&m, b.get());
      std::uint64_t index = 0;
      ASSERT_GE(e.payload.size(), 8u);
      std::memcpy(&index, e.payload.data(), 8);
      EXPECT_EQ(e.payload.size(), size_of(index));
      EXPECT_EQ(e.payload.data()[e.payload.size() - 1],
                e.payload.size() == 8 ? e.payload.data()[7] : static_cast<std::byte>(index));
      EXPECT_TRUE(seen.insert(index).second);
    }
    received += e.kind == event_kind::received;
    delivered += e.kind == event_kind::delivered;
  };
  const bool done = pump(*a, *b, on_event, [&] {
    while (sent < count) {
      const std::size_t size = size_of(sent);
      std::memset(payload.data(), static_cast<int>(sent & 0xff), size);
      std::memcpy(payload.data(), &sent, 8);
      if (!a->submit(*peer, {payload.data(), size}, {messaging::confirm::both, sent})) break;
      ++sent;
    }
    return delivered == count;
  });
  EXPECT_TRUE(done) << sent << " sent, " << seen.size() << " arrived, " << delivered
                    << " delivered";
  EXPECT_EQ(seen.size(), count);
  EXPECT_EQ(received, count);
}

// R-PMTU-1, R-PMTU-2: loopback carries the largest datagram that there is.
TEST_P(node_over, packets_grow_to_65507_bytes_on_loopback) {
  node_config config;
  config.max_packet_bytes = 65507;
  config.max_enqueued_packets = 1024;
  config.max_message_bytes = 1 << 20;
  auto a = make(config);
  auto b = make(config);
  const auto peer = a->connect(b->local_address());
  ASSERT_TRUE(peer) << peer.error();
  const std::vector<std::byte> payload(1 << 20);
  std::size_t delivered = 0;
  std::uint64_t packets = 0;
  const auto count = [&](const char* wanted) {
    for (const auto& [name, value] : a->stats())
      if (name == wanted) return value;
    return std::uint64_t{0};
  };
  const auto on_event = [&](messaging::messenger&, event& e) {
    delivered += e.kind == event_kind::delivered;
  };
  for (std::size_t i = 0; i < 20; ++i) {
    packets = count("packets_sent");
    ASSERT_TRUE(a->submit(*peer, payload, {messaging::confirm::delivered, i}));
    ASSERT_TRUE(pump(*a, *b, on_event, [&] { return delivered == i + 1; }));
  }
  // 17 packets carry 1 MiB; answers take some more.
  EXPECT_LT(count("packets_sent") - packets, 100u);
  EXPECT_GE(count("mtu_probes_sent"), 3u);
  EXPECT_EQ(count("mtu_black_holes"), 0u);
}

TEST_P(node_over, a_closed_port_is_reported) {
  auto a = make([] {
    node_config c;
    c.connect_timeout_ms = 300;
    return c;
  }());
  auto peer = a->connect(*parse_endpoint_address("127.0.0.1:9"));
  ASSERT_TRUE(peer);
  ASSERT_TRUE(a->submit(*peer, {}, {messaging::confirm::delivered, 7}));
  std::vector<event> events(16);
  bool down = false;
  bool unknown = false;
  const time_point end = a->now() + 10s;
  while (!down && a->now() < end) {
    const std::size_t n = a->poll(events, a->now() + 10ms);
    for (std::size_t i = 0; i < n; ++i) {
      down = down || events[i].kind == event_kind::peer_down;
      unknown = unknown || (events[i].kind == event_kind::unknown && events[i].context == 7);
    }
  }
  EXPECT_TRUE(down);
  EXPECT_TRUE(unknown);
}

TEST_P(node_over, random_bytes_create_no_state_and_do_not_disturb) {
  auto a = make();
  auto b = make();
  const auto peer = a->connect(b->local_address());
  const endpoint_address target = b->local_address();
  ASSERT_EQ(target.family, address_family::ipv4);
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  ASSERT_GE(fd, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(target.port);
  std::memcpy(&to.sin_addr, target.ip.data(), 4);
  seeded_random random(7);
  std::size_t delivered = 0;
  std::size_t sent = 0;
  std::size_t ups = 0;
  const auto on_event = [&](messaging::messenger& m, event& e) {
    delivered += e.kind == event_kind::delivered;
    ups += &m == b.get() && e.kind == event_kind::peer_up;
  };
  const bool done = pump(*a, *b, on_event, [&] {
    std::byte junk[1400];
    for (int i = 0; i < 8; ++i) {
      const std::size_t size = random.next() % sizeof junk;
      for (std::size_t j = 0; j < size; ++j) junk[j] = static_cast<std::byte>(random.next());
      if (size > 0 && random.next() % 2 == 0) junk[0] = std::byte{0x10};  // a data packet's look
      if (size > 1 && random.next() % 4 == 0) junk[0] = std::byte{0x11};  // a HELLO's
      static_cast<void>(sendto(fd, junk, size, 0, reinterpret_cast<sockaddr*>(&to), sizeof to));
    }
    if (sent < 500 && a->submit(*peer, std::as_bytes(std::span("12345678")),
                                {messaging::confirm::delivered, sent}))
      ++sent;
    return delivered == 500;
  });
  close(fd);
  EXPECT_TRUE(done);
  EXPECT_EQ(ups, 1u) << "strangers became peers";
  std::uint64_t rejected = 0;
  for (const auto& [name, value] : b->stats())
    if (name.starts_with("rejected_")) rejected += value;
  EXPECT_GT(rejected, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    plugins, node_over,
    testing::Values(node_variant{"socket", "inline"}, node_variant{"socket", "single"},
                    node_variant{"socket", "pair"}, node_variant{"socket", "pipeline"},
                    node_variant{"socket", "sharded:2"}, node_variant{"io_uring", "inline"},
                    node_variant{"io_uring", "single"}, node_variant{"io_uring", "pair"},
                    node_variant{"io_uring", "pipeline"}, node_variant{"io_uring", "sharded:2"}),
    [](const auto& test) { return mdp::test::name_of(test.param); });

}  // namespace
}  // namespace mdp
