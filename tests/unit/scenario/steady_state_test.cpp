#include "scenario/steady_state.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "mdp/base/random.hpp"

namespace mdp::scenario {
namespace {

// 50 intervals around 100, each with noise of 5.
std::vector<double> noise(std::uint64_t seed, std::size_t n = 50) {
  seeded_random random(seed);
  const auto uniform = [&] {
    return (static_cast<double>(random.next() >> 11) + 0.5) / 9007199254740992.0;
  };
  std::vector<double> out(n);
  for (double& v : out) {
    v = 100 + 5 * std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform());
  }
  return out;
}

template <class Change>
std::size_t unsteady_of_200(Change&& change, std::size_t n = 50) {
  std::size_t unsteady = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::vector<double> series = noise(seed, n);
    for (std::size_t i = 0; i < n; ++i) series[i] += change(i);
    unsteady += judge_steadiness(series)->reached ? 0u : 1u;
  }
  return unsteady;
}

TEST(SteadyState, NoiseAloneIsSteady) {
  EXPECT_LE(unsteady_of_200([](std::size_t) { return 0.0; }), 4u);
  EXPECT_LE(unsteady_of_200([](std::size_t) { return 0.0; }, 10), 4u);
  EXPECT_TRUE(judge_steadiness(std::vector<double>(50, 7))->reached);
  EXPECT_EQ(judge_steadiness(std::vector<double>(50, 7))->from, 0u);
  EXPECT_TRUE(judge_steadiness(std::vector<double>(50, 0))->reached);
}

TEST(SteadyState, AFigureThatClimbsOrFallsAllTheTimeIsNot) {
  EXPECT_GE(unsteady_of_200([](std::size_t i) { return static_cast<double>(i); }), 198u);
  EXPECT_GE(unsteady_of_200([](std::size_t i) { return -static_cast<double>(i); }), 198u);
}

// The step is six times the noise, three quarters into the window: nine times in ten it is found.
TEST(SteadyState, AStepLateInTheWindowIsNot) {
  EXPECT_GE(unsteady_of_200([](std::size_t i) { return i >= 38 ? 30.0 : 0.0; }), 180u);
}

TEST(SteadyState, ATransientAtTheBeginningIsCutOff) {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::vector<double> series = noise(seed);
    for (std::size_t i = 0; i < 12; ++i) series[i] += 60;
    const auto s = judge_steadiness(series);
    found += s->reached && s->from >= 12 && s->from <= 16 ? 1u : 0u;
  }
  EXPECT_GE(found, 170u);
}

TEST(SteadyState, ATrendOfNoConsequenceIsSteady) {
  std::vector<double> series;
  for (int i = 0; i < 50; ++i) series.push_back(1000 + i * 0.1);
  EXPECT_TRUE(judge_steadiness(series)->reached);
}

TEST(SteadyState, AShortSeriesSaysNothing) {
  EXPECT_FALSE(judge_steadiness(std::vector<double>(9, 1)));
}

}  // namespace
}  // namespace mdp::scenario
