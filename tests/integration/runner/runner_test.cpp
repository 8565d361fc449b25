// Whole runs through real plugins: what the runner reports for good points, for bad ones and for a
// stop.
#include <gtest/gtest.h>

#include <algorithm>

#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/scenario/json_value.hpp"
#include "mdp/scenario/runner.hpp"

namespace mdp::scenario {
namespace {

flow_spec request_response() {
  flow_spec f;
  f.from = "client";
  f.to = "server";
  f.sizes = {{64, 1.0}};
  f.load.in_flight = 8;
  return f;
}

flow_spec stream() {
  flow_spec f = request_response();
  f.pattern = flow_pattern::stream;
  return f;
}

point_spec point(const std::string& plugin, std::vector<flow_spec> flows) {
  point_spec p;
  p.id = "000000000001";
  p.config_json = "{}";
  p.transport.plugin = plugin;
  p.transport.options_json = "{}";
  p.peers = {{"client", 1, "", {}}, {"server", 1, "", {}}};
  p.flows = std::move(flows);
  p.run.warmup_s = 0.02;
  p.run.measure_s = 0.2;
  p.run.drain_s = 1;
  p.run.cpus = "none";
  p.run.time_limit_s = 20;
  return p;
}

// 100 Mbit/s, 5 ms each way.
point_spec simulated(std::vector<flow_spec> flows, const std::string& loss_pct) {
  point_spec p = point("netsim", std::move(flows));
  p.transport.options_json = R"({"seed": 1, "links": {"wan": {"rate_mbps": 100, "delay_us": 5000,
    "queue_packets": 1000, "loss_pct": )" +
                             loss_pct + R"(}},
    "nodes": {"client-0": "wan", "server-0": "wan"}})";
  p.run.measure_s = 1;
  p.run.drain_s = 5;
  return p;
}

run_callbacks callbacks() {
  run_callbacks c;
  c.plugin_directories = {MDP_PLUGIN_DIR};
  return c;
}

struct outcome {
  point_result result;
  json_value json;
  [[nodiscard]] const json_value* run(std::string_view section, std::string_view key) const {
    return json.find("runs")->items.at(0).at(section, key);
  }
  [[nodiscard]] double number(std::string_view section, std::string_view key) const {
    const json_value* v = run(section, key);
    return v != nullptr && v->is_number() ? v->number : -1;
  }
  [[nodiscard]] std::string fact(std::string_view key) const {
    const json_value* v = run("facts", key);
    return v != nullptr ? v->text : "";
  }
  [[nodiscard]] std::string reasons() const {
    std::string all;
    for (const std::string& r : result.reasons) all += r + "\n";
    return all;
  }
};

outcome run(const point_spec& p, const run_callbacks& with = callbacks()) {
  scenario_spec s;
  s.name = "test";
  s.points = {p};
  std::size_t reported = 0;
  auto results = run_points(s, with, [&](const point_result&) { ++reported; });
  EXPECT_EQ(results.size(), reported);
  if (results.empty()) return {};
  return {results[0], parse_json(results[0].json, "result")};
}

// Why the plugin cannot be used here, or empty.
std::string unusable(const std::string& name) {
  for (const auto& info : plugin::list_plugins({MDP_PLUGIN_DIR}))
    if (info.name == name) return info.unavailable;
  return "it is not built";
}

class over_plugin : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (const std::string why = unusable(GetParam()); !why.empty())
      GTEST_SKIP() << "SKIPPED: " << GetParam() << ": " << why;
  }
};

TEST_P(over_plugin, EveryRequestIsAnswered) {
  const outcome o = run(point(GetParam(), {request_response()}));
  ASSERT_EQ(o.result.status, "ok") << o.reasons();
  EXPECT_GT(o.number("messages", "completed"), 0);
  EXPECT_EQ(o.number("messages", "delivered_ratio"), 1);
  EXPECT_EQ(o.number("messages", "duplicated"), 0);
  EXPECT_EQ(o.number("messages", "corrupted"), 0);
  EXPECT_EQ(o.number("messages", "expired"), 0);
}

TEST_P(over_plugin, EveryStreamedMessageIsConfirmed) {
  const outcome o = run(point(GetParam(), {stream()}));
  ASSERT_EQ(o.result.status, "ok") << o.reasons();
  EXPECT_GT(o.number("messages", "completed"), 0);
  EXPECT_EQ(o.number("messages", "delivered_ratio"), 1);
  EXPECT_EQ(o.number("messages", "duplicated"), 0);
}

