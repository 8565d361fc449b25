// Whole conversations under random choices of all faults at once, behind NATs (Groce et al., "Swarm
// Testing", ISSTA 2012): whatever happens, each message has one end and is taken at most once.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/fault_trial.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {
namespace {

using messaging::event_kind;
using namespace std::chrono_literals;

constexpr std::uint64_t seeds = 200;

// Each seed keeps half of the kinds of faults. A server whose NAT gives it another port is out of
// reach for good: what it may have stays unresolved, for a time-out tells only what is certain.
fault_setting swarm_of(std::uint64_t seed) {
  fault_setting s;
  s.network = fmt::format(
      R"({{"seed": {}, "swarm": true,
           "links": {{"default": {{
             "rate_mbps": 5, "delay_us": 10000, "jitter_us": 3000, "reorder": true,
             "queue_packets": 20, "loss_pct": 5, "duplicate_pct": 5, "corrupt_pct": 5,
             "hold_pct": 5, "hold_us": 100000, "nat_timeout_us": {},
             "loss": {{"model": "gilbert_elliott", "to_bad_pct": 2, "to_good_pct": 20}},
             "changes": [{{"at_us": 1.2e6, "carrier": false}}, {{"at_us": 1.7e6, "carrier": true}},
                         {{"at_us": 2.1e6, "delay_us": 150000}},
                         {{"at_us": 2.4e6, "mtu_bytes": 1200}}]}}}},
           "faults": [
             {{"kind": "partition", "at_us": 8e5, "for_us": 9e5, "nodes": ["server"]}},
             {{"kind": "pause", "at_us": 1.9e6, "for_us": 6e5, "nodes": ["client"]}},
             {{"kind": "pause", "at_us": 2.6e6, "for_us": 6e5, "nodes": ["server"]}},
             {{"kind": "rebind", "at_us": 2.2e6, "nodes": ["client"]}},
             {{"kind": "rebind", "at_us": 3e6, "nodes": ["server"]}},
             {{"kind": "clock_step", "at_us": 1.5e6, "nodes": ["client"], "step_us": 300000}},
             {{"kind": "clock_skew", "at_us": 5e5, "nodes": ["server"], "skew_ppm": -50000}},
             {{"kind": "restart", "at_us": 2.5e6, "for_us": 5e5, "nodes": ["server"]}}]}})",
      seed, seed % 3 == 0 ? 200'000 : 5'000'000);
  s.message_bytes = 4000;
  s.timeout = 3s;
  s.steps = 4000;
  s.seed = seed;
  return s;
}

// R-TIME-1, R-TIME-2, R-SESS-6, R-CONF-2: one end for each message, and no second delivery.
TEST(swarm, every_message_has_one_end) {
  std::map<event_kind, int> ends;
  over_seeds(seeds, [&](std::uint64_t seed) {
    const fault_setting s = swarm_of(seed);
    const fault_ending seen = fault_conversation(s).run();
    EXPECT_EQ(seen.ambiguous(), 0);
    EXPECT_EQ(seen.invented(), 0);
    EXPECT_EQ(seen.damaged, 0);
    const std::size_t ended = seen.of_message.size() + static_cast<std::size_t>(seen.refused);
    EXPECT_EQ(ended + seen.unresolved, static_cast<std::size_t>(s.messages));
    if (seen.unresolved > 0) {
      EXPECT_GT(seen.client_downs, 0) << "who answers, settles";
    }
    for (const auto& [serial, kinds] : seen.of_message) ++ends[kinds.begin()->first];
  });
  if (std::getenv("MDP_SEED") != nullptr) return;
  EXPECT_GT(ends[event_kind::delivered], 0);
  EXPECT_GT(ends[event_kind::timed_out_received] + ends[event_kind::timed_out_delivered], 0);
  EXPECT_GT(ends[event_kind::unknown], 0);
}

}  // namespace
}  // namespace mdp::test
