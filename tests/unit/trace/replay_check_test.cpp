// A comparison with a log finds the first event that differs, and no other.
#include "trace/replay_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/trace/story.hpp"

namespace mdp::trace::test {
namespace {

class replaying : public testing::Test {
 protected:
  void record(detail what) {
    log_recorder recorder(file_.path, {what, "{}"});
    tell(recorder, story());
    recorder.close();
  }
  std::optional<difference> check(const std::vector<packet_event>& now) {
    replay_check checker(file_.path);
    tell(checker, now);
    checker.close();
    return checker.first_difference();
  }
  const scratch_file file_{"replay_check"};
};

TEST_F(replaying, TheSameRunHasNoDifference) {
  for (const detail what : {detail::events, detail::checkpoints}) {
    record(what);
    EXPECT_FALSE(check(story()));
  }
}

// Every event is changed once, in each of its members.
TEST_F(replaying, TheFirstChangedEventIsNamed) {
  record(detail::events);
  using change = void (*)(packet_event&);
  const change changes[] = {
      [](packet_event& e) { ++e.time_ns, ++e.arrive_ns; },
      [](packet_event& e) { e.fate = packet_fate::lost, e.arrive_ns = e.time_ns; },
      [](packet_event& e) { ++e.number; },
      [](packet_event& e) { ++e.bytes; },
      [](packet_event& e) { ++e.arrive_ns; },
      [](packet_event& e) { ++e.queued; },
      [](packet_event& e) { ++e.to; },
      [](packet_event& e) { e.place = e.place == 0 ? 3 : 0; },
  };
  std::size_t found = 0;
  for (std::size_t i = 0; i < story().size(); ++i) {
    for (const change& apply : changes) {
      std::vector<packet_event> now = story();
      apply(now[i]);
      const auto difference = check(now);
      if (!difference) continue;  // that fate does not have this member
      ++found;
      const transport::packet_event& e = now[i];
      EXPECT_THAT(difference->recorded + difference->now, testing::HasSubstr(to_string(e.fate)));
      std::size_t same = 0;  // records ahead of the change
      replay_check ahead(file_.path);
      tell(ahead, {now.begin(), now.begin() + static_cast<std::ptrdiff_t>(i)});
      same = ahead.same();
      EXPECT_GT(difference->number, same);
      EXPECT_LE(difference->number, same + 3) << "checkpoints may come between";
    }
  }
  EXPECT_GE(found, story().size() * 3);
}

TEST_F(replaying, WhatWasTheSameStandsBeforeIt) {
  record(detail::events);
  std::vector<packet_event> now = story();
  now[2].fate = packet_fate::queue_full;
  const auto difference = check(now);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->number, 3u);
  EXPECT_EQ(difference->recorded, "0.000000005 s a/up #1: lost, 1200 bytes");
  EXPECT_EQ(difference->now, "0.000000005 s a/up #1: queue_full, 1200 bytes");
  EXPECT_THAT(
      difference->before,
      testing::ElementsAre("0.000000000 s a: wake_up",
                           "0.000000000 s a/up #0: sent, 1200 bytes, out at 0.025000000 s"));
}

TEST_F(replaying, ARunThatEndsEarlierOrLaterDiffersAtItsEnd) {
  record(detail::events);
  std::vector<packet_event> now = story();
  now.pop_back();
  auto difference = check(now);
  ASSERT_TRUE(difference);
  EXPECT_THAT(difference->recorded, testing::HasSubstr("sent, 1 bytes"));
  EXPECT_THAT(difference->now, testing::HasSubstr("the end, after 12 events"));
  now = story();
  now.push_back(now.back());
  difference = check(now);
  ASSERT_TRUE(difference);
  EXPECT_THAT(difference->now, testing::HasSubstr("sent, 1 bytes"));
}

TEST_F(replaying, CheckpointsTellTheMillisecondAndThePlace) {
  record(detail::checkpoints);
  std::vector<packet_event> now = story();
  now[8].chain ^= 1;
  const auto difference = check(now);
  ASSERT_TRUE(difference);
  EXPECT_THAT(difference->now, testing::StartsWith("0.010000000 s b/up: fingerprint "));
}

TEST_F(replaying, ADamagedLogIsAnErrorAndNoDifference) {
  record(detail::events);
  const std::string text = file_.text();
  file_.write(text.substr(0, text.size() - 9));
  replay_check checker(file_.path);
  tell(checker, story());
  EXPECT_THROW(checker.close(), std::runtime_error);
  EXPECT_FALSE(checker.first_difference());
}

}  // namespace
}  // namespace mdp::trace::test
