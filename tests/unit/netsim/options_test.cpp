// Options from JSON: exact values, and errors that point at the culprit.
#include "mdp/netsim/options.hpp"

#include <gmock/gmock.h>

#include <string>

#include "mdp/netsim/link_models.hpp"

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

TEST(Options, ReadsEveryModel) {
  const network_options o = parse_network_options(R"({"links": {
    "a": {"loss": {"model": "gilbert_elliott", "to_bad_pct": 1, "to_good_pct": 25,
                   "good_loss_pct": 0.1, "bad_loss_pct": 50},
          "jitter_shape": "pareto", "mark_packets": 20, "duplicate_pct": 1, "corrupt_pct": 2,
          "corrupt_kind": "checksum", "hold_pct": 3, "hold_us": 1500,
          "rate_mbps": 10, "changes": [
            {"at_us": 1, "carrier": false}, {"at_us": 2.5, "carrier": true, "rate_mbps": 5,
             "delay_us": 3, "jitter_us": 4, "loss_pct": 100, "mtu_bytes": 1200}]},
    "b": {"loss": {"model": "four_state", "p13_pct": 1, "p31_pct": 2, "p32_pct": 3, "p23_pct": 4,
                   "p14_pct": 5}},
    "c": {"loss": {"model": "periodic", "every": 10, "offset": 3}},
    "d": {"loss": {"model": "list", "packets": [0, 5]}},
    "e": {"down": {"loss": {"model": "pattern", "pattern": "110"}}}}})");
  const link_spec& a = o.links.at("a").up;
  EXPECT_EQ(a.shape, jitter_shape::pareto);
  EXPECT_EQ(a.mark_packets, 20u);
  ASSERT_NE(a.models, nullptr);
  EXPECT_EQ(std::get<gilbert_elliott>(a.models->loss).to_good.threshold, UINT64_C(1) << 62);
  EXPECT_FALSE(std::get<gilbert_elliott>(a.models->loss).bad_loss.certain);
  EXPECT_TRUE(a.models->duplicate.possible());
  EXPECT_EQ(a.models->corrupt_kind, damage::checksum);
  EXPECT_EQ(a.models->hold_ns, 1'500'000);
  ASSERT_EQ(a.models->changes.size(), 2u);
  const link_change& second = a.models->changes[1];
  EXPECT_EQ(second.at_ns, 2500);
  EXPECT_EQ(second.rate_bps, 5'000'000u);
  EXPECT_EQ(second.delay_ns, 3000);
  EXPECT_EQ(second.jitter_ns, 4000);
  EXPECT_TRUE(second.loss->certain);
  EXPECT_EQ(second.mtu_bytes, 1200u);
  EXPECT_TRUE(std::get<four_state>(o.links.at("b").up.models->loss).p14.possible());
  EXPECT_EQ(std::get<periodic_loss>(o.links.at("c").up.models->loss).offset, 3u);
  EXPECT_EQ(std::get<listed_loss>(o.links.at("d").up.models->loss).numbers.size(), 2u);
  EXPECT_EQ(std::get<recorded_loss>(o.links.at("e").down.models->loss).passes.size(), 3u);
  EXPECT_EQ(o.links.at("e").up.models, nullptr);
  EXPECT_FALSE(o.links.at("e").down.ideal());
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
      {R"({"links": {"wan": {"jitter_shape": "odd"}}})",
       "/links/wan/jitter_shape: \"odd\" is none of uniform, normal, lognormal, pareto"},
      {R"({"links": {"wan": {"loss": {"every": 5}}}})",
       "/links/wan/loss: needs the key model: gilbert_elliott, four_state, periodic, list, "
       "pattern"},
      {R"({"links": {"wan": {"loss": {"model": "gilbert_elliott", "to_bad_pct": 1}}}})",
       "/links/wan/loss: needs the key to_good_pct"},
      {R"({"links": {"wan": {"loss": {"model": "periodic", "every": 0}}}})",
       "/links/wan/loss/every: 0 is below 1"},
      {R"({"links": {"wan": {"loss": {"model": "periodic", "evry": 5}}}})",
       "/links/wan/loss/evry: unknown key; known: model, every, offset"},
      {R"({"links": {"wan": {"loss": {"model": "list", "packets": [3, 3]}}}})",
       "/links/wan/loss/packets/1: 3 does not follow 3"},
      {R"({"links": {"wan": {"loss": {"model": "pattern", "pattern": "1x"}}}})",
       "/links/wan/loss/pattern: only 1 (passes) and 0 (lost) may stand here"},
      {R"({"links": {"wan": {"loss": {"model": "four_state", "p13_pct": 60, "p31_pct": 1,
           "p14_pct": 50}}}})",
       "/links/wan/loss: p13_pct and p14_pct are above 100 % together"},
      {R"({"links": {"wan": {"changes": [{"carrier": true}]}}})",
       "/links/wan/changes/0: needs the key at_us"},
      {R"({"links": {"wan": {"changes": [{"at_us": 2}, {"at_us": 1}]}}})",
       "/links/wan/changes/1/at_us: is before the change that stands above"},
      {R"({"links": {"wan": {"changes": [{"at_us": 2, "rate_mbps": 5}]}}})",
       "/links/wan/changes/0/rate_mbps: only a link that has a rate can change it"},
      {R"({"links": {"wan": {"rate_mbps": 1, "changes": [{"at_us": 2, "rate_mbps": 0}]}}})",
       "/links/wan/changes/0/rate_mbps: a change cannot take the rate away"},
      {R"({"links": {"wan": {"burst_bytes": 5}}})",
       "/links/wan/burst_bytes: only a link that has a rate fills a bucket"},
      {R"({"links": {"wan": {"rate_mbps": 5, "burst_bytes": 9, "peak_mbps": 4}}})",
       "/links/wan/peak_mbps: needs burst_bytes, and is not below rate_mbps"},
      {R"({"links": {"wan": {"queue": {"discipline": "codel"}}}})",
       "/links/wan/queue: only a link that has a rate_mbps has a queue"},
      {R"({"links": {"wan": {"rate_mbps": 1, "queue": {}}}})",
       "/links/wan/queue: needs the key discipline: drop_tail, red, codel, fq_codel"},
      {R"({"links": {"wan": {"rate_mbps": 1, "queue": {"discipline": "codel", "flows": 5}}}})",
       "/links/wan/queue/flows: unknown key; known: discipline, ecn, target_us, interval_us"},
      {R"({"links": {"w": {"rate_mbps": 1, "queue": {"discipline": "codel", "interval_us": 0}}}})",
       "/links/w/queue/interval_us: is 0: nothing could be measured"},
      {R"({"links": {"w": {"rate_mbps": 1, "queue": {"discipline": "red", "min_packets": 150}}}})",
       "/links/w/queue/max_packets: is not above min_packets"},
      {R"({"links": {"wan": {"rate_mbps": 1, "burst_bytes": 9, "queue": {"discipline": "red"}}}})",
       "/links/wan/queue: a link with burst_bytes has a drop_tail queue"},
      {R"({"links": {"wan": 5}})", "/links/wan: expected an object, found a number"},
      {R"({"links": [1]})", "/links: expected an object, found an array"},
      {R"({"nodes": {"client": 5}})", "/nodes/client: expected a string, found a number"},
      {R"({"nodes": {"client": "wan"}})", "/nodes/client: no link \"wan\"; links: default"},
      {R"({"seed": -1})", "/seed: expected a whole number from 0 to 2^64 - 1"},
      {R"({"seed": 1.5})", "/seed: expected a whole number from 0 to 2^64 - 1"},
      {R"({"topology": "ring"})",
       "/topology: unknown topology; known: star, or an object with a shape"},
      {R"({"topology": {}})",
       "/topology: needs the key shape: dumbbell, line, ring, tree, mesh, graph"},
      {R"({"topology": {"shape": "ring", "routers": 4}})",
       "/topology: this shape needs the key trunk: a link's name"},
      {R"({"topology": {"shape": "ring", "trunk": "default"}})",
       "/topology: this shape needs the key routers"},
      {R"({"topology": {"shape": "ring", "trunk": "fast", "routers": 4}})",
       "/topology/trunk: no link \"fast\""},
      {R"({"topology": {"shape": "ring", "trunk": "default", "routers": 1025}})",
       "/topology/routers: 1025 is above 1024"},
      {R"({"topology": {"shape": "dumbbell", "trunk": "default", "homes": {"client": "centre"}}})",
       "/topology/homes/client: no router \"centre\""},
      {R"({"topology": {"shape": "graph", "trunks": [{"from": "a", "to": "b", "link": "default"},
           {"from": "c", "to": "d", "link": "default"}]}})",
       "/topology/trunks: no route from a to c"},
      {R"({"topology": {"shape": "graph", "trunks": [{"from": "a", "to": "b", "link": "default"},
           {"from": "b", "to": "a", "link": "default"}]}})",
       "/topology/trunks/1: a second trunk between b and a"},
      {R"({"topology": {"shape": "graph", "trunks": [{"from": "a", "to": "a",
           "link": "default"}]}})",
       "/topology/trunks/0: a trunk leads from one router to another"},
      {R"({"topology": {"shape": "graph", "trunks": [{"from": "a", "link": "default"}]}})",
       "/topology/trunks/0: a trunk needs from, to and link"},
      {R"({"links": {"wan": {}, "wan": {}}})", "/links/wan: given twice"},
      {R"([])", "/: expected an object, found an array"},
      {R"({"a/b": 1})",
       "/a~1b: unknown key; known: seed, links, nodes, topology, fates, "
       "only_fates, faults, swarm"},
      {R"({"faults": [{"at_us": 1, "nodes": ["a"]}]})",
       "/faults/0: needs the key kind: partition, pause, clock_step, clock_skew, rebind, "
       "crash, restart"},
      {R"({"faults": [{"kind": "pause", "nodes": ["a"]}]})", "/faults/0: needs the key at_us"},
      {R"({"faults": [{"kind": "pause", "at_us": 1}]})", "/faults/0: needs the key nodes"},
      {R"({"faults": [{"kind": "pause", "at_us": 1, "nodes": []}]})", "/faults/0/nodes: is empty"},
      {R"({"faults": [{"kind": "rebind", "at_us": 1, "for_us": 1, "nodes": ["a"]}]})",
       "/faults/0/for_us: this kind of fault does not last"},
      {R"({"faults": [{"kind": "pause", "at_us": 1, "step_us": 1, "nodes": ["a"]}]})",
       "/faults/0: step_us goes with the kind clock_step, and with no other"},
      {R"({"faults": [{"kind": "clock_skew", "at_us": 1, "nodes": ["a"]}]})",
       "/faults/0: skew_ppm goes with the kind clock_skew, and with no other"},
      {R"({"faults": [{"kind": "clock_skew", "at_us": 1, "skew_ppm": -100001, "nodes": ["a"]}]})",
       "/faults/0/skew_ppm: -100001 is no whole number from -100000 to 100000"},
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
