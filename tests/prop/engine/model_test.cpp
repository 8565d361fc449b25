// Random schedules of every call and every fault among three nodes, against the model of
// tests/support/model_world.hpp. MDP_SEEDS=n widens it.
#include "tests/support/model_world.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {
namespace {

// R-CONF-1, R-CONF-2, R-DUP-1, R-SESS-6
TEST(model, every_promise_is_kept_on_random_schedules) {
  over_seeds(1000, [](std::uint64_t seed) {
    seeded_random choices(seed ^ 0x5eed);
    model_world world(choices, seed);
    for (int i = 0; i < 400; ++i) world.act();
    world.finish();
    EXPECT_EQ(world.violation(), "");
  });
}

}  // namespace
}  // namespace mdp::test
