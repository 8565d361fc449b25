// Simulations beyond the machine: refused by what it has, not by what the author had.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "test_context.hpp"

namespace mdp::scenario {
namespace {

std::string error_with(std::uint64_t memory_bytes, const char* peers) {
  // Tests run side by side: each process has a file of its own.
  const auto file = std::filesystem::path(::testing::TempDir()) /
                    ("network_check_" + std::to_string(::getpid()) + ".json");
  std::ofstream(file) << R"({"schema": "mdp-scenario/1", "name": "n", "description": "d",
    "transports": {"default": {"plugin": "netsim"}}, "network": {"links": {"wan": {}}},
    "peers": )" << peers
                      << R"(, "flows": [{"from": "client", "to": "client", "pattern": "stream",
    "size_bytes": 64, "load": {"mode": "closed", "in_flight": 1}}]})";
  load_options options;
  options.context = testing::fixed_context();
  options.context.memory_bytes = [memory_bytes] { return memory_bytes; };
  std::string error = "accepted";
  try {
    static_cast<void>(load_scenario(file.string(), options));
  } catch (const scenario_error& e) {
    error = e.what();
  }
  std::filesystem::remove(file);
  return error;
}

TEST(NetworkCheck, NamesThePeersThatTheMachineCannotHold) {
  EXPECT_EQ(error_with(8'000'000'000, R"({"client": {"count": 1000}})"), "accepted");
  EXPECT_THAT(error_with(1'200'000'000, R"({"client": {"count": 1000}})"),
              ::testing::HasSubstr("/peers: 1000 peers with 499500 sessions take 2238 MB at the "
                                   "least, this machine has 1200 MB"));
}

TEST(NetworkCheck, CountsSessionsBesidesPeers) {
  EXPECT_EQ(error_with(400'000'000, R"({"client": {"count": 2}, "idle": {"count": 1000}})"),
            "accepted");
  EXPECT_NE(error_with(400'000'000, R"({"client": {"count": 1000}, "idle": {"count": 2}})"),
            "accepted");
}

// 50,000 take 12 GB: a machine of 8 GB is named, one of 16 holds them.
TEST(NetworkCheck, SimulatesAsManyPeersAsTheMachineHolds) {
  const char* const peers = R"({"client": {"count": 2}, "idle": {"count": 50000}})";
  EXPECT_EQ(error_with(16'000'000'000, peers), "accepted");
  EXPECT_THAT(error_with(8'000'000'000, peers), ::testing::HasSubstr("/peers: 50002 peers"));
}

}  // namespace
}  // namespace mdp::scenario
