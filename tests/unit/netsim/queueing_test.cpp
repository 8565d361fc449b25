// A rate-limited link against the closed forms of queueing theory. Arrivals are Poisson; a
// packet takes a millisecond in the mean. Tolerances are three standard deviations of the estimate
// or more, and below what a queue that is one packet off would show.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "mdp/base/random.hpp"
#include "tests/unit/netsim/wire.hpp"

namespace mdp::netsim::test {
namespace {

constexpr double service_ns = 1e6;  // of mean_bytes at rate_bps
constexpr double mean_bytes = 1000;
constexpr std::uint64_t rate_bps = 8'000'000;

enum class service { fixed, exponential };

struct figures {
  double mean_wait = 0;  // in services, of the packets that were taken, without their own
  double refused = 0;    // share of the packets
};

// Offers `packets` at the load `rho` to a link that holds `places` (0: any number), the one that is
// being sent included.
figures offered_at(double rho, service kind, int packets, std::uint32_t places) {
  link_spec s = rated(rate_bps);
  s.queue_packets = places;
  s.mtu_bytes = mtu_bytes_max;
  wire w(s);
  seeded_random random(7);
  const auto exponential = [&random] {
    return -std::log(static_cast<double>((random.next() >> 11) + 1) / 0x1p53);
  };
  double clock = 0;
  double waited = 0;
  int taken = 0;
  for (int i = 0; i < packets; ++i) {
    clock += exponential() * service_ns / rho;
    const auto now = static_cast<std::int64_t>(clock);
    static_cast<void>(w.take(now));
    const double bytes = kind == service::fixed
                             ? mean_bytes
                             : std::clamp(std::round(exponential() * mean_bytes), 1., 65000.);
    if (w.offer(now, static_cast<std::uint16_t>(bytes)) != verdict::pass) continue;
    ++taken;
    waited += static_cast<double>(w.last_depart - now) - bytes * service_ns / mean_bytes;
  }
  return {waited / taken / service_ns, 1 - static_cast<double>(taken) / packets};
}

struct load {
  double rho;
  int packets;  // the nearer to 1 the load, the longer a wait is remembered
};

class AtLoad : public testing::TestWithParam<load> {};

// rho / (2 (1 - rho)) services: 0.5, 2, 4.5.
TEST_P(AtLoad, MeanWaitIsThatOfAnMD1Queue) {
  const auto [rho, packets] = GetParam();
  const double expected = rho / (2 * (1 - rho));
  const figures f = offered_at(rho, service::fixed, packets, 0);
  EXPECT_NEAR(f.mean_wait, expected, .02 * expected);
  EXPECT_EQ(f.refused, 0);
}

// rho / (1 - rho) services: 1, 4, 9.
TEST_P(AtLoad, MeanWaitIsThatOfAnMM1Queue) {
  const auto [rho, packets] = GetParam();
  const double expected = rho / (1 - rho);
  const figures f = offered_at(rho, service::exponential, packets, 0);
  EXPECT_NEAR(f.mean_wait, expected, .02 * expected);
  EXPECT_EQ(f.refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Link, AtLoad,
                         testing::Values(load{.5, 3'000'000}, load{.8, 8'000'000},
                                         load{.9, 20'000'000}));

struct room {
  std::uint32_t places;
  int packets;
  double expected;   // (1 - rho) rho^K / (1 - rho^(K + 1))
  double tolerance;  // relative; one place more or less would be 10 to 15 %
};

class WithRoom : public testing::TestWithParam<room> {};

TEST_P(WithRoom, DropsAreThoseOfAnMM1KQueue) {
  const auto [places, packets, expected, tolerance] = GetParam();
  const figures f = offered_at(.9, service::exponential, packets, places);
  EXPECT_NEAR(f.refused, expected, tolerance * expected);
}

INSTANTIATE_TEST_SUITE_P(Link, WithRoom,
                         testing::Values(room{10, 3'000'000, .05081, .03},
                                         room{20, 8'000'000, .01365, .04},
                                         room{50, 40'000'000, .000518, .09}));

}  // namespace
}  // namespace mdp::netsim::test
