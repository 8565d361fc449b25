// What only real networks do: refused ports, foreign bytes, IPv6. Raw sockets stand in for
// strangers.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>

#include "tests/conformance/fixture.hpp"
#include "transports/common/sockaddr.hpp"

namespace mdp::conformance {
namespace {

class network : public transport_suite {
 protected:
  void SetUp() override {
    transport_suite::SetUp();
    if (!IsSkipped() && !is_real_network()) GTEST_SKIP() << "SKIPPED: not on kernel sockets";
  }
  // Sends bytes from a plain socket to `to`.
  static void send_foreign(const endpoint_address& to, const std::string& bytes) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ASSERT_GE(fd, 0);
    transport::socket_address address;
    const socklen_t size = transport::to_socket_address(to, address);
    EXPECT_EQ(::sendto(fd, bytes.data(), bytes.size(), 0, &address.any, size),
              static_cast<ssize_t>(bytes.size()));
    ::close(fd);
  }
  // Proves that `a` still sends and `b` still receives.
  void expect_alive(port& a, port& b) {
    b.inbox.clear();
    send_one(a, b.address(), "alive");
    EXPECT_TRUE(pump_until([&] { return !b.inbox.empty() && b.inbox.back().bytes == "alive"; }));
  }
};

TEST_P(network, ipv6_loopback) {
  endpoint_address local;
  local.family = address_family::ipv6;
  local.ip[15] = 1;
  try {
    open(64, local);
  } catch (const std::exception& e) {
    GTEST_SKIP() << "SKIPPED: no IPv6 here: " << e.what();
  }
  port& a = *ports_[0];
  port& b = open(64, local);
  ASSERT_EQ(a.address().family, address_family::ipv6);
  const std::uint32_t max = a.link->caps().datagram_bytes_max;
  for (const std::uint32_t size : {1u, 1200u, max}) {
    b.inbox.clear();
    send_one(a, b.address(), pattern(size, size));
    ASSERT_TRUE(pump_until([&] { return !b.inbox.empty(); })) << size;
    EXPECT_EQ(b.inbox[0].bytes, pattern(size, size));
    EXPECT_EQ(b.inbox[0].from, a.address());
  }
  b.inbox.clear();
  const std::uint32_t count = std::min(a.link->caps().segments_max, 20u);
  send_one(a, b.address(), pattern(1200 * count, 5),
           count > 1 ? std::uint16_t{1200} : std::uint16_t{0});
  EXPECT_TRUE(pump_until([&] { return b.inbox.size() >= count; }));
}

TEST_P(network, a_closed_port_is_harmless) {
  port& a = open();
  port& b = open();
  const endpoint_address gone = open(8).address();
  ports_.pop_back();
  for (unsigned i = 0; i < 50; ++i) send_one(a, gone, pattern(100, i));
  expect_alive(a, b);
  expect_alive(b, a);
}

TEST_P(network, an_address_that_cannot_be_reached_is_counted_and_harmless) {
  port& a = open();
  port& b = open();
  endpoint_address bad = b.address();
  bad.port = 0;
  for (unsigned i = 0; i < 5; ++i) send_one(a, bad, pattern(100, i));
  ASSERT_TRUE(pump_until([&] { return a.link->counts().tx_rejected >= 5; }));
  EXPECT_EQ(a.link->counts().tx_rejected, 5u);
  expect_alive(a, b);
}

TEST_P(network, a_refused_item_does_not_stop_its_neighbours) {
  port& a = open();
  port& b = open();
  endpoint_address bad = b.address();
  bad.port = 0;
  buffer::tx_batch batch;
  for (unsigned i = 0; i < 30; ++i) add_item(batch, i % 3 == 1 ? bad : b.address(), pattern(50, i));
  ASSERT_TRUE(send_all(a, batch));
  ASSERT_TRUE(pump_until([&] { return b.inbox.size() >= 20; }));
  pump_quietly();
  EXPECT_EQ(b.inbox.size(), 20u);
  EXPECT_EQ(a.link->counts().tx_rejected, 10u);
}

TEST_P(network, random_bytes_and_empty_datagrams_are_harmless) {
  port& a = open();
  port& b = open();
  std::mt19937 random(7);
  std::uint64_t bytes = 0;
  for (unsigned i = 0; i < 100; ++i) {
    const std::string noise = pattern(random() % 3000, static_cast<unsigned>(random()));
    bytes += noise.size();
    send_foreign(b.address(), noise);
    send_foreign(b.address(), "");
  }
  ASSERT_TRUE(pump_until([&] { return b.link->counts().rx_bytes >= bytes; }));
  EXPECT_EQ(b.link->counts().rx_bytes, bytes);
  for (const auto& d : b.inbox) EXPECT_FALSE(d.bytes.empty());
  expect_alive(a, b);
}

TEST_P(network, a_train_with_too_large_datagrams_is_never_fatal) {
  port& a = open();
  port& b = open();
  // More datagrams than one call may carry: the transport splits it.
  const std::uint32_t count = a.link->caps().segments_max + 5;
  send_one(a, b.address(), pattern(count * 100, 3), 100, 3);
  ASSERT_TRUE(pump_until([&] { return b.inbox.size() >= count; }));
  EXPECT_EQ(a.link->counts().tx_unsegmented, 1u);
  EXPECT_EQ(a.link->counts().tx_datagrams, count);
  expect_alive(a, b);
}

TEST_P(network, offload_can_be_switched_off) {
  fabric_ = plugin::create_fabric(GetParam(), R"({"gso": false, "gro": false})", {MDP_PLUGIN_DIR});
  port& a = open();
  port& b = open();
  EXPECT_EQ(a.link->caps().segments_max, 1u);
  send_one(a, b.address(), pattern(1000, 3), 100, 3);
  ASSERT_TRUE(pump_until([&] { return b.inbox.size() >= 10; }));
  EXPECT_EQ(a.link->counts().tx_unsegmented, 1u);
}

TEST_P(network, congestion_marks_travel) {
  port& a = open();
  port& b = open();
  slice part = slice::acquire(*tx_pool_).subslice(0, 4);
  std::memset(part.data(), 'x', 4);
  buffer::tx_batch batch;
  batch.add_part(std::move(part));
  batch.finish_item(b.address(), 0, buffer::ecn::ect0);
  ASSERT_TRUE(send_all(a, batch));
  std::array<rx_datagrams, 4> got;
  ASSERT_EQ(b.link->poll(got, {.deadline = b.link->now() + std::chrono::seconds(10)}), 1u);
  EXPECT_EQ(got[0].codepoint, buffer::ecn::ect0);
  send_one(a, b.address(), "plain");
  ASSERT_EQ(b.link->poll(got, {.deadline = b.link->now() + std::chrono::seconds(10)}), 1u);
  EXPECT_EQ(got[0].codepoint, buffer::ecn::not_ect);
}

TEST_P(network, what_the_kernel_drops_for_want_of_buffer_is_counted) {
  fabric_ = plugin::create_fabric(GetParam(), R"({"recv_buffer_bytes": 65536})", {MDP_PLUGIN_DIR});
  port& a = open();
  port& b = open();
  constexpr unsigned total = 1000;
  for (unsigned i = 0; i < total; ++i) {
    buffer::tx_batch batch;
    add_item(batch, b.address(), pattern(1000, i));
    while (!batch.empty()) {
      batch.consume(a.link->send(batch.pending()));
      poll_once(a);
    }
  }
  pump_quietly();
  // The count comes with the next datagram.
  send_one(a, b.address(), "next");
  ASSERT_TRUE(pump_until([&] { return !b.inbox.empty() && b.inbox.back().bytes == "next"; }));
  const auto& counts = b.link->counts();
  EXPECT_GT(counts.rx_kernel_drops, 0u);
  EXPECT_EQ(counts.rx_datagrams + counts.rx_kernel_drops, total + 1);
}

TEST_P(network, transports_share_a_port_only_when_told_to) {
  port& a = open();
  port& lone = open();
  EXPECT_THROW(open(64, lone.address()), std::exception);
  ports_.resize(2);
  fabric_ = plugin::create_fabric(GetParam(), R"({"reuse_port": true})", {MDP_PLUGIN_DIR});
  const endpoint_address shared = open().address();
  open(256, shared);
  ASSERT_EQ(ports_[3]->address(), shared);
  const auto arrived = [&] { return ports_[2]->inbox.size() + ports_[3]->inbox.size(); };
  constexpr std::size_t total = 50;
  for (unsigned i = 0; i < total; ++i) send_one(a, shared, pattern(100, i));
  ASSERT_TRUE(pump_until([&] { return arrived() >= total; }));
  pump_quietly();
  EXPECT_EQ(arrived(), total);
  // One sender is one flow: all of it comes to the same transport.
  EXPECT_TRUE(ports_[2]->inbox.empty() || ports_[3]->inbox.empty());
}

TEST_P(network, bad_options_are_refused_with_their_name) {
  const auto refusal = [&](const char* options) -> std::string {
    try {
      static_cast<void>(plugin::create_fabric(GetParam(), options, {MDP_PLUGIN_DIR}));
    } catch (const plugin::plugin_error& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal(R"({"gso": 3})"), testing::HasSubstr("gso"));
  EXPECT_THAT(refusal(R"({"recv_buffer_bytes": -1})"), testing::HasSubstr("recv_buffer_bytes"));
  EXPECT_THAT(refusal(R"({"reuse_port": 1})"), testing::HasSubstr("reuse_port"));
  EXPECT_THAT(refusal(R"({"prefer_busy_poll": 1})"), testing::HasSubstr("prefer_busy_poll"));
  EXPECT_THAT(refusal(R"({"colour": "red"})"), testing::HasSubstr("colour"));
  EXPECT_THAT(refusal("nonsense"), testing::HasSubstr("JSON object"));
}

INSTANTIATE_TEST_SUITE_P(plugin, network, testing::ValuesIn(plugins_under_test()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace mdp::conformance
