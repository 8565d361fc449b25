// What is particular to one layout of threads: how shards divide peers, where a plan is refused,
// and how a node without threads ends.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/node_world.hpp"
#include "tests/support/stamp.hpp"

namespace mdp {
namespace {

using namespace std::chrono_literals;
using messaging::confirm;
using messaging::event;
using messaging::event_kind;
using messaging::refusal;
using test::bytes_of;
using test::stamp;
using test::stamp_of;

// One port, many senders: each is one shard's, by its address, and all shards have some.
TEST(sharded_node, divides_its_peers) {
  constexpr std::size_t clients = 32;
  constexpr unsigned shards = 4;
  const auto fabric = plugin::create_fabric("socket", "{}", {MDP_PLUGIN_DIR});
  for (const char* local : {"127.0.0.1:0", "[::1]:0"}) {
    node_options o;
    o.fabric = fabric.get();
    o.local = *parse_endpoint_address(local);
    o.config.receive_pool_bytes = 4 << 20;  // many nodes: little memory to touch
    node_options serving = o;
    serving.threads = *parse_thread_plan("sharded:4");
    const auto server = make_node(serving);
    std::vector<std::unique_ptr<node>> all;
    std::array<event, 64> events;
    std::map<std::uint32_t, std::size_t> peers_of_shard;
    for (std::uint32_t i = 0; i < clients; ++i) all.push_back(make_node(o));
    for (std::uint32_t i = 0; i < clients; ++i) {
      const auto peer = all[i]->connect(server->local_address());
      ASSERT_TRUE(peer) << peer.error();
      const stamp s{i, 0};
      ASSERT_TRUE(all[i]->submit(*peer, bytes_of(s), {.want = confirm::delivered}));
    }
    std::set<std::uint32_t> seen;
    const time_point end = server->now() + 10s;
    while (seen.size() < clients && server->now() < end) {
      for (auto& client : all) static_cast<void>(client->poll(events, client->now()));
      const std::size_t n = server->poll(events, server->now() + 1ms);
      for (event& e : std::span(events).first(n)) {
        if (e.kind != event_kind::message) continue;
        const std::uint32_t who = stamp_of(e).thread;
        EXPECT_TRUE(seen.insert(who).second);
        const std::uint32_t shard = transport::sharer_of(all[who]->local_address(), shards);
        EXPECT_EQ(e.peer.value % shards, shard);
        EXPECT_EQ(server->find(all[who]->local_address()), e.peer);
        ++peers_of_shard[shard];
        e.payload.reset();
      }
    }
    EXPECT_EQ(seen.size(), clients) << local;
    EXPECT_EQ(server->peers(peer_filter::all).size(), clients);
    EXPECT_EQ(peers_of_shard.size(), shards) << local;
    // And the other way round: who is connected to is reached through the same shard.
    for (auto& client : all) {
      const auto peer = server->connect(client->local_address());
      ASSERT_TRUE(peer);
      EXPECT_EQ(server->find(client->local_address()), *peer);
    }
  }
}

TEST(thread_plans, are_refused_where_they_cannot_be) {
  const auto simulated = plugin::create_fabric("netsim", "{}", {MDP_PLUGIN_DIR});
  const auto nowhere = plugin::create_fabric("null", "{}", {MDP_PLUGIN_DIR});
  const auto why_not = [](transport::fabric& fabric, const char* threads) -> std::string {
    node_options o;
    o.fabric = &fabric;
    o.threads = *parse_thread_plan(threads);
    try {
      static_cast<void>(make_node(o));
    } catch (const std::runtime_error& e) {
      return e.what();
    }
    return "";
  };
  for (const char* threads : {"single", "pair", "pipeline", "sharded:2"})
    EXPECT_NE(why_not(*simulated, threads).find("needs real time"), std::string::npos);
  EXPECT_NE(why_not(*nowhere, "sharded:2").find("cannot share a port"), std::string::npos);
  EXPECT_EQ(why_not(*nowhere, "single"), "");
  EXPECT_EQ(why_not(*nowhere, "sharded:1"), "");
}

// An inline node, too, ends in good order; in virtual time it does not wait.
TEST(inline_shutdown, reports_and_refuses) {
  const auto fabric = plugin::create_fabric("socket", "{}", {MDP_PLUGIN_DIR});
  node_options o;
  o.fabric = fabric.get();
  const auto a = make_node(o);
  const auto b = make_node(o);
  const auto peer = a->connect(b->local_address());
  ASSERT_TRUE(peer);
  ASSERT_TRUE(a->submit(*peer, {}, {.want = confirm::delivered, .context = 7}));
  EXPECT_FALSE(a->shutdown(a->now() + 5ms));  // b never answers: nobody polls it
  EXPECT_EQ(a->submit(*peer, {}, {}).error(), refusal::closed);
  std::array<event, 8> events;
  std::size_t unknown = 0;
  const std::size_t n = a->poll(events, a->now() + 1s);
  for (const event& e : std::span(events).first(n))
    unknown += e.kind == event_kind::unknown && e.context == 7;
  EXPECT_EQ(unknown, 1u);
}

}  // namespace
}  // namespace mdp
