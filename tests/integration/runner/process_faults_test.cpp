// Processes of simulated peers that end, and others that begin in their place: what becomes of the
// messages, as results tell it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "mdp/scenario/json_value.hpp"
#include "mdp/scenario/runner.hpp"

namespace mdp::scenario {
namespace {

// Two clients, 200 messages a second each, for 4 s from 0.2 s on; 5 ms each way.
point_spec point(const std::string& faults) {
  point_spec p;
  p.id = "000000000001";
  p.config_json = "{}";
  p.transport.plugin = "netsim";
  p.transport.options_json =
      fmt::format(R"({{"seed": 1, "links": {{"default": {{"delay_us": 5000, "loss_pct": 1}}}},
                       "faults": [{}]}})",
                  faults);
  p.protocol.config = {{"peer_timeout_ms", "1000"}};
  p.peers = {{"client", 2, "", {}}, {"server", 1, "", {}}};
  flow_spec f;
  f.from = "client";
  f.to = "server";
  f.pattern = flow_pattern::stream;
  f.sizes = {{64, 1.0}};
  f.load.mode = load_mode::open;
  f.load.arrival = arrivals::poisson;
  f.load.rate_per_s = 200;
  p.flows = {f};
  p.run.warmup_s = 0.2;
  p.run.measure_s = 4;
  p.run.drain_s = 5;
  p.run.verify_determinism = true;
  p.run.peer_down = "report";
  return p;
}

// "at" and "for" in milliseconds; 0: for good.
std::string ends(const char* node, int at, int lasts = 0) {
  return fmt::format(R"({{"kind": "{}", "at_us": {}e3, "nodes": ["{}"]{}}})",
                     lasts > 0 ? "restart" : "crash", at, node,
                     lasts > 0 ? fmt::format(R"(, "for_us": {}e3)", lasts) : std::string());
}

struct outcome {
  point_result result;
  json_value json;
  [[nodiscard]] double number(std::string_view section, std::string_view key) const {
    const json_value* v = json.find("runs")->items.at(0).at(section, key);
    return v != nullptr && v->is_number() ? v->number : -1;
  }
  [[nodiscard]] std::string fact(std::string_view key) const {
    const json_value* v = json.find("runs")->items.at(0).at("facts", key);
    return v != nullptr ? v->text : "";
  }
  [[nodiscard]] std::string reasons() const {
    return result.reasons.empty() ? "" : result.reasons.front();
  }
};

outcome run(const point_spec& p) {
  scenario_spec s;
  s.name = "test";
  s.points = {p};
  run_callbacks with;
  with.plugin_directories = {MDP_PLUGIN_DIR};
  const auto results = run_points(s, with, {});
  outcome o{results.at(0), parse_json(results.at(0).json, "result")};
  if (p.run.verify_determinism && o.result.status == "ok") {
    EXPECT_EQ(o.fact("digest"), o.fact("digest_repeat"));
  }
  return o;
}

// Whatever happens: one end for each message, none taken twice.
void expect_one_end_each(const outcome& o) {
  ASSERT_EQ(o.result.status, "ok") << o.reasons();
  EXPECT_EQ(o.number("messages", "completed") + o.number("messages", "expired") +
                o.number("messages", "unknown") + o.number("messages", "orphaned") +
                o.number("messages", "timed_out") + o.number("messages", "refused"),
            o.number("offered", "messages"));
  EXPECT_EQ(o.number("messages", "duplicated"), 0);
  EXPECT_EQ(o.number("messages", "corrupted"), 0);
  EXPECT_GT(o.number("messages", "completed"), 0);
}

// R-SESS-6: what was under way is unknown, once there is somebody to tell; then all goes on.
TEST(ProcessFaults, AServerThatRestartsKnowsNothingAndServesOn) {
  const outcome o = run(point(ends("server", 1000, 500)));
  expect_one_end_each(o);
  EXPECT_EQ(o.number("peers", "crashes"), 1);
  EXPECT_EQ(o.number("peers", "restarts"), 1);
  EXPECT_EQ(o.number("peers", "downs"), 2) << "each client is told once";
  EXPECT_EQ(o.number("peers", "ups"), 8) << "two sessions of each client, told at both ends";
  EXPECT_NEAR(o.number("messages", "unknown"), 200, 50) << "of half a second";
  EXPECT_EQ(o.number("messages", "expired"), 0);
  EXPECT_EQ(o.number("messages", "orphaned"), 0);
  EXPECT_NEAR(o.number("messages", "completed"), 1400, 150);
}

