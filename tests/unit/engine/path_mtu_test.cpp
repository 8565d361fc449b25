// The machine of path MTU discovery alone, against model paths.
#include "engine/path_mtu.hpp"

#include <gtest/gtest.h>

#include "mdp/base/random.hpp"

namespace mdp::engine {
namespace {

using namespace std::chrono_literals;

constexpr duration raise_interval = 600s;

class path_mtu_search : public testing::Test {
 protected:
  void start(std::uint32_t max) { mtu.start(path_mtu::base_bytes, max, true, raise_interval); }
  // Sends what probes are wanted over a path that carries `carried` bytes; returns how many.
  int search(std::uint32_t carried) {
    int probes = 0;
    while (const std::uint32_t size = mtu.probe_wanted()) {
      mtu.on_probe_sent(now + 1s);
      EXPECT_EQ(mtu.probe_wanted(), 0u) << "one probe at a time";
      ++probes;
      if (size <= carried) {
        mtu.on_probe_acked(now, size);
      } else if (probes % 2 == 0) {
        mtu.on_probe_lost(now, size);
      } else {
        now = mtu.deadline();
        mtu.on_deadline(now);
      }
    }
    return probes;
  }
  // A round in which a packet of `lost` bytes is missing when one of `acked` bytes arrives.
  bool round(std::uint32_t lost, std::uint32_t acked) {
    mtu.on_acked(acked);
    mtu.on_lost(lost);
    return mtu.end_of_round(now);
  }
  path_mtu mtu;
  time_point now = at_ns(1);
};

// R-PMTU-1
TEST_F(path_mtu_search, begins_at_the_base_and_reaches_common_sizes_in_a_few_probes) {
  start(65507);
  EXPECT_EQ(mtu.packet_bytes(), 1200u);
  EXPECT_EQ(search(65507), 3);
  EXPECT_EQ(mtu.packet_bytes(), 65507u);
  start(1472);
  EXPECT_EQ(search(65507), 1);
  EXPECT_EQ(mtu.packet_bytes(), 1472u) << "never above what either side takes";
  start(1300);
  EXPECT_EQ(search(65507), 1);
  EXPECT_EQ(mtu.packet_bytes(), 1300u);
}

// R-PMTU-1, R-PMTU-5
TEST_F(path_mtu_search, begins_at_and_falls_to_the_size_that_was_configured) {
  mtu.start(4000, 9000, true, raise_interval);
  EXPECT_EQ(mtu.packet_bytes(), 4000u);
  search(9000);
  ASSERT_EQ(mtu.packet_bytes(), 9000u);
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(round(9000, 4000));
  EXPECT_TRUE(round(9000, 4000));
  EXPECT_EQ(mtu.packet_bytes(), 4000u);
  EXPECT_FALSE(mtu.may_shrink());
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(round(4000, 100)) << "it falls no lower";
  EXPECT_EQ(mtu.packet_bytes(), 4000u);
  mtu.start(4000, 1300, true, raise_interval);
  EXPECT_EQ(mtu.packet_bytes(), 1300u) << "the peer takes no more";
  EXPECT_EQ(mtu.probe_wanted(), 0u);
}

// R-PMTU-1
TEST_F(path_mtu_search, stays_at_a_given_size_without_discovery) {
  mtu.start(path_mtu::base_bytes, 9000, false, raise_interval);
  EXPECT_EQ(mtu.packet_bytes(), 9000u);
  EXPECT_EQ(mtu.probe_wanted(), 0u);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(round(9000, 100));
  EXPECT_EQ(mtu.packet_bytes(), 9000u);
}

// R-PMTU-2
TEST_F(path_mtu_search, finds_any_size_to_within_its_resolution) {
  for (std::uint32_t carried = 1200; carried < 10000; carried += 7) {
    start(9000);
    EXPECT_LE(search(carried), 40);
    EXPECT_LE(mtu.packet_bytes(), std::max(carried, 1200u));
    EXPECT_GT(mtu.packet_bytes() + path_mtu::resolution + 8, std::min(carried, 9000u));
  }
}

// R-PMTU-2
TEST_F(path_mtu_search, gives_a_size_up_only_after_three_probes) {
  start(1472);
  for (std::uint32_t i = 0; i + 1 < path_mtu::probes_max; ++i) {
    mtu.on_probe_sent(now + 1s);
    mtu.on_probe_lost(now, 1472);
    EXPECT_EQ(mtu.probe_wanted(), 1472u);
  }
  mtu.on_probe_sent(now + 1s);
  EXPECT_TRUE(mtu.on_probe_acked(now, 1472));
  EXPECT_EQ(mtu.packet_bytes(), 1472u);
}

// R-PMTU-2
TEST_F(path_mtu_search, a_probe_that_arrives_late_still_counts) {
  start(1472);
  for (std::uint32_t i = 0; i < path_mtu::probes_max; ++i) {
    mtu.on_probe_sent(now + 1s);
    mtu.on_probe_lost(now, 1472);
  }
  EXPECT_LT(mtu.probe_wanted(), 1472u);
  EXPECT_TRUE(mtu.on_probe_acked(now, 1472));
  EXPECT_EQ(mtu.packet_bytes(), 1472u);
  EXPECT_EQ(mtu.probe_wanted(), 0u);
}

// R-PMTU-3
TEST_F(path_mtu_search, looks_again_when_the_raise_timer_ends) {
  start(1472);
  search(1400);
  EXPECT_LE(mtu.packet_bytes(), 1400u);
  ASSERT_EQ(mtu.deadline(), now + raise_interval);
  now = mtu.deadline();
  mtu.on_deadline(now);
  EXPECT_EQ(search(1500), 1);
  EXPECT_EQ(mtu.packet_bytes(), 1472u);
  EXPECT_EQ(mtu.deadline(), never) << "there is nothing more to find";
}

// R-PMTU-5
TEST_F(path_mtu_search, a_black_hole_is_where_only_large_packets_fail) {
  start(1472);
  search(1472);
  int rounds = 1;
  while (!round(1472, 60)) ++rounds;
  EXPECT_EQ(rounds, 8);
  EXPECT_EQ(mtu.packet_bytes(), 1200u);
  search(1400);
  EXPECT_GE(mtu.packet_bytes(), 1360u);
  EXPECT_LE(mtu.packet_bytes(), 1400u);
}

// R-PMTU-5
TEST_F(path_mtu_search, one_packet_of_the_size_that_passes_clears_the_suspicion) {
  start(1472);
  search(1472);
  for (int i = 0; i < 1000; ++i) {
    for (int k = 0; k < 7; ++k) ASSERT_FALSE(round(1472, 60));
    EXPECT_TRUE(mtu.suspicious());
    mtu.on_acked(1472);
    ASSERT_FALSE(mtu.end_of_round(now));
    EXPECT_FALSE(mtu.suspicious());
  }
}

// R-PMTU-5
TEST_F(path_mtu_search, losses_of_all_sizes_are_no_black_hole) {
  start(1472);
  search(1472);
  for (int i = 0; i < 1000; ++i) {
    mtu.on_lost(60);
    ASSERT_FALSE(round(1472, 60));
    ASSERT_FALSE(round(1472, 1472));
    ASSERT_FALSE(round(1200, 60)) << "every path carries the base size";
  }
  EXPECT_EQ(mtu.packet_bytes(), 1472u);
}

// R-PMTU-5
TEST_F(path_mtu_search, random_losses_of_any_traffic_raise_no_false_alarm) {
  seeded_random random(7);
  for (const std::uint64_t loss_pct : {1u, 5u, 15u}) {
    start(1472);
    search(1472);
    for (int i = 0; i < 200'000; ++i) {
      for (int k = 0; k < 10; ++k) {
        const std::uint32_t bytes = random.next() % 3 == 0 ? 1472 : 60;
        if (random.next() % 100 < loss_pct) {
          mtu.on_lost(bytes);
        } else {
          mtu.on_acked(bytes);
        }
      }
      ASSERT_FALSE(mtu.end_of_round(now));
    }
  }
}

}  // namespace
}  // namespace mdp::engine
