// A node's configuration by name: from text and JSON, to both, every range and every error.
#include "mdp/runtime/config.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mdp {
namespace {

// Keys of numbers with something around their limits.
std::string text_of(double value) {
  std::string text = std::to_string(value);
  return text;
}

TEST(config, every_default_lies_within_its_range_and_every_limit_is_taken) {
  for (const messaging::config_key& k : config_keys()) {
    node_config c;
    if (!k.choices.empty()) {
      EXPECT_EQ(c.get(k.name), k.choices[static_cast<std::size_t>(k.preset)]) << k.name;
      for (const char* word : k.choices) {
        EXPECT_TRUE(c.set(k.name, word)) << k.name;
        EXPECT_EQ(c.get(k.name), word);
      }
      continue;
    }
    EXPECT_LE(k.min, k.preset) << k.name;
    EXPECT_GE(k.max, k.preset) << k.name;
    EXPECT_TRUE(c.set(k.name, text_of(k.min))) << k.name;
    EXPECT_TRUE(c.set(k.name, text_of(k.max))) << k.name;
    const node_config before = c;
    EXPECT_FALSE(c.set(k.name, text_of(k.max + 1))) << k.name;
    EXPECT_FALSE(c.set(k.name, text_of(k.min - 1))) << k.name;
    EXPECT_EQ(c, before) << k.name;
  }
}

TEST(config, an_error_names_key_value_and_range) {
  node_config c;
  EXPECT_EQ(c.set("max_peers", "0").error(), "max_peers: 0 is outside 1 .. 1048575 1");
  EXPECT_EQ(c.set("max_peers", "many").error(), "max_peers: 'many' is not a number");
  EXPECT_EQ(c.set("max_peers", "1x").error(), "max_peers: '1x' is not a number");
  EXPECT_EQ(c.set("max_peers", "inf").error(), "max_peers: 'inf' is not a number");
  EXPECT_EQ(c.set("max_peers", "nan").error(), "max_peers: 'nan' is not a number");
  EXPECT_EQ(c.set("max_peer", "1").error(),
            "unknown protocol key 'max_peer'; did you mean 'max_peers'?");
  EXPECT_EQ(c.set("profile", "moon").error(), "profile: 'moon' is not one of fixed, lan, wan");
  EXPECT_EQ(c, node_config{});
}

TEST(config, goes_to_text_and_to_json_and_back) {
  node_config c;
  ASSERT_TRUE(c.set("profile", "wan"));
  ASSERT_TRUE(c.set("initial_rtt_ms", "0.25"));
  ASSERT_TRUE(c.set("receive_window_bytes", "17179869184"));
  const auto from_text = node_config::from_text(c.to_text());
  ASSERT_TRUE(from_text) << from_text.error();
  EXPECT_EQ(*from_text, c);
  const auto from_json = node_config::from_json(c.to_json());
  ASSERT_TRUE(from_json) << from_json.error();
  EXPECT_EQ(*from_json, c);
  EXPECT_NE(c.to_json().find(R"("receive_window_bytes":17179869184)"), std::string::npos);
  EXPECT_NE(c.to_text().find("initial_rtt_ms=0.25"), std::string::npos);
  EXPECT_EQ(c.get("no_such_key"), "");
}

// R-PMTU-1
TEST(config, the_smallest_packet_is_no_larger_than_the_largest) {
  node_config c;
  EXPECT_FALSE(c.set("min_packet_bytes", "1199"));
  EXPECT_TRUE(node_config::from_text("min_packet_bytes=1472"));
  EXPECT_TRUE(node_config::from_text("min_packet_bytes=9000, max_packet_bytes=9000"));
  const auto bad = node_config::from_text("min_packet_bytes=1473");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), "min_packet_bytes: 1473 is more than max_packet_bytes, 1472");
}

TEST(config, zero_rtt_is_off_and_one_of_three) {
  EXPECT_EQ(node_config{}.zero_rtt, zero_rtt_policy::off);
  EXPECT_EQ(node_config::from_text("zero_rtt=proven")->zero_rtt, zero_rtt_policy::proven);
  EXPECT_EQ(node_config::from_json(R"({"zero_rtt": "any"})")->get("zero_rtt"), "any");
  node_config c;
  EXPECT_EQ(c.set("zero_rtt", "on").error(), "zero_rtt: 'on' is not one of off, proven, any");
}

TEST(config, a_profile_is_where_the_other_keys_start_wherever_it_stands) {
  const auto c = node_config::from_text(" peer_timeout_ms = 777 , profile = lan ");
  ASSERT_TRUE(c) << c.error();
  EXPECT_EQ(c->profile, config_profile::lan);
  EXPECT_EQ(c->peer_timeout_ms, 777);
  EXPECT_LT(c->max_ack_delay_ms, node_config{}.max_ack_delay_ms);
  const auto json = node_config::from_json(R"({"peer_timeout_ms": 777, "profile": "lan"})");
  ASSERT_TRUE(json) << json.error();
  EXPECT_EQ(*json, *c);
  // And a later one takes back what an earlier one set.
  node_config back = *c;
  ASSERT_TRUE(back.set("profile", "fixed"));
  EXPECT_EQ(back, node_config{});
}

TEST(config, empty_text_and_an_empty_object_are_the_defaults) {
  EXPECT_EQ(*node_config::from_text(""), node_config{});
  EXPECT_EQ(*node_config::from_text("  "), node_config{});
  EXPECT_EQ(*node_config::from_json("{}"), node_config{});
}

TEST(config, malformed_text_is_refused_with_a_sentence) {
  EXPECT_EQ(node_config::from_text("max_peers").error(),
            "'max_peers' is not of the form key=value");
  EXPECT_TRUE(node_config::from_text("max_peers=1,"));
  EXPECT_EQ(node_config::from_text("max_peers=1,max_peers=2").error(), "max_peers: given twice");
  EXPECT_EQ(node_config::from_text("max_peers=").error(), "max_peers: '' is not a number");
  EXPECT_EQ(node_config::from_text("=1").error().substr(0, 23), "unknown protocol key ''");
}

TEST(config, malformed_json_is_refused_with_a_sentence) {
  const auto error = [](std::string_view text) {
    const auto made = node_config::from_json(text);
    return made ? std::string("taken") : made.error();
  };
  EXPECT_EQ(error("{\"max_peers\": "), "not valid JSON at byte 15");
  EXPECT_EQ(error("[]"), "a configuration is one JSON object");
  EXPECT_EQ(error("7"), "a configuration is one JSON object");
  EXPECT_EQ(error(R"({"max_peers": true})"), "max_peers: a boolean is neither a number nor a word");
  EXPECT_EQ(error(R"({"max_peers": null})"), "max_peers: null is neither a number nor a word");
  EXPECT_EQ(error(R"({"max_peers": [1]})"), "max_peers: an array is neither a number nor a word");
  EXPECT_EQ(error(R"({"max_peers": {}})"), "max_peers: an object is neither a number nor a word");
  EXPECT_EQ(error(R"({"max_peers": 1, "max_peers": 2})"), "max_peers: given twice");
  EXPECT_EQ(error(R"({"max_peers": -1})"), "max_peers: -1 is outside 1 .. 1048575 1");
  EXPECT_EQ(error(R"({"profile": 1})"), "profile: '1' is not one of fixed, lan, wan");
}

}  // namespace
}  // namespace mdp
