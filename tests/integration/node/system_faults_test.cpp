// Nodes over a system that fails: whatever it refuses or cuts short, each message is delivered
// once, and each fault stands in the node's statistics.
#include <gtest/gtest.h>

#include <set>

#include "mdp/runtime/stats.hpp"
#include "tests/integration/node/node_api.hpp"
#include "tests/support/faulty_fabric.hpp"

namespace mdp::test {
namespace {

constexpr unsigned messages = 300;

struct trial_end {
  std::set<std::string> arrived;
  std::size_t arrivals = 0;
  std::size_t confirmed = 0;
  std::size_t troubled = 0;  // events that are neither of these nor `peer_up`
  transport::counters counted;
};

class system_fault_suite : public testing::TestWithParam<node_variant> {
 protected:
  // `messages` of many sizes go from one node to another.
  trial_end exchange(fault_schedule schedule) {
    node_world world(GetParam(), [&](std::shared_ptr<transport::fabric> inner) {
      auto made = std::make_shared<faulty_fabric>(std::move(inner), schedule);
      faults_ = made;
      return made;
    });
    node& sender = world.add();
    node& receiver = world.add();
    const auto peer = sender.connect(receiver.local_address());
    EXPECT_TRUE(peer);
    unsigned submitted = 0;
    const bool done = world.run_until(
        [&] {
          for (bool room = true; room && submitted < messages; submitted += room) {
            const std::string text =
                std::to_string(submitted) + " " + std::string(submitted * 37 % 5000, 'x');
            room = sender.submit(*peer, bytes(text), {.want = messaging::confirm::delivered})
                       .has_value();
          }
          return world.count(sender, event_kind::delivered) >= messages;
        },
        std::chrono::seconds(60));
    EXPECT_TRUE(done) << world.count(sender, event_kind::delivered) << " delivered";
    trial_end end;
    for (const event& e : world.events_of(sender))
      end.troubled += e.kind != event_kind::delivered && e.kind != event_kind::peer_up;
    end.confirmed = world.count(sender, event_kind::delivered);
    for (const event& e : world.events_of(receiver)) {
      if (e.kind != event_kind::message) continue;
      ++end.arrivals;
      end.arrived.insert(text(e).substr(0, text(e).find(' ')));
    }
    for (const node* n : {&sender, &receiver}) {
      const transport::counters some = n->transport_counts();
      for (const auto& [name, member] : transport::counter_names)
        end.counted.*member += some.*member;
    }
    return end;
  }
  void SetUp() override {
    try {
      const node_world usable(GetParam());
    } catch (const plugin::plugin_error& e) {
      GTEST_SKIP() << "SKIPPED: " << e.what();
    }
  }
  static void expect_each_once(const trial_end& end) {
    EXPECT_EQ(end.arrived.size(), messages);
    EXPECT_EQ(end.arrivals, messages);
    EXPECT_EQ(end.confirmed, messages);
    EXPECT_EQ(end.troubled, 0u);
  }
  [[nodiscard]] const fault_tally& tally() const { return faults_->tally(); }

  std::shared_ptr<faulty_fabric> faults_;
};

// Each kind alone, at 5 % of what is sent or comes.
TEST_P(system_fault_suite, each_kind_alone) {
  for (std::size_t k = 1; k < system_faults; ++k) {
    SCOPED_TRACE(k);
    const auto kind = static_cast<system_fault>(k);
    const trial_end end = exchange({.seed = k, .faults = {{kind, 50}}});
    expect_each_once(end);
    EXPECT_GT(tally().of(kind), 0u);
  }
}

// All of them, with many seeds.
TEST_P(system_fault_suite, all_kinds_together) {
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    SCOPED_TRACE(seed);
    fault_schedule schedule{seed, {}};
    for (std::size_t k = 1; k < system_faults; ++k)
      schedule.faults.push_back({static_cast<system_fault>(k), 20});
    expect_each_once(exchange(schedule));
  }
}

// The network is down for a while, in the midst of it.
TEST_P(system_fault_suite, an_outage_that_ends) {
  const trial_end end = exchange(
      {.faults = {
           {.kind = system_fault::network_down, .per_mille = 1000, .from = 20, .until = 30}}});
  expect_each_once(end);
  EXPECT_GE(tally().of(system_fault::network_down), 10u);
}

// What threads of a node's own count comes later.
class system_fault_counts : public system_fault_suite {};

// Dropped datagrams, path errors and truncations are in the statistics to the last one; the system
// below may add its own blocked batches and path errors.
TEST_P(system_fault_counts, each_fault_is_counted) {
  if (!GetParam().is_inline()) GTEST_SKIP() << "SKIPPED: the counts of other threads come later";
  fault_schedule schedule{7, {}};
  for (std::size_t k = 1; k < system_faults; ++k)
    schedule.faults.push_back({static_cast<system_fault>(k), 30});
  const trial_end end = exchange(schedule);
  expect_each_once(end);
  EXPECT_EQ(end.counted.tx_rejected, tally().datagrams_dropped);
  EXPECT_EQ(end.counted.rx_truncated, tally().of(system_fault::truncated));
  EXPECT_GE(end.counted.path_errors,
            tally().of(system_fault::connection_refused) + tally().of(system_fault::network_down));
  EXPECT_GE(end.counted.tx_blocked, tally().of(system_fault::partial_batch) +
                                        tally().of(system_fault::would_block) +
                                        tally().of(system_fault::no_buffers));
}

const auto inline_over =
    testing::Values(node_variant{"netsim", "inline"}, node_variant{"socket", "inline"},
                    node_variant{"io_uring", "inline"});

INSTANTIATE_TEST_SUITE_P(over, system_fault_suite, inline_over,
                         [](const auto& instance) { return name_of(instance.param); });
INSTANTIATE_TEST_SUITE_P(threads_over, system_fault_suite,
                         testing::Values(node_variant{"socket", "pair"},
                                         node_variant{"socket", "pipeline"}),
                         [](const auto& instance) { return name_of(instance.param); });
INSTANTIATE_TEST_SUITE_P(over, system_fault_counts, inline_over,
                         [](const auto& instance) { return name_of(instance.param); });

}  // namespace
}  // namespace mdp::test