// R-LIVE-2: down is reported, and nothing is said of messages that nobody can know about.
TEST(ProcessFaults, AServerThatNeverReturnsLeavesMessagesUnresolved) {
  const outcome o = run(point(ends("server", 1000)));
  expect_one_end_each(o);
  EXPECT_EQ(o.number("peers", "crashes"), 1);
  EXPECT_EQ(o.number("peers", "restarts"), 0);
  EXPECT_EQ(o.number("peers", "downs"), 2);
  EXPECT_EQ(o.number("peers", "ups"), 4);
  EXPECT_EQ(o.number("messages", "unknown"), 0);
  EXPECT_NEAR(o.number("messages", "expired"), 1280, 150) << "of 3.2 s";
}

TEST(ProcessFaults, AClientThatRestartsLeavesOrphansAndSendsOn) {
  const outcome whole = run(point(""));
  const outcome o = run(point(ends("client-1", 1000, 500)));
  expect_one_end_each(o);
  EXPECT_EQ(o.number("peers", "ups"), 6);
  EXPECT_NEAR(o.number("messages", "orphaned"), 2, 2) << "200 a second over 10 ms";
  EXPECT_GT(o.number("messages", "orphaned"), 0);
  EXPECT_EQ(o.number("messages", "unknown"), 0);
  EXPECT_EQ(o.number("messages", "expired"), 0);
  EXPECT_NEAR(whole.number("offered", "messages") - o.number("offered", "messages"), 100, 30)
      << "what was due meanwhile is not offered";
  EXPECT_GT(o.number("fairness", "jain"), 0.99) << "two senders, not three";
}

TEST(ProcessFaults, AGroupOfClientsMayCrash) {
  const outcome o = run(point(ends("client", 1000)));
  expect_one_end_each(o);
  EXPECT_EQ(o.number("peers", "crashes"), 2);
  EXPECT_EQ(o.number("peers", "downs"), 2) << "reported to the server";
  EXPECT_NEAR(o.number("offered", "messages"), 2 * 200 * 0.8, 60);
  EXPECT_GT(o.number("fairness", "jain"), 0.9) << "those that are gone have sent, too";
}

// A run in which nothing of the plan comes to pass is the run without it.
TEST(ProcessFaults, APlanForLaterMovesNoDigest) {
  EXPECT_EQ(run(point(ends("server", 60'000))).fact("digest"), run(point("")).fact("digest"));
}

// Every packet is counted by its process, whether that began, or ended, before, within or after
// the measured window.
TEST(ProcessFaults, CountsOfPacketsAreThoseOfTheSimulator) {
  for (const char* node : {"client-0", "server"}) {
    for (const auto& [at, lasts] : {std::pair(100, 50), {100, 600}, {1000, 500}, {3000, 1500}}) {
      const outcome o = run(point(ends(node, at, lasts)));
      ASSERT_EQ(o.result.status, "ok") << o.reasons();
      EXPECT_EQ(o.number("packets", "sent"), o.number("network", "sent")) << node << ' ' << at;
    }
  }
}

TEST(ProcessFaults, APeerThatGoesDownFailsARunThatDoesNotExpectIt) {
  point_spec p = point(ends("server", 1000));
  p.run.peer_down = "fail";
  const outcome o = run(p);
  EXPECT_EQ(o.result.status, "failed");
  EXPECT_NE(o.reasons().find("client-"), std::string::npos) << o.reasons();
  EXPECT_NE(o.reasons().find("/run/peer_down"), std::string::npos) << o.reasons();
}

TEST(ProcessFaults, NobodyLeftBeforeTheLoadFailsTheRun) {
  const outcome o = run(point(ends("client", 0) + "," + ends("server", 0)));
  EXPECT_EQ(o.result.status, "failed");
  EXPECT_NE(o.reasons().find("no peer is left"), std::string::npos) << o.reasons();
}

TEST(ProcessFaults, OverManySeedsEachMessageHasOneEnd) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const int at = static_cast<int>(seed * 61 % 3000);
    point_spec p = point(ends("server", at, 300) + "," + ends("client", at + 700, 400) + "," +
                         ends("client-1", 3500 - at, 100));
    p.seed = seed;
    p.run.verify_determinism = seed % 10 == 0;
    const outcome o = run(p);
    SCOPED_TRACE(seed);
    expect_one_end_each(o);
    EXPECT_EQ(o.number("messages", "expired"), 0) << "in the end all are there";
    EXPECT_EQ(o.number("peers", "crashes"), o.number("peers", "restarts"));
  }
}

}  // namespace
}  // namespace mdp::scenario
