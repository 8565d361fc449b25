// Small parts of the engine, each alone.
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
  rtt.update(40ms, 0ms);  // the path itself: from here on the peer's delay is told apart
  for (int i = 0; i < 100; ++i) rtt.update(65ms, 25ms);
  ASSERT_LT(rtt.smoothed(), 41ms);
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
