// Options from JSON: exact values, and errors that point at the culprit.
#include "mdp/netsim/options.hpp"

#include <gmock/gmock.h>

#include <string>

namespace mdp::netsim {
namespace {

std::string error_of(const char* json) {
  try {
    static_cast<void>(parse_network_options(json));
  } catch (const options_error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Options, ReadsEveryKey) {
  const network_options o = parse_network_options(
      R"({"seed": 18446744073709551615, "topology": "star", "links": {"wan": {
        "rate_mbps": 0.5, "delay_us": 25000, "jitter_us": 1.5, "reorder": true,
        "queue_packets": 200, "queue_bytes": 9000, "loss_pct": 0.1, "mtu_bytes": 1400,
        "down": {"rate_mbps": 100, "loss_pct": 100}}},
        "nodes": {"client": "wan", "odd-name": "wan"}})");
  EXPECT_EQ(o.seed, UINT64_MAX);
  const attachment& wan = o.links.at("wan");
  EXPECT_EQ(wan.up.rate_bps, 500'000u);
  EXPECT_EQ(wan.up.delay_ns, 25'000'000);
  EXPECT_EQ(wan.up.jitter_ns, 1500);
  EXPECT_TRUE(wan.up.reorder);
  EXPECT_EQ(wan.up.queue_packets, 200u);
  EXPECT_EQ(wan.up.queue_bytes, 9000u);
  EXPECT_EQ(wan.up.loss.threshold, 18446744073709551u);
  EXPECT_EQ(wan.up.mtu_bytes, 1400u);
  EXPECT_EQ(wan.down.rate_bps, 100'000'000u);
  EXPECT_EQ(wan.down.delay_ns, 0);
  EXPECT_TRUE(wan.down.loss.certain);
  EXPECT_EQ(&o.attachment_of("client-17"), &wan);
  EXPECT_EQ(&o.attachment_of("client"), &wan);
  EXPECT_EQ(&o.attachment_of("odd-name"), &wan);
  EXPECT_EQ(&o.attachment_of("client-x"), &o.links.at("default"));
  EXPECT_EQ(&o.attachment_of("server-0"), &o.links.at("default"));
}

TEST(Options, DefaultsAreAnIdealMicrosecond) {
  for (const char* json : {"", "{}", R"({"links": {}})"}) {
    const network_options o = parse_network_options(json);
    EXPECT_EQ(o.links.at("default").up.delay_ns, 1000);
    EXPECT_EQ(o.links.at("default").up.rate_bps, 0u);
    EXPECT_TRUE(o.links.at("default").down.ideal());
  }
}

struct bad_case {
  const char* json;
  const char* error;
};

TEST(Options, ErrorsNameThePointer) {
  const bad_case cases[] = {
      {R"({"links": {"wan": {"loss_pct": 120}}})", "/links/wan/loss_pct: 120 is above 100"},
      {R"({"links": {"wan": {"loss_pct": 100.5}}})", "/links/wan/loss_pct: 100.5 is above 100"},
      {R"({"links": {"wan": {"loss_pct": 100.00000000001}}})",
       "/links/wan/loss_pct: 100.00000000001 is above 100"},
      {R"({"links": {"wan": {"rate_mbps": -3}}})", "/links/wan/rate_mbps: -3 is negative"},
      {R"({"links": {"wan": {"rate_mbps": 1e-9}}})", "/links/wan/rate_mbps: 1e-9 is below 1 bit/s"},
      {R"({"links": {"wan": {"delay_us": "fast"}}})",
       "/links/wan/delay_us: expected a number, found a string"},
      {R"({"links": {"wan": {"delay_us": 3600000001}}})",
       "/links/wan/delay_us: 3600000001 is above 3600000000"},
      {R"({"links": {"wan": {"queue_packets": 1.5}}})",
       "/links/wan/queue_packets: 1.5 is no whole number"},
      {R"({"links": {"wan": {"mtu_bytes": 0}}})", "/links/wan/mtu_bytes: 0 is below 1"},
      {R"({"links": {"wan": {"mtu_bytes": 65536}}})", "/links/wan/mtu_bytes: 65536 is above 65535"},
      {R"({"links": {"wan": {"reorder": 1}}})",
       "/links/wan/reorder: expected a boolean, found a number"},
      {R"({"links": {"wan": {"down": {"loss_pct": 101}}}})",
       "/links/wan/down/loss_pct: 101 is above 100"},
      {R"({"links": {"wan": 5}})", "/links/wan: expected an object, found a number"},
      {R"({"links": [1]})", "/links: expected an object, found an array"},
      {R"({"nodes": {"client": 5}})", "/nodes/client: expected a string, found a number"},
      {R"({"nodes": {"client": "wan"}})", "/nodes/client: no link \"wan\"; links: default"},
      {R"({"seed": -1})", "/seed: expected a whole number from 0 to 2^64 - 1"},
      {R"({"seed": 1.5})", "/seed: expected a whole number from 0 to 2^64 - 1"},
      {R"({"topology": "ring"})", "/topology: unknown topology; known: star"},
      {R"({"links": {"wan": {}, "wan": {}}})", "/links/wan: given twice"},
      {R"([])", "/: expected an object, found an array"},
      {R"({"a/b": 1})", "/a~1b: unknown key; known: seed, links, nodes, topology"},
  };
  for (const bad_case& c : cases) EXPECT_EQ(error_of(c.json), c.error) << c.json;
}

TEST(Options, UnknownLinkKeysListTheKnownOnes) {
  EXPECT_THAT(error_of(R"({"links": {"wan": {"delay": 5}}})"),
              testing::StartsWith("/links/wan/delay: unknown key; known: rate_mbps, delay_us"));
  EXPECT_THAT(error_of(R"({"links": {"wan": {"down": {"down": {}}}}})"),
              testing::StartsWith("/links/wan/down/down: unknown key"));
}

TEST(Options, DamagedJsonIsOneLine) {
  for (const char* json : {"{", "nonsense", R"({"seed": })", "{} x", "[[[[[[[[[[[[[[[[[[[[1"}) {
    const std::string error = error_of(json);
    EXPECT_THAT(error, testing::StartsWith("/: the options are")) << json;
    EXPECT_EQ(error.find('\n'), std::string::npos) << json;
  }
}

}  // namespace
}  // namespace mdp::netsim
