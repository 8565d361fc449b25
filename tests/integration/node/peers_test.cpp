// What a node is told to do with its peers, and tells about them, in each layout; several nodes in
// one process, over both families of addresses.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "mdp/runtime/stats.hpp"
#include "tests/support/node_world.hpp"

namespace mdp {
namespace {

using namespace std::chrono_literals;
using messaging::confirm;
using messaging::event;
using messaging::event_kind;
using messaging::refusal;

std::span<const std::byte> bytes(const char* text) {
  return std::as_bytes(std::span(std::string_view(text)));
}

class node_peers : public testing::TestWithParam<test::node_variant> {
 protected:
  void SetUp() override {
    try {
      world_ = std::make_unique<test::node_world>(GetParam());
    } catch (const plugin::plugin_error& e) {
      GTEST_SKIP() << "SKIPPED: " << e.what();
    }
    a_ = &world_->add();
    b_ = &world_->add();
    const auto peer = a_->connect(b_->local_address());
    ASSERT_TRUE(peer) << peer.error();
    peer_ = *peer;
    ASSERT_TRUE(world_->run_until([&] {
      return world_->count(*a_, event_kind::peer_up) == 1 &&
             world_->count(*b_, event_kind::peer_up) == 1;
    }));
  }
  std::unique_ptr<test::node_world> world_;
  node* a_ = nullptr;
  node* b_ = nullptr;
  peer_id peer_{};
};

TEST_P(node_peers, are_listed_found_and_told_apart_by_their_pins) {
  EXPECT_EQ(a_->find(b_->local_address()), peer_);
  EXPECT_FALSE(a_->find(simulated_address(4711)));
  const auto of_a = a_->peers(peer_filter::connected);
  ASSERT_EQ(of_a.size(), 1u);
  EXPECT_EQ(of_a[0].id, peer_);
  EXPECT_EQ(of_a[0].address, b_->local_address());
  EXPECT_TRUE(of_a[0].pinned && of_a[0].active);
  EXPECT_GT(of_a[0].rtt, 0ns);
  EXPECT_TRUE(b_->peers(peer_filter::connected).empty()) << "b did not connect";
  ASSERT_EQ(b_->peers(peer_filter::active).size(), 1u);
  const auto by_id = a_->info(peer_);
  ASSERT_TRUE(by_id);
  EXPECT_EQ(by_id->address, b_->local_address());
  EXPECT_FALSE(a_->info(peer_id{0x00100077}));
  // Whoever connected to us can be sent to.
  const peer_id back = b_->peers(peer_filter::all)[0].id;
  ASSERT_TRUE(b_->submit(back, bytes("hello"), {.want = confirm::delivered}));
  EXPECT_TRUE(world_->run_until([&] { return world_->count(*b_, event_kind::delivered) == 1; }));
  ASSERT_TRUE(a_->disconnect(peer_));
  EXPECT_TRUE(a_->peers(peer_filter::connected).empty());
  EXPECT_EQ(a_->peers(peer_filter::active).size(), 1u) << "it stays while it is active";
  EXPECT_EQ(a_->disconnect(peer_id{0x00100077}).error(), refusal::unknown_peer);
}

TEST_P(node_peers, that_are_blacklisted_are_not_heard) {
  b_->blacklist(a_->local_address());
  EXPECT_TRUE(world_->run_until([&] { return world_->count(*b_, event_kind::peer_down) == 1; }));
  EXPECT_TRUE(b_->peers(peer_filter::active).empty());
  EXPECT_FALSE(b_->connect(a_->local_address())) << "nor spoken to";
  ASSERT_TRUE(a_->submit(peer_, bytes("x"), {.want = confirm::delivered, .context = 1}));
  world_->run_for(50ms);
  EXPECT_EQ(world_->count(*b_, event_kind::message), 0u);
  EXPECT_GT(value_of(b_->stats(), "rejected_blacklisted"), 0u);
  b_->unblacklist(a_->local_address());
  EXPECT_TRUE(b_->connect(a_->local_address()));
}

TEST_P(node_peers, tell_who_came_since_the_last_call) {
  const auto first = a_->peer_changes();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].id, peer_);
  EXPECT_TRUE(first[0].active);
  EXPECT_TRUE(a_->peer_changes().empty());
  a_->blacklist(b_->local_address());
  const auto second = a_->peer_changes();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_FALSE(second[0].active);
}

TEST_P(node_peers, have_counts_of_their_own) {
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(a_->submit(peer_, bytes("count me"), {.want = confirm::delivered}));
  ASSERT_TRUE(world_->run_until([&] { return world_->count(*a_, event_kind::delivered) == 10; }));
  const auto of_peer = a_->peer_stats(peer_);
  EXPECT_EQ(value_of(of_peer, "messages_sent"), 10u);
  EXPECT_EQ(value_of(of_peer, "confirmed_delivered"), 10u);
  EXPECT_EQ(value_of(of_peer, "payload_bytes_sent"), 80u);
  EXPECT_GT(value_of(of_peer, "rtt_ns"), 0u);
  EXPECT_EQ(value_of(a_->active_stats(), "messages_sent"), 10u);
  EXPECT_TRUE(a_->peer_stats(peer_id{0x00100077}).empty());
  EXPECT_NE(to_json(of_peer).find("\"messages_sent\":10"), std::string::npos);
}