TEST_P(over_plugin, BareDatagramsArriveAndHaveNoConfirmations) {
  point_spec p = point(GetParam(), {stream()});
  p.protocol.name = "raw";
  const outcome o = run(p);
  ASSERT_EQ(o.result.status, "ok") << o.reasons();
  EXPECT_GT(o.number("messages", "arrived"), 0);
  EXPECT_EQ(o.number("messages", "corrupted"), 0);
  EXPECT_TRUE(o.run("latency", "delivered")->is(json_kind::null));
  EXPECT_TRUE(o.run("packets", "retransmitted")->is(json_kind::null));
}

INSTANTIATE_TEST_SUITE_P(Real, over_plugin, testing::Values("socket", "io_uring"));

TEST(Simulated, LostPacketsAreRetransmittedAndTheSameSeedRepeatsExactly) {
  point_spec p = simulated({stream()}, "2");
  p.run.verify_determinism = true;
  const outcome o = run(p);
  ASSERT_EQ(o.result.status, "ok") << o.reasons();
  EXPECT_EQ(o.fact("deterministic"), "true");
  EXPECT_EQ(o.fact("digest"), o.fact("digest_repeat"));
  EXPECT_FALSE(o.fact("digest").empty());
  EXPECT_GT(o.number("packets", "retransmitted"), 0);
  EXPECT_EQ(o.number("messages", "delivered_ratio"), 1);
  EXPECT_EQ(o.number("messages", "duplicated"), 0);
}

TEST(Simulated, ARepetitionWithAnotherSeedLosesOtherPackets) {
  point_spec p = simulated({stream()}, "2");
  p.run.repetitions = 2;
  const outcome o = run(p);
  ASSERT_EQ(o.result.status, "ok") << o.reasons();
  const auto& runs = o.json.find("runs")->items;
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_NE(
      runs[0].at("facts", "packets_dropped_loss")->text + runs[0].at("facts", "digest")->text,
      runs[1].at("facts", "packets_dropped_loss")->text + runs[1].at("facts", "digest")->text);
  EXPECT_NE(runs[0].at("facts", "seed")->text, runs[1].at("facts", "seed")->text);
}

TEST(Simulated, RequestsTakeARoundTrip) {
  const outcome o = run(simulated({request_response()}, "0"));
  ASSERT_EQ(o.result.status, "ok") << o.reasons();
  const json_value* p50 = o.run("latency", "response")->find("p50_us");
  ASSERT_TRUE(p50 != nullptr && p50->is_number());
  EXPECT_GE(p50->number, 10000);  // 5 ms each way
  EXPECT_LT(p50->number, 11000);
}

// Every flow keeps its own messages: each is delivered once, and counted once on either side.
void expect_all_delivered(const outcome& o) {
  ASSERT_EQ(o.result.status, "ok") << o.reasons();
  EXPECT_GT(o.number("messages", "completed"), 0);
  EXPECT_EQ(o.number("messages", "delivered_ratio"), 1);
  EXPECT_EQ(o.number("messages", "duplicated"), 0);
  EXPECT_EQ(o.number("messages", "corrupted"), 0);
  EXPECT_EQ(o.number("messages", "expired"), 0);
}

flow_spec at_rate(flow_spec f, double rate_per_s) {
  f.load = {};
  f.load.mode = load_mode::open;
  f.load.rate_per_s = rate_per_s;
  return f;
}

flow_spec reversed(flow_spec f) {
  std::swap(f.from, f.to);
  return f;
}

TEST(Simulated, OnePeerMaySendAndReceiveAndHaveSeveralFlows) {
  const std::vector<flow_spec> flows{at_rate(stream(), 1000), at_rate(request_response(), 500),
                                     reversed(at_rate(stream(), 300)),
                                     reversed(at_rate(request_response(), 200))};
  const outcome o = run(simulated(flows, "1"));
  expect_all_delivered(o);
  EXPECT_NEAR(o.number("offered", "messages"), 2000, 4);
  // Replies are no messages of a flow: 2,000 of them arrive, give or take those on their way.
  EXPECT_NEAR(o.number("messages", "arrived"), 2000, 100);
}

TEST_P(over_plugin, BothDirectionsAtOnceAndRequestsBeside) {
  const outcome o = run(point(GetParam(), {stream(), reversed(stream()), request_response()}));
  expect_all_delivered(o);
}

