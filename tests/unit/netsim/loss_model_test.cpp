// Loss models against what their chains say.
#include "mdp/netsim/loss_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace mdp::netsim {
namespace {

constexpr std::size_t packets = 1'000'000;

probability percent(const char* text) {
  return *probability_of_percent(*parse_decimal(text));
}

std::vector<bool> losses(const loss_model& model, std::uint64_t seed, std::size_t count = packets) {
  loss_process process;
  const philox_key key = draw_key(seed, "a/up", draw_purpose::loss_model);
  std::vector<bool> lost(count);
  for (std::size_t k = 0; k < count; ++k) lost[k] = process.loses(model, key, k);
  return lost;
}

double share_of(const std::vector<bool>& lost) {
  double n = 0;
  for (const bool l : lost) n += l ? 1 : 0;
  return n / static_cast<double>(lost.size());
}

std::vector<std::size_t> run_lengths(const std::vector<bool>& values, bool of) {
  std::vector<std::size_t> runs;
  std::size_t length = 0;
  for (const bool v : values) {
    if (v == of) {
      ++length;
    } else if (length > 0) {
      runs.push_back(length);
      length = 0;
    }
  }
  return runs;
}

double mean_of(const std::vector<std::size_t>& runs) {
  double sum = 0;
  for (const std::size_t r : runs) sum += static_cast<double>(r);
  return sum / static_cast<double>(runs.size());
}

gilbert_elliott gilbert() {
  return {.to_bad = percent("1"),
          .to_good = percent("25"),
          .good_loss = percent("0"),
          .bad_loss = percent("100")};
}

// p = .01, r = .25: loss p/(p + r), bursts geometric with mean 1/r, gaps with mean 1/p.
TEST(GilbertElliott, LossBurstsAndGapsAreThoseOfTheChain) {
  const auto lost = losses(gilbert(), 1);
  EXPECT_NEAR(share_of(lost), .03846, .0015);  // 3 sigma, with the correlation
  const auto bursts = run_lengths(lost, true);
  EXPECT_NEAR(mean_of(bursts), 4, .11);
  EXPECT_NEAR(mean_of(run_lengths(lost, false)), 100, 3.1);
  double lengthy = 0;
  for (const std::size_t b : bursts) lengthy += b >= 10 ? 1 : 0;
  EXPECT_NEAR(lengthy / static_cast<double>(bursts.size()), .0751, .008);
}

// Chi-squared of burst lengths 1 .. 12 and above against the geometric distribution: 12 degrees of
// freedom, 32.9 at one in a thousand.
TEST(GilbertElliott, BurstLengthsAreGeometric) {
  const auto bursts = run_lengths(losses(gilbert(), 2), true);
  std::vector<double> seen(13);
  for (const std::size_t b : bursts) ++seen[std::min<std::size_t>(b, 13) - 1];
  double chi = 0;
  for (int length = 1; length <= 13; ++length) {
    const double p = length == 13 ? std::pow(.75, 12) : .25 * std::pow(.75, length - 1);
    const double expected = p * static_cast<double>(bursts.size());
    const double off = seen[static_cast<std::size_t>(length - 1)] - expected;
    chi += off * off / expected;
  }
  EXPECT_LT(chi, 32.9);
}

TEST(GilbertElliott, CorrelationAtLagKIsTheEigenvalueToTheK) {
  const auto lost = losses(gilbert(), 3);
  const double mean = share_of(lost);
  for (const std::size_t lag : {1u, 2u, 5u}) {
    double sum = 0;
    for (std::size_t k = 0; k + lag < lost.size(); ++k) {
      sum += ((lost[k] ? 1 : 0) - mean) * ((lost[k + lag] ? 1 : 0) - mean);
    }
    const double correlation = sum / static_cast<double>(lost.size()) / (mean * (1 - mean));
    EXPECT_NEAR(correlation, std::pow(.74, static_cast<double>(lag)), .02) << lag;
  }
}

TEST(GilbertElliott, BothStatesMayLose) {
  gilbert_elliott m = gilbert();
  m.good_loss = percent("2");
  m.bad_loss = percent("50");
  EXPECT_NEAR(share_of(losses(m, 4)), (.25 * .02 + .01 * .5) / .26, .001);
}

// With p14 = p23 = 0 the chain is Gilbert's: 1 <-> 3.
TEST(FourState, WithTwoStatesItIsGilberts) {
  const four_state m{.p13 = percent("1"), .p31 = percent("25"), .p32 = {}, .p23 = {}, .p14 = {}};
  const auto lost = losses(m, 5);
  EXPECT_NEAR(share_of(lost), .03846, .0015);
  EXPECT_NEAR(mean_of(run_lengths(lost, true)), 4, .11);
}

// A chain of its own, solved by hand. In each state of the sender: gap (1), burst received (2),
// burst lost (3), lone loss (4). Balance: pi3 p31 = pi1 p13, pi2 p23 = pi3 p32, pi4 = pi1 p14.
TEST(FourState, SharesAreThoseOfTheStationaryDistribution) {
  const four_state m{.p13 = percent("2"),
                     .p31 = percent("10"),
                     .p32 = percent("30"),
                     .p23 = percent("60"),
                     .p14 = percent("1")};
  const double gap = 1;
  const double burst_lost = .02 / .10;
  const double burst_received = burst_lost * .30 / .60;
  const double alone = .01;
  const double expected = (burst_lost + alone) / (gap + burst_lost + burst_received + alone);
  EXPECT_NEAR(share_of(losses(m, 6)), expected, .003);
}

TEST(FourState, LoneLossesStayAlone) {
  const four_state m{.p13 = {}, .p31 = percent("100"), .p32 = {}, .p23 = {}, .p14 = percent("20")};
  const auto lost = losses(m, 7);
  for (const std::size_t run : run_lengths(lost, true)) ASSERT_EQ(run, 1u);
  EXPECT_NEAR(share_of(lost), .2 / 1.2, .002);
}

TEST(PlannedLoss, PeriodListAndPatternAreExact) {
  const auto numbers = [](const loss_model& m) {
    std::vector<std::size_t> out;
    const auto lost = losses(m, 8, 20);
    for (std::size_t k = 0; k < lost.size(); ++k) {
      if (lost[k]) out.push_back(k);
    }
    return out;
  };
  EXPECT_EQ(numbers(periodic_loss{.every = 7, .offset = 3}), (std::vector<std::size_t>{3, 10, 17}));
  EXPECT_EQ(numbers(listed_loss{{0, 1, 12, 19}}), (std::vector<std::size_t>{0, 1, 12, 19}));
  EXPECT_EQ(numbers(recorded_loss{{true, false, true, true, false}}),
            (std::vector<std::size_t>{1, 4, 6, 9, 11, 14, 16, 19}));
  EXPECT_TRUE(numbers(loss_model{}).empty());
}

}  // namespace
}  // namespace mdp::netsim
