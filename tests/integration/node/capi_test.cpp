// The C interface: every call and each kind of refusal, through the symbols that C sees.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "mdp/mdp.h"

namespace {

mdp_node* open_node(const char* config = nullptr, bool thread = false, bool on_request = false) {
  mdp_options options;
  mdp_options_init(&options, sizeof options);
  options.plugin_directory = MDP_PLUGIN_DIR;
  options.local = "127.0.0.1:0";
  options.config = config;
  options.threads = thread ? "single" : nullptr;
  options.confirm_on_request = on_request ? 1 : 0;
  char error[256] = "";
  mdp_node* node = mdp_open(&options, error, sizeof error);
  EXPECT_NE(node, nullptr) << error;
  return node;
}

std::string address_of(mdp_node* node) {
  char text[64];
  EXPECT_EQ(mdp_local_address(node, text, sizeof text), MDP_OK);
  return text;
}

class capi : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    client = open_node(nullptr, GetParam());
    server = open_node("{\"profile\": \"lan\"}", GetParam(), true);
    ASSERT_EQ(mdp_connect(client, address_of(server).c_str(), &peer), MDP_OK);
    ASSERT_TRUE(run_until(client, MDP_PEER_UP));
  }
  void TearDown() override {
    mdp_close(client);
    mdp_close(server);
  }
  // Polls both until `node` reports `kind`; messages are answered by `verdict`.
  bool run_until(mdp_node* node, mdp_event_kind kind) {
    const std::uint64_t end = mdp_now(node) + 5'000'000'000u;
    while (mdp_now(node) < end) {
      for (mdp_node* n : {client, server}) {
        std::array<mdp_event, 16> events;
        const std::size_t count = mdp_poll(n, events.data(), events.size(), 1'000'000);
        bool found = false;
        for (std::size_t i = 0; i < count; ++i) {
          found = found || (n == node && events[i].kind == kind);
          if (events[i].kind == MDP_MESSAGE) take(n, events[i]);
          mdp_release(&events[i]);
          mdp_release(&events[i]);
        }
        if (found) return true;
      }
    }
    return false;
  }
  void take(mdp_node* n, const mdp_event& e) {
    received.emplace_back(static_cast<const char*>(e.payload), e.size);
    if (!e.confirm) return;
    EXPECT_EQ((rejects ? mdp_reject : mdp_confirm)(n, e.peer, e.id), MDP_OK);
  }
  mdp_message send(const char* text, std::uint32_t wants) {
    mdp_send_options how;
    mdp_send_options_init(&how, sizeof how);
    how.wants = wants;
    mdp_message id = 0;
    EXPECT_EQ(mdp_send(client, peer, text, std::strlen(text), &how, &id), MDP_OK);
    return id;
  }
  mdp_node* client = nullptr;
  mdp_node* server = nullptr;
  mdp_peer peer = 0;
  bool rejects = false;
  std::vector<std::string> received;
};

TEST_P(capi, sends_confirms_rejects_and_tells_the_state) {
  const mdp_message first = send("take this", MDP_WANT_BOTH);
  ASSERT_TRUE(run_until(client, MDP_DELIVERED));
  EXPECT_EQ(mdp_message_state(client, peer, first), MDP_STATE_DELIVERED);
  rejects = true;
  const mdp_message second = send("not this", MDP_WANT_DELIVERED);
  ASSERT_TRUE(run_until(client, MDP_REJECTED));
  mdp_state states[2];
  const mdp_message ids[] = {first, second};
  mdp_message_states(client, peer, ids, 2, states);
  EXPECT_STREQ(mdp_state_name(states[1]), "rejected");
  EXPECT_EQ(received, (std::vector<std::string>{"take this", "not this"}));
  EXPECT_EQ(mdp_unresolved(client, peer, nullptr, nullptr, 0), 0u);
  mdp_event none;
  EXPECT_EQ(mdp_poll(client, &none, 1, 0), 0u) << "what is owed leaves";
  EXPECT_TRUE(mdp_idle(client));
  EXPECT_EQ(mdp_cancel(client, peer, first), MDP_UNKNOWN_MESSAGE);
}

TEST_P(capi, batches_parts_to_peers) {
  const mdp_part parts[] = {{"one ", 4}, {"message", 7}};
  const mdp_peer to[] = {peer, peer};
  mdp_send_options how;
  mdp_send_options_init(&how, sizeof how);
  how.wants = MDP_WANT_DELIVERED;
  const mdp_item item{to, 2, parts, 2, &how};
  mdp_result results[4];
  ASSERT_EQ(mdp_send_batch(client, &item, 1, results, 4), 2u);
  EXPECT_EQ(results[0].status, MDP_OK);
  EXPECT_NE(results[0].id, results[1].id);
  ASSERT_TRUE(run_until(client, MDP_DELIVERED));
  EXPECT_EQ(received.front(), "one message");
}