TEST(Simulated, EveryPeerOfAGroupMaySendToEveryOther) {
  point_spec p = simulated({at_rate(stream(), 400)}, "1");
  p.peers = {{"client", 5, "", {}}};
  p.flows[0].to = "client";
  const outcome o = run(p);
  expect_all_delivered(o);
  EXPECT_NEAR(o.number("offered", "messages"), 2000, 10);
  EXPECT_GT(o.number("fairness", "jain"), 0.99);
}

TEST(Simulated, TwoGroupsMaySendToOneServer) {
  point_spec p = simulated({stream(), request_response()}, "0");
  p.peers.insert(p.peers.begin(), {"other", 1, "", {}});
  p.flows[1].from = "other";
  const outcome o = run(p);
  ASSERT_EQ(o.result.status, "ok") << o.reasons();
  EXPECT_EQ(o.number("messages", "duplicated"), 0);
  EXPECT_EQ(o.number("messages", "delivered_ratio"), 1);
}

TEST(Simulated, AStreamWithoutConfirmationsIsHeldBackByFlowControl) {
  point_spec p = simulated({stream()}, "0");
  p.flows[0].confirm = "none";
  p.run.measure_s = 0.1;
  const outcome o = run(p);
  ASSERT_EQ(o.result.status, "ok") << o.reasons();
  EXPECT_GT(o.number("messages", "arrived"), 0);
}

// A burst a second, lost in one direction only, and time for every loss to be found before the
// window ends: what the protocol says of its packets is what the simulator counted, exactly.
TEST(Simulated, TheProtocolsCountsAreThoseOfTheSimulator) {
  int twice = 0;
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u}) {
    point_spec p = simulated({at_rate(stream(), 500)}, "3");
    p.transport.options_json = R"({"seed": 1, "links": {
      "wan": {"delay_us": 5000, "queue_packets": 0, "loss_pct": 3}, "clean": {"delay_us": 5000}},
      "nodes": {"client-0": "wan", "server-0": "clean"}})";
    p.seed = seed;
    p.flows[0].confirm = "none";
    p.flows[0].sizes = {{1000, 1.0}};
    p.flows[0].load.arrival = arrivals::bursty;
    p.flows[0].load.burst_messages = 500;
    p.run.warmup_s = 0.5;  // the bursts come at 1, 2 and 3 s
    p.run.measure_s = 2.9;
    const outcome o = run(p);
    ASSERT_EQ(o.result.status, "ok") << o.reasons();
    const double dropped = o.number("network", "dropped_loss");
    EXPECT_GT(dropped, 20) << seed;
    EXPECT_EQ(o.number("packets", "dropped"), dropped) << seed;
    EXPECT_EQ(o.number("packets", "sent"), o.number("network", "sent")) << seed;
    EXPECT_EQ(o.number("packets", "received"), o.number("network", "delivered")) << seed;
    EXPECT_EQ(o.number("packets", "lost") - o.number("packets", "spurious"), dropped) << seed;
    EXPECT_EQ(o.number("packets", "retransmitted"), dropped) << seed;
    EXPECT_EQ(o.number("messages", "arrived"), 1500) << seed;
    const double affected = o.number("packets", "affected");
    const double retry_max = o.number("packets", "retry_max");
    EXPECT_EQ(affected == dropped, retry_max == 1) << seed;
    EXPECT_LE(affected, dropped) << seed;
    EXPECT_GE(affected * retry_max, dropped) << seed;
    EXPECT_DOUBLE_EQ(o.number("packets", "retry_mean"),
                     dropped / (o.number("packets", "sent") - dropped));
    twice += retry_max == 2;
  }
  EXPECT_GT(twice, 0) << "no packet was lost twice";
}

TEST(Simulated, SteadinessIsReportedAndMayBeRequired) {
  point_spec p = simulated({at_rate(stream(), 1000)}, "0");
  p.run.measure_s = 5;
  p.run.steady_state = "require";
  const outcome steady = run(p);
  EXPECT_EQ(steady.result.status, "ok") << steady.reasons();
  EXPECT_TRUE(steady.run("steady", "reached")->boolean);
  // From 1,000 to 20,000 a second: nothing stays as it is.
  p.flows[0].load.arrival = arrivals::ramp;
  p.flows[0].load.rate_end_per_s = 20000;
  const outcome climbing = run(p);
  EXPECT_EQ(climbing.result.status, "inconclusive");
  EXPECT_NE(climbing.reasons().find("steady"), std::string::npos);
  p.run.steady_state = "report";
  EXPECT_EQ(run(p).result.status, "ok");
}

