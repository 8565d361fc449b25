// When the processes of nodes end and begin by plan: what the faults crash and restart say.
#include "mdp/netsim/process_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "mdp/netsim/options.hpp"
#include "tests/unit/netsim/world.hpp"

namespace mdp::netsim::test {
namespace {

node_fault crash(std::int64_t at, std::vector<std::string> nodes) {
  return {.kind = fault_kind::crash, .at_ns = at, .nodes = std::move(nodes)};
}
node_fault restart(std::int64_t at, std::int64_t until, std::vector<std::string> nodes) {
  return {.kind = fault_kind::restart, .at_ns = at, .until_ns = until, .nodes = std::move(nodes)};
}

// As text: "<time> <node> ends" or "... begins".
std::vector<std::string> plan_of(const std::vector<node_fault>& faults) {
  std::vector<std::string> out;
  for (const auto& c : process_plan(faults, {"a-0", "b-0", "a-1"})) {
    out.push_back(std::to_string(ns_of(c.at)) + " " + std::to_string(c.endpoint) +
                  (c.begins ? " begins" : " ends"));
  }
  return out;
}

using texts = std::vector<std::string>;

TEST(ProcessPlan, ACrashIsForGoodAndARestartIsNot) {
  EXPECT_EQ(plan_of({crash(5, {"b-0"})}), (texts{"5 1 ends"}));
  EXPECT_EQ(plan_of({restart(5, 7, {"b-0"})}), (texts{"5 1 ends", "7 1 begins"}));
}

TEST(ProcessPlan, AGroupIsAllItsNodesAndOrderIsTimeThenNode) {
  EXPECT_EQ(plan_of({restart(9, 10, {"b"}), restart(5, 9, {"a"})}),
            (texts{"5 0 ends", "5 2 ends", "9 0 begins", "9 1 ends", "9 2 begins", "10 1 begins"}));
}

TEST(ProcessPlan, WhatOverlapsOrTouchesIsOneAbsence) {
  EXPECT_EQ(plan_of({restart(5, 7, {"b"}), restart(6, 9, {"b-0"})}),
            (texts{"5 1 ends", "9 1 begins"}));
  EXPECT_EQ(plan_of({restart(7, 9, {"b"}), restart(5, 7, {"b"})}),
            (texts{"5 1 ends", "9 1 begins"}));
  EXPECT_EQ(plan_of({restart(2, 9, {"b"}), restart(4, 5, {"b"})}),
            (texts{"2 1 ends", "9 1 begins"}));
  EXPECT_EQ(plan_of({restart(5, 7, {"b"}), restart(8, 9, {"b"})}),
            (texts{"5 1 ends", "7 1 begins", "8 1 ends", "9 1 begins"}));
  EXPECT_EQ(plan_of({crash(5, {"b"}), restart(6, 9, {"b"})}), (texts{"5 1 ends"}))
      << "nothing comes back from a crash";
}

TEST(ProcessPlan, OtherKindsOfFaultsEndNoProcess) {
  EXPECT_EQ(plan_of({{.kind = fault_kind::pause, .at_ns = 1, .until_ns = 2, .nodes = {"b"}}}),
            texts{});
}

TEST(ProcessPlan, AFabricTellsItOfItsNodesAndStaysAsItIs) {
  world w(R"({"faults": [{"kind": "restart", "at_us": 1000, "for_us": 500, "nodes": ["b"]}]})");
  EXPECT_TRUE(w.net->process_changes().empty()) << "there is no node yet";
  const std::size_t a = w.open("a"), b = w.open("b");
  const auto plan = w.net->process_changes();
  ASSERT_EQ(plan.size(), 2u);
  EXPECT_EQ(plan[0].endpoint, static_cast<std::int64_t>(b));
  EXPECT_EQ(plan[1].at, at_ns(1'500'000));
  w.send(a, b, 10);
  EXPECT_EQ(w.net->advance(at_ns(1'200'000)), static_cast<std::int64_t>(b));
  EXPECT_EQ(w.take(b).size(), 1u) << "the plan is for others to carry out";
}

TEST(ProcessPlan, ASwarmTakesRestartsAndCrashesAwayAsOtherKinds) {
  int crashes = 0, restarts = 0, both = 0;
  for (int seed = 1; seed <= 400; ++seed) {
    const network_options o = parse_network_options(
        (R"({"swarm": true, "seed": )" + std::to_string(seed) + R"(, "faults": [
              {"kind": "crash", "at_us": 1, "nodes": ["a"]},
              {"kind": "restart", "at_us": 1, "for_us": 1, "nodes": ["b"]}]})")
            .c_str());
    const auto has = [&](fault_kind kind) {
      return std::any_of(o.faults.begin(), o.faults.end(),
                         [&](const node_fault& f) { return f.kind == kind; });
    };
    crashes += has(fault_kind::crash);
    restarts += has(fault_kind::restart);
    both += has(fault_kind::crash) && has(fault_kind::restart);
  }
  for (const int count : {crashes, restarts}) EXPECT_NEAR(count, 200, 40);  // 4 sigma
  EXPECT_NEAR(both, 100, 35);
}

TEST(ProcessPlan, ACrashDoesNotLastAndARestartDoes) {
  const auto refusal = [](const std::string& fault) -> std::string {
    try {
      static_cast<void>(parse_network_options((R"({"faults": [)" + fault + "]}").c_str()));
    } catch (const options_error& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal(R"({"kind": "crash", "at_us": 1, "for_us": 1, "nodes": ["a"]})"),
            "/faults/0/for_us: a crash is for good; the kind restart lasts");
  EXPECT_EQ(refusal(R"({"kind": "restart", "at_us": 1, "nodes": ["a"]})"),
            "/faults/0: the kind restart needs the key for_us");
}

}  // namespace
}  // namespace mdp::netsim::test
