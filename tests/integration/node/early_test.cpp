// Idempotent messages through a node: over sockets in both layouts, in the simulator, and from C.
#include <gtest/gtest.h>

#include <cstring>

#include "mdp/mdp.h"
#include "tests/support/node_world.hpp"

namespace mdp {
namespace {

using namespace std::chrono_literals;
using messaging::event_kind;

class node_early : public testing::TestWithParam<test::node_variant> {
 protected:
  void SetUp() override {
    try {
      world_ = std::make_unique<test::node_world>(GetParam());
    } catch (const plugin::plugin_error& e) {
      GTEST_SKIP() << "SKIPPED: " << e.what();
    }
  }
  std::unique_ptr<test::node_world> world_;
};

std::uint64_t stat(node& n, std::string_view name) {
  for (const auto& [key, value] : n.stats())
    if (key == name) return value;
  ADD_FAILURE() << "no statistic " << name;
  return 0;
}

// R-0RTT-1, R-0RTT-3
TEST_P(node_early, a_message_submitted_right_after_connect_arrives_once) {
  for (const char* policy : {"off", "any"}) {
    node_options open;
    ASSERT_TRUE(open.config.set("zero_rtt", policy));
    node& server = world_->add(open);
    node& client = world_->add();
    const auto peer = client.connect(server.local_address());
    ASSERT_TRUE(peer);
    messaging::send_options how;
    how.want = messaging::confirm::delivered;
    how.idempotent = true;
    ASSERT_TRUE(client.submit(*peer, std::as_bytes(std::span("once", 4)), how));
    ASSERT_TRUE(
        world_->run_until([&] { return world_->count(client, event_kind::delivered) == 1; }));
    EXPECT_EQ(world_->count(server, event_kind::message), 1u);
    const bool taken = stat(server, "early_taken") == 1;
    // A thread of its own may have said HELLO before the submission.
    if (std::string_view(policy) == "off") {
      EXPECT_FALSE(taken);
    } else if (GetParam().is_inline()) {
      EXPECT_TRUE(taken);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(variants, node_early,
                         testing::Values(test::node_variant{"socket", "inline"},
                                         test::node_variant{"socket", "single"},
                                         test::node_variant{"socket", "pair"},
                                         test::node_variant{"socket", "pipeline"},
                                         test::node_variant{"socket", "sharded:3"},
                                         test::node_variant{"netsim", "inline"}),
                         [](const auto& v) { return test::name_of(v.param); });

// R-0RTT-1
TEST(early_capi, the_flag_travels_through_c) {
  mdp_options options;
  mdp_options_init(&options, sizeof options);
  options.plugin_directory = MDP_PLUGIN_DIR;
  options.local = "127.0.0.1:0";
  options.config = "zero_rtt=any";
  char error[256] = "";
  mdp_node* server = mdp_open(&options, error, sizeof error);
  mdp_node* client = mdp_open(&options, error, sizeof error);
  ASSERT_TRUE(server && client) << error;
  char address[64];
  ASSERT_EQ(mdp_local_address(server, address, sizeof address), MDP_OK);
  mdp_peer peer;
  ASSERT_EQ(mdp_connect(client, address, &peer), MDP_OK);
  mdp_send_options how;
  mdp_send_options_init(&how, sizeof how);
  EXPECT_EQ(how.idempotent, 0);
  how.idempotent = 1;
  ASSERT_EQ(mdp_send(client, peer, "early", 5, &how, nullptr), MDP_OK);
  mdp_event event;
  static_cast<void>(mdp_poll(client, &event, 1, 1'000'000));  // HELLO leaves; the server is silent
  ASSERT_EQ(mdp_poll(server, &event, 1, 5'000'000'000), 1u);
  EXPECT_EQ(event.kind, MDP_MESSAGE) << "before anything but the HELLO has come";
  mdp_release(&event);
  mdp_close(client);
  mdp_close(server);
}

}  // namespace
}  // namespace mdp
