#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "engine/ack_tracker.hpp"
#include "engine/loss_detector.hpp"
#include "mdp/base/random.hpp"

namespace mdp::engine {
namespace {

using namespace std::chrono_literals;

class acks : public testing::Test {
 protected:
  void packet(std::uint64_t n, bool at_once = false) {
    tracker.on_packet(at_ns(1000), n, true, at_once, 10, 25ms);
  }
  std::vector<std::uint64_t> reported() {
    std::byte out[2048];
    const std::size_t size = tracker.write(at_ns(6000), out);
    wire::frame_reader reader({out, size});
    wire::frame_view frame;
    std::vector<std::uint64_t> numbers;
    if (!reader.next(frame)) return numbers;
    EXPECT_EQ(frame.id, 5u) << "delay in microseconds";
    std::uint64_t last = wire::load<std::uint64_t>(frame.body.data());
    std::uint64_t first = last - wire::load<std::uint32_t>(frame.body.data() + 8);
    for (std::size_t at = 16;; at += 8) {
      for (std::uint64_t n = last + 1; n-- > first;) numbers.push_back(n);
      if (at + 8 > frame.body.size()) break;
      last = first - wire::load<std::uint32_t>(frame.body.data() + at) - 1;
      first = last + 1 - wire::load<std::uint32_t>(frame.body.data() + at + 4);
    }
    return numbers;
  }
  ack_tracker tracker;
};

// R-ACK-1
TEST_F(acks, report_what_came_newest_first) {
  for (const int n : {0, 1, 2, 5, 6, 9}) packet(static_cast<std::uint64_t>(n));
  EXPECT_EQ(reported(), (std::vector<std::uint64_t>{9, 6, 5, 2, 1, 0}));
  packet(3);
  packet(4);
  EXPECT_EQ(reported(), (std::vector<std::uint64_t>{9, 6, 5, 4, 3, 2, 1, 0}));
}

// R-ACK-3
TEST_F(acks, wait_for_the_delay_unless_there_is_a_reason) {
  packet(0);
  EXPECT_FALSE(tracker.ack_due());
  EXPECT_EQ(tracker.deadline(), at_ns(1000) + 25ms);
  tracker.on_deadline(at_ns(1000) + 25ms);
  EXPECT_TRUE(tracker.ack_due());
  reported();
  EXPECT_FALSE(tracker.ack_due());
  EXPECT_EQ(tracker.deadline(), never);
  packet(1, true);
  EXPECT_TRUE(tracker.ack_due()) << "asked for";
  reported();
  packet(3);
  EXPECT_TRUE(tracker.ack_due()) << "a gap";
  reported();
  for (std::uint64_t n = 4; n < 14; ++n) {
    EXPECT_FALSE(tracker.ack_due());
    packet(n);
  }
  EXPECT_TRUE(tracker.ack_due()) << "ten packets";
}

// R-ACK-4
TEST_F(acks, state_is_bounded_and_what_falls_out_is_old) {
  for (std::uint64_t n = 0; n < 100000; n += 2) packet(n);
  EXPECT_EQ(tracker.classify(0), ack_tracker::verdict::old);
  EXPECT_EQ(tracker.classify(99998), ack_tracker::verdict::duplicate);
  EXPECT_EQ(tracker.classify(99997), ack_tracker::verdict::fresh);
  EXPECT_EQ(reported().size(), ack_tracker::ranges_sent_max);
}

TEST_F(acks, agree_with_a_set) {
  seeded_random random(8);
  std::set<std::uint64_t> model;
  std::uint64_t base = 0;
  for (int i = 0; i < 5000; ++i) {
    base += random.next() % 3;
    const std::uint64_t n = base + random.next() % 20;
    const auto verdict = tracker.classify(n);
    if (verdict == ack_tracker::verdict::old) continue;
    ASSERT_EQ(verdict == ack_tracker::verdict::duplicate, model.contains(n)) << n;
    if (model.insert(n).second) packet(n);
  }
}

// R-ACK-5
TEST_F(acks, ranges_the_peer_knows_are_not_repeated) {
  for (const int n : {0, 2, 4, 6, 8}) packet(static_cast<std::uint64_t>(n));
  EXPECT_EQ(reported().size(), 5u);
  tracker.on_ack_acked(6);
  EXPECT_EQ(reported(), (std::vector<std::uint64_t>{8, 6}));
}

// R-ACK-3
TEST_F(acks, a_delayed_acknowledgement_falls_due_once) {
  packet(0);
  EXPECT_EQ(tracker.deadline(), at_ns(1000) + 25ms);
  tracker.on_deadline(at_ns(1000) + 25ms);
  EXPECT_TRUE(tracker.ack_due());
  EXPECT_EQ(tracker.deadline(), never);
}

// R-ACK-1
TEST_F(acks, what_finds_no_room_is_left_out_from_the_middle) {
  for (std::uint64_t n = 0; n < 400; n += 2) packet(n);
  const auto numbers = reported();
  ASSERT_EQ(numbers.size(), ack_tracker::ranges_sent_max);
  EXPECT_EQ(numbers.front(), 398u);
  EXPECT_EQ(numbers.back(), 0u);
  EXPECT_FALSE(tracker.reported_all());
}

// R-ACK-5
TEST_F(acks, what_comes_late_is_reported_though_all_above_is_known) {
  for (const std::uint64_t n : {0u, 1u, 2u, 4u, 5u, 6u}) packet(n);
  reported();
  ASSERT_TRUE(tracker.reported_all());
  packet(3);
  tracker.on_ack_acked(6);  // of the ACK that was written before 3 came
  EXPECT_EQ(reported(), (std::vector<std::uint64_t>{6, 5, 4, 3, 2, 1, 0}));
}

// R-ACK-3
TEST_F(acks, a_gap_is_no_alarm_on_a_path_that_reorders) {
  for (const std::uint64_t n : {0u, 2u, 1u}) packet(n);
  reported();
  packet(4);
  EXPECT_FALSE(tracker.ack_due());
  for (std::uint64_t n = 5; n < 300; ++n) packet(n);
  reported();
  packet(301);
  EXPECT_TRUE(tracker.ack_due());
}

// R-ACK-1
TEST_F(acks, a_run_too_long_for_its_field_ends_the_list) {
  packet(0);
  packet(5000000000);
  packet(5000000002);
  EXPECT_EQ(reported(), (std::vector<std::uint64_t>{5000000002, 5000000000}));
}

// R-RTT-1
TEST(ack_tracker, says_when_it_repeats_its_largest_number) {
  ack_tracker acks;
  std::array<std::byte, 256> out{};
  const auto again = [&](time_point now) {
    EXPECT_GT(acks.write(now, out), 0u);
    return static_cast<std::uint8_t>(out[1]) == wire::frame_ack_again;
  };
  acks.on_packet(at_ns(1), 0, true, true, 10, 1ms);
  EXPECT_FALSE(again(at_ns(2)));
  EXPECT_TRUE(again(at_ns(3)));
  acks.on_packet(at_ns(4), 2, true, true, 10, 1ms);
  EXPECT_FALSE(again(at_ns(5)));
  acks.on_packet(at_ns(6), 1, true, true, 10, 1ms);
  EXPECT_TRUE(again(at_ns(7))) << "late, below the largest";
}

}  // namespace
}  // namespace mdp::engine