TEST(Simulated, BareDatagramsAtARateArrive) {
  point_spec p = simulated({stream()}, "0");
  p.protocol.name = "raw";
  p.flows[0] = at_rate(stream(), 1000);
  const outcome o = run(p);
  ASSERT_EQ(o.result.status, "ok") << o.reasons();
  EXPECT_NEAR(o.number("messages", "arrived"), 1000, 10);
}

TEST(Simulated, RunsAreRepeatedUntilTheyArePreciseOrTheirNumberIsUp) {
  point_spec p = simulated({at_rate(stream(), 1000)}, "2");
  p.run.repetitions = 3;
  p.run.repetitions_max = 12;
  p.run.precision_pct = 99;
  const outcome early = run(p);
  EXPECT_EQ(early.result.status, "ok") << early.reasons();
  EXPECT_EQ(early.json.find("runs")->items.size(), 3u);
  p.run.precision_pct = 0;  // no two seeds have one p99
  const outcome late = run(p);
  EXPECT_EQ(late.result.status, "inconclusive");
  EXPECT_NE(late.reasons().find("12 runs"), std::string::npos) << late.reasons();
  EXPECT_EQ(late.json.find("runs")->items.size(), 12u);
}

TEST(Failures, AFloodOfBareDatagramsInVirtualTimeIsRefused) {
  point_spec p = simulated({stream()}, "0");
  p.protocol.name = "raw";
  const outcome o = run(p);
  EXPECT_EQ(o.result.status, "failed");
  EXPECT_NE(o.reasons().find("rate_per_s"), std::string::npos) << o.reasons();
}

TEST(Failures, AMissingPluginFailsThePointWithItsName) {
  const outcome o = run(point("pigeon", {stream()}));
  EXPECT_EQ(o.result.status, "failed");
  EXPECT_NE(o.reasons().find("pigeon"), std::string::npos) << o.reasons();
}

TEST(Failures, AMessageSmallerThanTheStampIsRefusedWithTheKey) {
  flow_spec f = stream();
  f.sizes = {{8, 1.0}};
  const outcome o = run(simulated({f}, "0"));
  EXPECT_EQ(o.result.status, "failed");
  EXPECT_NE(o.reasons().find("size_bytes"), std::string::npos) << o.reasons();
}

TEST(Failures, AStoppedPointIsNeitherOkNorFailed) {
  point_spec p = simulated({stream()}, "0");
  p.run.repetitions = 3;
  run_callbacks c = callbacks();
  // Let the first repetition end, then stop.
  std::size_t runs = 0;
  c.progress = [&](const std::string&) { ++runs; };
  c.stop_requested = [&] { return runs > 1; };
  const outcome o = run(p, c);
  EXPECT_EQ(o.result.status, "inconclusive") << o.reasons();
}

TEST(Asserts, HoldFailAndExplainThemselves) {
  point_spec p = simulated({stream()}, "0");
  p.asserts = {{"messages.delivered_ratio == 1", {}},
               {"messages.rate_per_s >= 1000000000", {}},
               {"latency.nonsense.p99_us <= 500", {}},
               {"messages.duplicated==0", {}},
               {"messages.rate_per_s < 0", {{"transport", "\"other\""}}}};
  const outcome o = run(p);
  EXPECT_FALSE(o.result.asserts_passed);
  const auto& list = o.json.find("asserts")->items;
  ASSERT_EQ(list.size(), 4u);  // the last is for another transport
  EXPECT_TRUE(list[0].find("pass")->boolean);
  EXPECT_FALSE(list[1].find("pass")->boolean);
  EXPECT_FALSE(list[2].find("pass")->boolean);
  EXPECT_NE(list[2].find("reason"), nullptr);
  EXPECT_TRUE(list[3].find("pass")->boolean);
}

TEST(Results, NameSchemaScenarioHostAndBuild) {
  const outcome o = run(simulated({stream()}, "0"));
  EXPECT_EQ(o.json.find("schema")->text, "mdp-result/1");
  EXPECT_EQ(o.json.find("scenario")->text, "test");
  EXPECT_FALSE(o.json.at("host", "kernel")->text.empty());
  EXPECT_FALSE(o.json.at("build", "compiler")->text.empty());
  EXPECT_EQ(o.json.find("runs")->items.size(), 1u);
}

}  // namespace
}  // namespace mdp::scenario
