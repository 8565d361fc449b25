// Tests over many seeds. MDP_SEEDS=n runs seeds 1..n instead of a test's own number, MDP_SEED=n
// only that one. The first seed that fails ends the test and prints the command that replays it.
#pragma once
#include <gtest/gtest.h>

#include <cerrno>  // program_invocation_name
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

namespace mdp::test {

// First and last seed to run, from the environment or `count`.
inline std::pair<std::uint64_t, std::uint64_t> seed_range(std::uint64_t count) {
  if (const char* one = std::getenv("MDP_SEED")) {
    const std::uint64_t seed = std::strtoull(one, nullptr, 10);
    return {seed, seed};
  }
  const char* many = std::getenv("MDP_SEEDS");
  return {1, many ? std::strtoull(many, nullptr, 10) : count};
}

inline std::string replay_command(std::uint64_t seed) {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  return "replay: MDP_SEED=" + std::to_string(seed) + " " + program_invocation_name +
         " --gtest_filter=" + test->test_suite_name() + "." + test->name();
}

template <class Body>
void over_seeds(std::uint64_t count, Body&& body) {
  const auto [first, last] = seed_range(count);
  for (std::uint64_t seed = first; seed <= last && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(replay_command(seed));
    body(seed);
  }
}

}  // namespace mdp::test