TEST_P(capi, tells_about_peers) {
  mdp_peer_info info[2];
  ASSERT_EQ(mdp_peers(client, MDP_PEERS_CONNECTED, info, 2), 1u);
  EXPECT_NE(info[0].instance, 0u);
  EXPECT_EQ(info[0].address, address_of(server));
  EXPECT_EQ(info[0].id, peer);
  EXPECT_EQ(info[0].active, 1);
  mdp_peer found = 0;
  EXPECT_EQ(mdp_find_peer(client, address_of(server).c_str(), &found), MDP_OK);
  EXPECT_EQ(found, peer);
  mdp_peer_change change;
  ASSERT_EQ(mdp_peer_changes(client, &change, 1), 1u);
  EXPECT_EQ(change.active, 1);
  char text[4096];
  EXPECT_LE(mdp_stats_json(client, text, sizeof text), sizeof text);
  EXPECT_EQ(text[0], '{');
  EXPECT_GT(mdp_peer_stats_json(client, peer, text, 4), 100u);
  EXPECT_EQ(std::strlen(text), 3u) << "cut short, but ended";
  EXPECT_GT(mdp_transport_counts_json(client, text, sizeof text), 100u);
  EXPECT_NE(std::string(text).find("\"tx_datagrams\":"), std::string::npos);
  EXPECT_LE(mdp_stats_text(client, text, sizeof text), sizeof text);
  EXPECT_NE(std::string(text).find("packets_sent="), std::string::npos);
  EXPECT_LE(mdp_peer_stats_text(client, peer, text, sizeof text), sizeof text);
  EXPECT_NE(std::string(text).find("rtt_ns="), std::string::npos);
  EXPECT_GT(mdp_active_stats_json(client, nullptr, 0), 100u);
  EXPECT_EQ(mdp_disconnect(client, peer), MDP_OK);
  EXPECT_EQ(mdp_blacklist(client, address_of(server).c_str()), MDP_OK);
  EXPECT_EQ(mdp_connect(client, address_of(server).c_str(), &found), MDP_FAILED);
  EXPECT_STRNE(mdp_error(), "");
  EXPECT_EQ(mdp_unblacklist(client, address_of(server).c_str()), MDP_OK);
}

TEST_P(capi, chooses_congestion_control_for_one_peer) {
  EXPECT_EQ(mdp_set_congestion_control(client, peer, "bbr"), MDP_OK);
  EXPECT_EQ(mdp_set_congestion_control(client, 0x00100077, "bbr"), MDP_UNKNOWN_PEER);
  EXPECT_EQ(mdp_set_congestion_control(client, peer, "warp"), MDP_INVALID);
  EXPECT_NE(std::string(mdp_error()).find("warp"), std::string::npos) << mdp_error();
  EXPECT_EQ(mdp_set_congestion_control(client, peer, nullptr), MDP_INVALID);
}

TEST_P(capi, refuses_with_a_status_and_a_sentence) {
  EXPECT_EQ(mdp_connect(client, "nowhere", &peer), MDP_INVALID);
  EXPECT_NE(std::string(mdp_error()).find("nowhere"), std::string::npos);
  EXPECT_EQ(mdp_connect(client, nullptr, &peer), MDP_INVALID);
  mdp_send_options how;
  mdp_send_options_init(&how, sizeof how);
  how.priority = 9;
  EXPECT_EQ(mdp_send(client, peer, "x", 1, &how, nullptr), MDP_BAD_OPTION);
  EXPECT_EQ(mdp_send(client, 0x00100077, "x", 1, nullptr, nullptr), MDP_UNKNOWN_PEER);
  EXPECT_EQ(mdp_wait_writable(client, peer, mdp_message_bytes_max(client) + 1, 0), MDP_TOO_LARGE);
  EXPECT_EQ(mdp_wait_writable(client, peer, 1, 0), MDP_OK);
  EXPECT_EQ(mdp_find_peer(client, "127.0.0.1:1", &peer), MDP_UNKNOWN_PEER);
  EXPECT_STREQ(mdp_status_name(MDP_TOO_LATE), "too late");
}

INSTANTIATE_TEST_SUITE_P(layouts, capi, testing::Bool(),
                         [](const auto& v) { return v.param ? "single" : "inline"; });

TEST(capi_open, says_why_it_fails) {
  mdp_options options;
  mdp_options_init(&options, sizeof options);
  options.plugin_directory = MDP_PLUGIN_DIR;
  char error[256];
  options.transport = "pigeon";
  EXPECT_EQ(mdp_open(&options, error, sizeof error), nullptr);
  EXPECT_NE(std::string(error).find("pigeon"), std::string::npos) << error;
  options.transport = nullptr;
  options.config = "max_peers=0";
  EXPECT_EQ(mdp_open(&options, error, sizeof error), nullptr);
  EXPECT_NE(std::string(error).find("max_peers"), std::string::npos) << error;
  options.config = nullptr;
  options.local = "here";
  EXPECT_EQ(mdp_open(&options, error, 5), nullptr);
  EXPECT_EQ(std::strlen(error), 4u);
  EXPECT_EQ(mdp_open(&options, nullptr, 0), nullptr);
  mdp_close(nullptr);
}

TEST(capi_open, listens_at_several_addresses) {
  mdp_options options;
  mdp_options_init(&options, sizeof options);
  options.plugin_directory = MDP_PLUGIN_DIR;
  options.local = "127.0.0.1:0,127.0.0.1:0";
  char error[256] = "";
  mdp_node* node = mdp_open(&options, error, sizeof error);
  ASSERT_NE(node, nullptr) << error;
  const std::string both = address_of(node);
  EXPECT_EQ(std::count(both.begin(), both.end(), ','), 1) << both;
  mdp_close(node);
  options.local = "127.0.0.1:0,";
  EXPECT_EQ(mdp_open(&options, error, sizeof error), nullptr);
  EXPECT_NE(std::string(error).find("no address"), std::string::npos) << error;
}

}  // namespace