TEST_P(node_peers, are_sent_to_by_an_algorithm_of_their_own) {
  const std::uint64_t fixed = value_of(a_->peer_stats(peer_), "congestion_window_bytes");
  ASSERT_TRUE(a_->set_congestion_control(peer_, congestion_control_kind::cubic));
  EXPECT_LT(value_of(a_->peer_stats(peer_), "congestion_window_bytes"), fixed)
      << "CUBIC begins with ten packets";
  ASSERT_TRUE(a_->submit(peer_, bytes("still delivered"), {.want = confirm::delivered}));
  EXPECT_TRUE(world_->run_until([&] { return world_->count(*a_, event_kind::delivered) == 1; }));
  const auto stranger =
      a_->set_congestion_control(peer_id{0x00100077}, congestion_control_kind::cubic);
  ASSERT_FALSE(stranger);
  EXPECT_EQ(stranger.error(), messaging::refusal::unknown_peer);
}

// docs/statistics.md has every name, and none that is not counted.
TEST_P(node_peers, count_what_the_page_says) {
  std::ifstream file(MDP_SOURCE_DIR "/docs/statistics.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  std::set<std::string> counted;
  for (const auto& all : {a_->stats(), a_->peer_stats(peer_), a_->active_stats()})
    for (const auto& [name, value] : all) counted.insert(name);
  for (const auto& [name, member] : transport::counter_names) counted.insert(name);
  std::set<std::string> described;
  const std::regex words("`([a-z_]+)`");
  for (std::sregex_iterator it(page.begin(), page.end(), words), end; it != end; ++it)
    described.insert((*it)[1]);
  for (const char* other : {"max_message_bytes", "max_peers", "unknown"}) described.erase(other);
  EXPECT_EQ(described, counted);
}

INSTANTIATE_TEST_SUITE_P(nodes, node_peers,
                         testing::Values(test::node_variant{"socket", "inline"},
                                         test::node_variant{"socket", "single"},
                                         test::node_variant{"socket", "pair"},
                                         test::node_variant{"socket", "pipeline"},
                                         test::node_variant{"socket", "sharded:3"},
                                         test::node_variant{"netsim", "inline"}),
                         [](const auto& v) { return test::name_of(v.param); });

TEST(node_key, is_read_from_hexadecimal_digits) {
  const auto key = parse_node_key("0123456789abcdefFEDCBA9876543210");
  ASSERT_TRUE(key) << key.error();
  EXPECT_EQ(key->k0, 0x0123456789abcdefu);
  EXPECT_EQ(key->k1, 0xfedcba9876543210u);
  for (const char* text : {"", "0123456789abcdef", "0123456789abcdefFEDCBA98765432100",
                           "0123456789abcdefFEDCBA987654321g", "+123456789abcdefFEDCBA9876543210",
                           "00000000000000000000000000000000"}) {
    const auto refused = parse_node_key(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_NE(refused.error().find("node key"), std::string::npos);
  }
}

// Several nodes in one process and on one thread.
TEST(addresses, of_both_families_serve_nodes_side_by_side) {
  const auto fabric = plugin::create_fabric("socket", "{}", {MDP_PLUGIN_DIR});
  for (const char* local : {"127.0.0.1:0", "[::1]:0"}) {
    node_options options;
    options.fabric = fabric.get();
    options.local = *parse_endpoint_address(local);
    std::vector<std::unique_ptr<node>> servers;
    try {
      for (int i = 0; i < 3; ++i) servers.push_back(make_node(options));
    } catch (const std::exception& e) {
      GTEST_SKIP() << "SKIPPED: " << local << ": " << e.what();
    }
    const auto client = make_node(options);
    for (const auto& server : servers) {
      const auto peer = client->connect(server->local_address());
      ASSERT_TRUE(peer) << peer.error();
      ASSERT_TRUE(client->submit(*peer, bytes("hello"), {.want = confirm::delivered}));
    }
    std::size_t delivered = 0;
    const time_point end = client->now() + 5s;
    std::vector<event> events(16);
    while (delivered < servers.size() && client->now() < end) {
      for (const auto& server : servers)
        static_cast<void>(server->poll(events, server->now() + 1ms));
      const std::size_t n = client->poll(events, client->now() + 1ms);
      for (std::size_t i = 0; i < n; ++i) delivered += events[i].kind == event_kind::delivered;
    }
    EXPECT_EQ(delivered, servers.size()) << local;
  }
}

}  // namespace
}  // namespace mdp
