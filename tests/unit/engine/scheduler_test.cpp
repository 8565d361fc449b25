// Which message of several packets goes next, and the memory of time-outs.
#include <gtest/gtest.h>

#include "engine/fragment_scheduler.hpp"
#include "engine/message_timers.hpp"

namespace mdp::engine {
namespace {

using order = fragment_scheduler::order;

// R-SCHED-2
TEST(fragment_scheduler, shortest_remaining_first_and_the_oldest_on_request) {
  fragment_scheduler s;
  s.add({1, 100, 5});
  s.add({2, 200, 2});
  s.add({3, 300, 2});
  EXPECT_EQ(s.next(order::shortest).id, 2u) << "ties go to the older";
  EXPECT_EQ(s.next(order::oldest).id, 1u);
  for (std::uint32_t i = 0; i < 4; ++i) s.advance(order::oldest, 101 + i);
  EXPECT_EQ(s.next(order::shortest).id, 1u) << "one is left of it now";
  EXPECT_EQ(s.next(order::shortest).next_body, 104u);
  s.advance(order::shortest, 0xffffffff);
  EXPECT_EQ(s.next(order::oldest).id, 2u);
  s.remove(order::oldest);
  EXPECT_EQ(s.next(order::oldest).id, 3u);
  EXPECT_EQ(s.size(), 1u);
  s.remove(order::shortest);
  EXPECT_TRUE(s.empty());
  s.add({4, 400, 1});
  EXPECT_EQ(s.next(order::oldest).id, 4u) << "the slot of a message that is gone is a new one's";
}

TEST(message_timers, in_order_and_proportional_to_the_living) {
  message_timers timers;
  for (std::uint64_t id = 0; id < 1000; ++id)
    timers.add({at_ns(static_cast<std::int64_t>(1000 - id)), id, event_kind::expired});
  EXPECT_EQ(timers.next(), at_ns(1));
  EXPECT_TRUE(timers.wants_sweep(100));
  timers.sweep([](std::uint64_t id) { return id % 10 == 0; });
  EXPECT_FALSE(timers.wants_sweep(100));
  std::uint64_t last = 1000;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t id = timers.pop().id;
    EXPECT_LT(id, last);
    last = id;
  }
  EXPECT_EQ(timers.next(), never);
}

}  // namespace
}  // namespace mdp::engine
