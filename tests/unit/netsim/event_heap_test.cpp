// The event queue against a sorted map.
#include "mdp/netsim/event_heap.hpp"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "mdp/base/random.hpp"

namespace mdp::netsim {
namespace {

// Random sets, moves and erasures; the tops must agree after every step. `span` makes ties common.
void agrees_with_a_map(std::uint64_t seed, std::uint32_t slots, std::int64_t span) {
  SCOPED_TRACE(testing::Message() << "seed " << seed << " slots " << slots);
  seeded_random random(seed);
  event_heap heap;
  heap.resize(slots);
  std::map<std::pair<std::int64_t, std::uint32_t>, std::uint32_t> sorted;
  std::map<std::uint32_t, std::int64_t> time_of;
  const auto forget = [&](std::uint32_t slot) {
    if (const auto it = time_of.find(slot); it != time_of.end()) {
      sorted.erase({it->second, slot ^ 5u});
      time_of.erase(it);
    }
  };
  for (int step = 0; step < 20'000; ++step) {
    const auto slot = static_cast<std::uint32_t>(random.next() % slots);
    const auto time = static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(span));
    switch (random.next() % 4) {
      case 0:
        heap.erase(slot);
        forget(slot);
        break;
      case 1:
        if (heap.empty()) break;
        forget(heap.top().slot);
        heap.erase(heap.top().slot);
        break;
      default:
        heap.set({time, slot ^ 5u, slot});
        forget(slot);
        sorted.emplace(std::pair(time, slot ^ 5u), slot);
        time_of[slot] = time;
    }
    ASSERT_EQ(heap.size(), sorted.size());
    ASSERT_EQ(heap.contains(slot), time_of.contains(slot));
    if (sorted.empty()) continue;
    ASSERT_EQ(heap.top().time, sorted.begin()->first.first);
    ASSERT_EQ(heap.top().slot, sorted.begin()->second);
    ASSERT_EQ(heap.time_of(heap.top().slot), heap.top().time);
  }
}

TEST(EventHeap, AgreesWithAMap) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    agrees_with_a_map(seed, 8u << (seed % 4), seed % 2 == 0 ? 10 : 1'000'000);
    agrees_with_a_map(seed, 500, 200);
  }
}

TEST(EventHeap, TiesGoToTheLowerOrder) {
  event_heap heap;
  heap.resize(3);
  heap.set({7, 2, 0});
  heap.set({7, 1, 1});
  heap.set({7, 3, 2});
  EXPECT_EQ(heap.top().slot, 1u);
  heap.erase(1);
  EXPECT_EQ(heap.top().slot, 0u);
}

}  // namespace
}  // namespace mdp::netsim
