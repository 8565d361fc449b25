// The parts of the engine, each alone.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "engine/ack_tracker.hpp"
#include "engine/flow_control.hpp"
#include "engine/id_map.hpp"
#include "engine/loss_detector.hpp"
#include "engine/message_window.hpp"
#include "engine/outcome_tracker.hpp"
#include "engine/reassembler.hpp"
#include "engine/rtt_estimator.hpp"
#include "engine/timer_table.hpp"
#include "mdp/base/random.hpp"

namespace mdp::engine {
namespace {

using namespace std::chrono_literals;

TEST(rtt_estimator, follows_rfc_9002) {
  rtt_estimator rtt(100ms);
  EXPECT_FALSE(rtt.has_sample());
  rtt.update(40ms, 0ms);
  EXPECT_EQ(rtt.smoothed(), 40ms);
  EXPECT_EQ(rtt.variation(), 20ms);
  rtt.update(60ms, 10ms);  // 50 ms after the peer's delay
  EXPECT_EQ(rtt.smoothed(), 41250us);
  EXPECT_EQ(rtt.variation(), 17500us);
  EXPECT_EQ(rtt.minimum(), 40ms);
  EXPECT_EQ(rtt.loss_delay(1ms), 67500us) << "9/8 of the latest";
  EXPECT_EQ(rtt.probe_timeout(1ms, 25ms), 41250us + 70000us + 25ms);
}

// R-LOSS-3: a peer that waits longer than is expected of it is not probed for that.
TEST(rtt_estimator, waits_as_long_for_an_acknowledgement_as_the_peer_says_it_does) {
  rtt_estimator rtt(100ms);
  for (int i = 0; i < 100; ++i) rtt.update(65ms, 25ms);
  EXPECT_GE(rtt.probe_timeout(1ms, rtt.smoothed() / 4), 65ms + 1ms);
  for (int i = 0; i < 100; ++i) rtt.update(40ms, 0ms);
  EXPECT_LT(rtt.probe_timeout(1ms, rtt.smoothed() / 4), 60ms) << "it does so no more";
}

TEST(timer_table, agrees_with_a_sorted_map) {
  timer_table timers;
  timers.resize(50);
  std::map<std::uint32_t, std::int64_t> model;
  seeded_random random(5);
  for (int i = 0; i < 20000; ++i) {
    const auto slot = static_cast<std::uint32_t>(random.next() % 50);
    if (random.next() % 4 == 0) {
      timers.set(slot, never);
      model.erase(slot);
    } else {
      const auto at = static_cast<std::int64_t>(random.next() % 1000);
      timers.set(slot, at_ns(at));
      model[slot] = at;
    }
    std::pair<std::int64_t, std::uint32_t> least{INT64_MAX, 0};
    for (const auto& [s, at] : model) least = std::min(least, {at, s});
    if (model.empty()) {
      ASSERT_EQ(timers.next(), never);
    } else {
      ASSERT_EQ(ns_of(timers.next()), least.first);
      ASSERT_EQ(timers.next_slot(), least.second) << "ties go to the lower slot";
    }
  }
}

TEST(id_map, agrees_with_a_map) {
  id_map<int> ours;
  std::map<std::uint64_t, int> model;
  seeded_random random(6);
  for (int i = 0; i < 50000; ++i) {
    const std::uint64_t id = random.next() % 300;
    if (random.next() % 2 == 0) {
      ours.erase(id);
      model.erase(id);
    } else if (!model.contains(id)) {
      ours.insert(id, i);
      model[id] = i;
    }
    ASSERT_EQ(ours.size(), model.size());
    const std::uint64_t probe = random.next() % 300;
    const int* found = ours.find(probe);
    ASSERT_EQ(found != nullptr, model.contains(probe));
    if (!found) continue;
    ASSERT_EQ(*found, model[probe]);
  }
}

// R-DUP-1, R-DUP-2
TEST(message_window, closes_in_any_order) {
  message_window window;
  seeded_random random(7);
  std::set<std::uint64_t> open;
  for (std::uint64_t id = 0; id < 3000; ++id) open.insert(id);
  while (!open.empty()) {
    auto it = open.begin();
    std::advance(
        it, static_cast<std::ptrdiff_t>(random.next() % std::min<std::size_t>(open.size(), 40)));
    ASSERT_FALSE(window.closed(*it));
    window.close(*it);
    ASSERT_TRUE(window.closed(*it));
    open.erase(it);
    ASSERT_EQ(window.floor(), open.empty() ? 3000u : *open.begin());
  }
  EXPECT_TRUE(window.beyond(3000 + message_window::width));
  EXPECT_FALSE(window.beyond(2999 + message_window::width));
}

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

// R-FRAG-2
TEST(reassembler, any_order_any_overlap_writes_each_byte_once) {
  message_buffers buffers(64 << 20, buffer::sharing::one_thread);
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    seeded_random random(seed);
    reassembler parts;
    const auto total = static_cast<std::uint32_t>(1 + random.next() % 9000);
    std::vector<std::byte> message(total);
    for (auto& b : message) b = static_cast<std::byte>(random.next());
    ASSERT_EQ(parts.reserve(buffers, 5, total), reassembler::verdict::reserved);
    ASSERT_EQ(parts.reserve(buffers, 5, total), reassembler::verdict::known);
    ASSERT_EQ(parts.reserve(buffers, 5, total + 1), reassembler::verdict::conflict);
    buffer::slice whole;
    int steps = 0;
    while (!whole) {
      ASSERT_LT(++steps, 100000);
      const auto offset = static_cast<std::uint32_t>(random.next() % total / 64 * 64);
      auto size = static_cast<std::uint32_t>((1 + random.next() % 20) * 64);
      size = std::min(size, total - offset);
      whole = parts.add(5, offset, std::span(message).subspan(offset, size));
    }
    ASSERT_EQ(whole.size(), total);
    ASSERT_EQ(std::memcmp(whole.data(), message.data(), total), 0);
    ASSERT_EQ(parts.size(), 0u);
  }
}

// R-FRAG-3
TEST(reassembler, memory_is_bounded) {
  message_buffers buffers(1 << 20, buffer::sharing::one_thread);
  reassembler parts;
  std::uint64_t id = 0;
  while (parts.reserve(buffers, id, 100000) == reassembler::verdict::reserved) ++id;
  EXPECT_GE(id, 4u);
  EXPECT_LE(id, 10u);
  EXPECT_LE(buffers.bytes_used(), 1u << 20);
  EXPECT_EQ(parts.reserve(buffers, 999, 0xffffff00), reassembler::verdict::no_memory);
}

// R-FLOW-1, R-FLOW-2
TEST(receive_credit, admits_whole_messages_and_rises_by_quarters) {
  receive_credit credit(1000, 10);
  EXPECT_TRUE(credit.admits({1000, 10}));
  EXPECT_FALSE(credit.admits({1, 11})) << "one message too many";
  EXPECT_FALSE(credit.admits({1001, 1})) << "one byte too many";
  credit.on_accepted(1000);
  EXPECT_FALSE(credit.admits({1, 1}));
  credit.on_released(100);
  EXPECT_FALSE(credit.worth_telling()) << "less than a quarter is not worth a frame";
  EXPECT_TRUE(credit.worth_telling(true)) << "unless somebody asks";
  credit.raise();
  EXPECT_EQ(credit.limit().bytes, 1100u);
  EXPECT_EQ(credit.limit().messages, 11u);
  credit.on_released(900);
  EXPECT_TRUE(credit.worth_telling());
  credit.raise();
  EXPECT_EQ(credit.limit().bytes, 2000u);
  EXPECT_EQ(credit.limit().messages, 12u);
}

// R-OUT-5: ids are told whole, however far apart.
TEST(outcome_tracker, tells_ids_on_both_sides_of_every_power_of_two) {
  const std::uint64_t ids[] = {5,          (1ull << 31) - 1, 1ull << 31, (1ull << 32) - 1,
                               1ull << 32, (1ull << 32) + 5, 1ull << 47};
  outcome_tracker outcomes;
  for (const std::uint64_t id : ids) outcomes.add(id, wire::outcome_kind::delivered);
  std::vector<std::uint64_t> told;
  while (outcomes.pending()) {
    std::array<std::byte, 64> out{};
    std::uint32_t record = outcome_tracker::none;
    const std::size_t bytes = outcomes.write(out, record);
    ASSERT_GT(bytes, 0u);
    wire::frame_reader reader({out.data(), bytes});
    wire::frame_view frame;
    ASSERT_TRUE(reader.next(frame));
    for (std::size_t at = 0; at < frame.body.size(); at += 8) {
      const std::uint64_t first =
          std::uint64_t{frame.id} << 32 | wire::load<std::uint32_t>(frame.body.data() + at);
      for (std::uint32_t n = 0; n < wire::load<std::uint32_t>(frame.body.data() + at + 4); ++n)
        told.push_back(first + n);
    }
    outcomes.on_acked(record, [](std::uint64_t) {});
  }
  EXPECT_TRUE(std::equal(told.begin(), told.end(), std::begin(ids), std::end(ids)));
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

// R-OUT-1, R-OUT-2
TEST(outcome_tracker, joins_runs_and_repeats_what_is_lost) {
  outcome_tracker outcomes;
  for (std::uint64_t id = 0; id < 100; ++id) outcomes.add(id, wire::outcome_kind::delivered);
  outcomes.add(200, wire::outcome_kind::delivered);
  std::byte out[400];
  std::uint32_t record = outcome_tracker::none;
  EXPECT_EQ(outcomes.write(out, record), wire::frame_bytes(16));
  EXPECT_FALSE(outcomes.pending());
  EXPECT_FALSE(outcomes.idle());
  outcomes.on_lost(record);
  EXPECT_TRUE(outcomes.pending());
  EXPECT_EQ(outcomes.write(out, record), wire::frame_bytes(16));
  EXPECT_EQ(wire::load<std::uint32_t>(out + 8), 0u);
  EXPECT_EQ(wire::load<std::uint32_t>(out + 12), 100u);
  outcomes.on_acked(record, [](std::uint64_t) { FAIL() << "none was cancelled"; });
  EXPECT_TRUE(outcomes.idle());
  outcomes.add(7, wire::outcome_kind::cancelled);
  outcomes.add(8, wire::outcome_kind::cancelled);
  static_cast<void>(outcomes.write(out, record));
  std::vector<std::uint64_t> closed;
  outcomes.on_acked(record, [&](std::uint64_t id) { closed.push_back(id); });
  EXPECT_EQ(closed, (std::vector<std::uint64_t>{7, 8}));
}

}  // namespace
}  // namespace mdp::engine
