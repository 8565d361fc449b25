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

class losses : public testing::Test {
 protected:
  void send(std::uint32_t body, time_point at) {
    sent_packet p;
    p.sent = at;
    p.body = body;
    p.bytes = 100;
    p.eliciting = true;
    detector.on_sent(p);
  }
  // Acknowledges first..last alone.
  std::vector<std::uint32_t> ack(std::uint64_t first, std::uint64_t last, time_point now) {
    std::byte body[16] = {};
    wire::store(body, last);
    wire::store(body + 8, static_cast<std::uint32_t>(last - first));
    std::vector<std::uint32_t> bodies;
    EXPECT_TRUE(detector.ack_valid(body));
    detector.on_ack(now, body, sample, [&](sent_packet& p, bool late) {
      if (late) ++late_count;
      bodies.push_back(p.body);
    });
    detector.detect_losses(
        now, 10ms, [&](sent_packet& p) { lost.push_back(p.body); }, [](sent_packet&) {});
    return bodies;
  }
  loss_detector detector;
  duration sample{};
  std::vector<std::uint32_t> lost;
  int late_count = 0;
};

// R-LOSS-1
TEST_F(losses, by_packets) {
  for (std::uint32_t i = 0; i < 5; ++i) send(i, at_ns(0));
  EXPECT_EQ(ack(2, 2, at_ns(100)), std::vector<std::uint32_t>{2});
  EXPECT_TRUE(lost.empty());
  EXPECT_EQ(sample, 100ns);
  ack(3, 3, at_ns(100));
  EXPECT_EQ(lost, std::vector<std::uint32_t>{0});
  ack(4, 4, at_ns(100));
  EXPECT_EQ(lost, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(detector.bytes_in_flight(), 0u);
}

// R-LOSS-2
TEST_F(losses, by_time) {
  send(0, at_ns(0));
  send(1, at_ns(0));
  ack(1, 1, at_ns(0) + 1ms);
  EXPECT_TRUE(lost.empty());
  EXPECT_EQ(detector.loss_time(), at_ns(0) + 10ms);
  detector.detect_losses(
      at_ns(0) + 10ms, 10ms, [&](sent_packet& p) { lost.push_back(p.body); }, [](sent_packet&) {});
  EXPECT_EQ(lost, std::vector<std::uint32_t>{0});
  EXPECT_EQ(detector.loss_time(), never);
}

// R-NACK-2
TEST_F(losses, what_the_peer_misses_is_lost_if_it_is_old_enough) {
  const auto declare = [&](std::uint32_t body) {
    detector.declare_lost(
        at_ns(0) + 5ms, [&](const sent_packet& p) { return p.body == body; },
        [&](sent_packet& p) { lost.push_back(p.body); });
  };
  send(0, at_ns(0));
  send(1, at_ns(0) + 1ms);
  declare(1);
  EXPECT_TRUE(lost.empty()) << "nothing was ever acknowledged";
  ack(0, 0, at_ns(0) + 2ms);
  send(2, at_ns(0) + 6ms);
  declare(2);
  EXPECT_TRUE(lost.empty()) << "too young";
  declare(1);
  declare(1);
  EXPECT_EQ(lost, std::vector<std::uint32_t>{1});
  EXPECT_EQ(detector.bytes_in_flight(), 100u);
  EXPECT_EQ(ack(1, 2, at_ns(0) + 7ms), (std::vector<std::uint32_t>{2, 1}));
  EXPECT_EQ(late_count, 1);
}

// R-LOSS-7
TEST_F(losses, thresholds_follow_the_reordering_seen_and_forget_it) {
  for (std::uint32_t i = 0; i < 20; ++i) send(i, at_ns(0));
  ack(8, 8, at_ns(0) + 4ms);
  EXPECT_EQ(lost.size(), 6u) << "0 to 5";
  ack(2, 2, at_ns(0) + 9ms);  // six numbers late
  lost.clear();
  ack(19, 19, at_ns(0) + 9ms);
  EXPECT_EQ(lost, (std::vector<std::uint32_t>{6, 7})) << "twelve numbers are tolerated now";
  EXPECT_EQ(detector.loss_delay(10ms), 10125us) << "9/8 of what it took";
  EXPECT_EQ(detector.loss_delay(4ms), 8ms) << "at most twice the usual";
  std::uint32_t next = 20;
  for (int round = 0; round < 33; ++round) {
    send(next, at_ns(0) + 20ms);
    ack(next, next, at_ns(0) + 21ms);
    ++next;
  }
  EXPECT_EQ(detector.loss_delay(10ms), 10ms);
}

// R-LOSS-4
TEST_F(losses, a_late_acknowledgement_still_counts_once) {
  for (std::uint32_t i = 0; i < 5; ++i) send(i, at_ns(0));
  ack(1, 4, at_ns(100));
  EXPECT_EQ(lost, std::vector<std::uint32_t>{0});
  EXPECT_EQ(ack(0, 4, at_ns(200)), std::vector<std::uint32_t>{0});
  EXPECT_EQ(late_count, 1);
  EXPECT_TRUE(ack(0, 4, at_ns(300)).empty());
  EXPECT_EQ(detector.bytes_in_flight(), 0u);
}

// R-LOSS-3
TEST_F(losses, probes_double_to_a_cap) {
  send(0, at_ns(0));
  EXPECT_EQ(detector.probe_time(10ms, 2s), at_ns(0) + 10ms);
  detector.on_probe_timeout();
  detector.on_probe_timeout();
  EXPECT_EQ(detector.probe_time(10ms, 2s), at_ns(0) + 40ms);
  for (int i = 0; i < 60; ++i) detector.on_probe_timeout();
  EXPECT_EQ(detector.probe_time(10ms, 2s), at_ns(0) + 2s);
  ack(0, 0, at_ns(5));
  EXPECT_EQ(detector.probe_time(10ms, 2s), never);
}

// R-ACK-6
TEST_F(losses, impossible_acknowledgements_are_refused) {
  for (std::uint32_t i = 0; i < 20; ++i) send(i, at_ns(0));
  const auto valid = [&](std::uint64_t largest, std::uint32_t below,
                         std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs = {}) {
    std::vector<std::byte> body(16 + 8 * pairs.size());
    wire::store(body.data(), largest);
    wire::store(body.data() + 8, below);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      wire::store(body.data() + 16 + 8 * i, pairs[i].first);
      wire::store(body.data() + 20 + 8 * i, pairs[i].second);
    }
    return detector.ack_valid(body);
  };
  EXPECT_TRUE(valid(19, 19));
  EXPECT_TRUE(valid(19, 0, {{1, 2}, {3, 4}}));
  EXPECT_FALSE(valid(20, 0)) << "never sent";
  EXPECT_FALSE(valid(~std::uint64_t{0}, 0xffffffff));
  EXPECT_FALSE(valid(5, 6)) << "below zero";
  EXPECT_FALSE(valid(19, 0, {{0, 1}})) << "adjacent runs";
  EXPECT_FALSE(valid(19, 0, {{1, 0}})) << "an empty run";
  EXPECT_FALSE(valid(19, 0, {{0xffffffff, 0xffffffff}}));
}

}  // namespace
}  // namespace mdp::engine
