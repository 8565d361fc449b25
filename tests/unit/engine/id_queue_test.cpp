#include "engine/id_queue.hpp"

#include <gtest/gtest.h>

#include <map>

#include "mdp/base/random.hpp"

namespace mdp::engine {
namespace {

TEST(id_queue, agrees_with_a_sorted_map) {
  id_queue<int> queue;
  std::map<std::uint64_t, int> model;
  seeded_random random(3);
  std::uint64_t next = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t low = next - std::min<std::uint64_t>(next, 400);
    const std::uint64_t some = low + random.next() % 400;
    switch (random.next() % 4) {
      case 0:
      case 1:
        next += 1 + random.next() % 3;
        queue.insert(next, i);
        model[next] = i;
        break;
      case 2:
        queue.erase(some);
        model.erase(some);
        break;
      default: {
        const std::uint64_t end = some + random.next() % 50;
        std::map<std::uint64_t, int> seen;
        queue.visit(some, end, [&](std::uint64_t id, int& value) {
          seen[id] = value;
          return value % 2 == 0;
        });
        const std::map<std::uint64_t, int> expected(model.lower_bound(some),
                                                    model.lower_bound(end));
        ASSERT_EQ(seen, expected);
        for (const auto& [id, value] : expected)
          if (value % 2 != 0) model.erase(id);
      }
    }
    ASSERT_EQ(queue.size(), model.size());
    const int* found = queue.find(some);
    const auto known = model.find(some);
    ASSERT_EQ(found != nullptr, known != model.end());
    if (found) {
      ASSERT_EQ(*found, known->second);
    }
    ASSERT_LE(queue.places(0, next + 1), 2 * model.size() + 17) << "what is gone goes";
  }
}

}  // namespace
}  // namespace mdp::engine
