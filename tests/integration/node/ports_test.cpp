// One node with several ports, of both families, over real sockets: it is reached through each, and
// answers through the one it was reached by.
#include <gtest/gtest.h>

#include <set>

#include "mdp/runtime/stats.hpp"
#include "tests/support/node_world.hpp"

namespace mdp {
namespace {

using namespace std::chrono_literals;
using messaging::confirm;
using messaging::event_kind;

std::span<const std::byte> bytes(const char* text) {
  return std::as_bytes(std::span(std::string_view(text)));
}

endpoint_address address(const char* text) {
  return *parse_endpoint_address(text);
}

class node_ports : public testing::TestWithParam<test::node_variant> {
 protected:
  void SetUp() override {
    node_options options;
    options.local = address("127.0.0.1:0");
    options.more_locals = {address("[::1]:0"), address("127.0.0.1:0")};
    try {
      world_ = std::make_unique<test::node_world>(GetParam());
      server_ = &world_->add(options);
    } catch (const std::exception& e) {
      GTEST_SKIP() << "SKIPPED: " << e.what();
    }
    ports_ = server_->local_addresses();
    ASSERT_EQ(ports_.size(), 3u);
  }
  // A node of its own that has connected to this port.
  node& client_of(const endpoint_address& port) {
    node_options options;
    options.local = address(port.family == address_family::ipv6 ? "[::1]:0" : "127.0.0.1:0");
    node& client = world_->add(options);
    const auto peer = client.connect(port);
    EXPECT_TRUE(peer) << peer.error();
    EXPECT_TRUE(world_->run_until([&] { return world_->count(client, event_kind::peer_up) == 1; }));
    return client;
  }
  // Both ways, of one and of many packets.
  void exchange(node& from, peer_id to) {
    const std::vector<std::byte> large(100'000, std::byte{7});
    const std::size_t before = world_->count(from, event_kind::delivered);
    ASSERT_TRUE(from.submit(to, bytes("small"), {.want = confirm::delivered}));
    ASSERT_TRUE(from.submit(to, large, {.want = confirm::delivered}));
    EXPECT_TRUE(world_->run_until(
        [&] { return world_->count(from, event_kind::delivered) == before + 2; }));
  }

  std::unique_ptr<test::node_world> world_;
  node* server_ = nullptr;
  std::vector<endpoint_address> ports_;
};

TEST_P(node_ports, are_each_reached_and_answered_from) {
  EXPECT_EQ(server_->local_address(), ports_[0]);
  std::set<std::uint8_t> through;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    EXPECT_EQ(ports_[i].local, i);
    endpoint_address port = ports_[i];
    port.local = 0;  // as another node knows it
    node& client = client_of(port);
    exchange(client, *client.find(port));
    endpoint_address back = client.local_address();
    const auto peer = server_->find(back);  // at whichever port
    ASSERT_TRUE(peer);
    exchange(*server_, *peer);
  }
  for (const peer_info& peer : server_->peers(peer_filter::all)) through.insert(peer.address.local);
  EXPECT_EQ(through, (std::set<std::uint8_t>{0, 1, 2}));
  EXPECT_EQ(value_of(server_->stats(), "rejected_path"), 0u);
  const transport::counters counts = server_->transport_counts();
  EXPECT_GT(counts.rx_bytes, 300'000u) << "sums over the ports";
}

TEST_P(node_ports, are_chosen_by_family_and_by_number) {
  node_options options;
  options.local = address("[::1]:0");
  node& six = world_->add(options);
  options.local = address("127.0.0.1:0");
  node& four = world_->add(options);
  endpoint_address to_four = four.local_address();
  to_four.local = 2;
  const auto first = server_->connect(six.local_address());
  const auto second = server_->connect(to_four);
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(world_->run_until([&] { return world_->count(*server_, event_kind::peer_up) == 2; }));
  exchange(*server_, *first);
  exchange(*server_, *second);
  EXPECT_EQ(six.peers(peer_filter::all)[0].address.port, ports_[1].port);
  EXPECT_EQ(four.peers(peer_filter::all)[0].address.port, ports_[2].port);
}

TEST_P(node_ports, are_all_deaf_to_who_is_blacklisted) {
  node_options options;
  options.local = address("127.0.0.1:0");
  node& client = world_->add(options);
  server_->blacklist(client.local_address());
  for (const std::size_t port : {0u, 2u}) ASSERT_TRUE(client.connect(ports_[port]));
  world_->run_for(50ms);
  EXPECT_EQ(world_->count(client, event_kind::peer_up), 0u);
  EXPECT_GE(value_of(server_->stats(), "rejected_blacklisted"), 2u);
  server_->unblacklist(client.local_address());
  EXPECT_TRUE(world_->run_until([&] { return world_->count(client, event_kind::peer_up) == 2; }));
}

// A node that has nothing to do sleeps, whatever the number of its ports.
TEST_P(node_ports, wait_together_without_spinning) {
  static_cast<void>(client_of(ports_[0]));
  world_->run_for(20ms);
  const std::uint64_t before = server_->transport_counts().wakeups;
  messaging::event out[4];
  const time_point end = server_->now() + 200ms;
  std::uint64_t calls = 0;
  for (; server_->now() < end; ++calls) static_cast<void>(server_->poll(out, end));
  EXPECT_LT(calls, 50u);
  EXPECT_LT(server_->transport_counts().wakeups - before, 50u);
}

INSTANTIATE_TEST_SUITE_P(nodes, node_ports,
                         testing::Values(test::node_variant{"socket", "inline"},
                                         test::node_variant{"socket", "single"},
                                         test::node_variant{"socket", "sharded:2"},
                                         test::node_variant{"io_uring", "inline"},
                                         test::node_variant{"io_uring", "single"}),
                         [](const auto& v) { return test::name_of(v.param); });

std::string refusal_of(const char* plugin, const node_options& wanted) {
  const auto fabric = plugin::create_fabric(plugin, "{}", {MDP_PLUGIN_DIR});
  node_options options = wanted;
  options.fabric = fabric.get();
  try {
    static_cast<void>(make_node(options));
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

TEST(ports, that_cannot_be_had_are_refused_with_a_reason) {
  node_options options;
  options.more_locals = {simulated_address(1)};
  EXPECT_NE(refusal_of("netsim", options).find("one port"), std::string::npos);
  options.local = address("127.0.0.1:0");
  options.more_locals.assign(64, address("127.0.0.1:0"));
  EXPECT_NE(refusal_of("socket", options).find("at most 64 ports"), std::string::npos);
  options.more_locals = {address("192.0.2.1:0")};
  EXPECT_NE(refusal_of("socket", options).find("192.0.2.1"), std::string::npos);
}

}  // namespace
}  // namespace mdp
