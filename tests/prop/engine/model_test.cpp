// Random schedules of every call and every fault among three nodes, against the model of
// tests/support/model_world.hpp. MDP_SEEDS=n widens it.
#include "tests/support/model_world.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {
namespace {

// What each of so many schedules must have come to at least once, summed over all of them.
const std::vector<std::string> wanted = {
    // calls
    "submit", "submit idempotent", "submit refused", "cancel", "confirm", "reject", "connect",
    "connect refused", "disconnect", "blacklist", "unblacklist", "set_congestion", "state",
    "unresolved", "peers", "peer changes", "writable",
    // faults
    "blackout", "loss", "path MTU", "congestion marks", "late timers", "clock jump", "move",
    "restart",
    // what was reported
    "event message", "event received", "event delivered", "event rejected", "event cancelled",
    "event expired", "event timed_out_received", "event timed_out_delivered", "event unknown",
    "event peer_up", "event peer_down", "event peer_moved",
    // what the engines did
    "packets_retransmitted", "packets_spurious", "loss_events_undone", "packets_probe",
    "congestion_marks", "packets_split", "mtu_probes_sent", "mtu_black_holes", "messages_duplicate",
    "messages_given_up", "heartbeats_sent", "early_taken", "early_refused", "resets_sent",
    "peers_reset", "peers_moved", "nacks_sent", "rejected_checksum", "rejected_blacklisted"};
constexpr std::uint64_t often = 100;
constexpr std::uint64_t quick = 3000;

// R-CONF-1, R-CONF-2, R-DUP-1, R-SESS-6
TEST(model, every_promise_is_kept_on_random_schedules) {
  std::uint64_t schedules = 0;
  model_world::coverage all;
  over_seeds(quick, [&](std::uint64_t seed) {
    seeded_random choices(seed ^ 0x5eed);
    model_world world(choices, seed);
    for (int i = 0; i < 400; ++i) world.act();
    world.finish();
    EXPECT_EQ(world.violation(), "");
    ++schedules;
    for (const auto& [name, count] : world.covered()) all[name] += count;
  });
  if (HasFailure() || schedules < quick) return;
  for (const std::string& name : wanted) EXPECT_GE(all[name], often) << name;
}

}  // namespace
}  // namespace mdp::test
