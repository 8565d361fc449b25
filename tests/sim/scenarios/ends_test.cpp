// Scenarios 6, 12, 13, 30 and 33: how messages end when their end is contested, and who waits.
#include <map>

#include "tests/support/conversation.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
using engine::event_kind;

// The final events of a conversation, by serial.
std::map<std::uint64_t, std::vector<event_kind>> ends_of(const engine_node& node) {
  std::map<std::uint64_t, std::vector<event_kind>> ends;
  for (const std::uint64_t s : node.app.delivered) ends[s].push_back(event_kind::delivered);
  for (const std::uint64_t s : node.app.unknown) ends[s].push_back(event_kind::unknown);
  for (const auto& [kind, s] : node.app.others) ends[s].push_back(kind);
  return ends;
}

// R-CC-5
TEST(scenarios, scenario_06_losses_over_several_acknowledgements_cut_once_a_round_trip) {
  over_seeds(200, [](std::uint64_t seed) {
    engine::config settings;
    settings.congestion_control = engine::congestion_kind::cubic;
    settings.initial_window_packets = 100;
    conversation c({.delay = 20ms, .seed = seed}, settings);
    // A tenth of one flight is lost, spread over all of it.
    const std::uint64_t first = c.draw(0, 9);
    std::uint64_t data = 0;
    c.net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (&from != &c.a || packet.size() < 1000) return true;
      return data >= 80 || data++ % 10 != first;
    };
    const std::uint64_t before = c.a.engine->find(c.peer)->flowing()->regulator.window_bytes();
    for (int i = 0; i < 80; ++i) ASSERT_TRUE(c.send(1400));
    ASSERT_TRUE(c.wait_all());
    EXPECT_GE(c.a.engine->counts().packets_lost, 8u);
    EXPECT_GE(c.a.engine->find(c.peer)->flowing()->regulator.window_bytes(), before * 6 / 10)
        << "one cut to 0.7, not one for each loss";
    c.expect_each_once();
  });
}

// R-ABN-1, R-ABN-2: cancel races completion, the acknowledgement and a lost OUTCOME.
TEST(scenarios, scenario_12_cancel_races_everything) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c({.delay = 3ms, .jitter = 3ms, .loss = 0.2, .duplicate = 0.05, .seed = seed});
    std::vector<std::uint64_t> cancelled;
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(c.send(c.draw(0, 3) == 0 ? c.draw(2000, 9000) : c.draw(8, 300)));
      if (c.draw(0, 1) == 0) c.net.run_for(duration(static_cast<std::int64_t>(c.draw(0, 8000000))));
      if (c.draw(0, 2) == 0) {
        const std::uint64_t id = c.draw(0, c.sent.size() - 1);
        if (c.a.engine->cancel(c.net.now(), c.peer, message_id{id})) cancelled.push_back(id);
      }
    }
    ASSERT_TRUE(c.net.run_until([&] { return c.a.engine->idle(); }, 2min));
    std::set<std::uint64_t> arrived;
    for (const auto& [id, text] : c.b.app.messages) {
      EXPECT_TRUE(arrived.insert(id).second) << "delivered twice: " << id;
      EXPECT_TRUE(text == c.sent.at(id));
    }
    const auto ends = ends_of(c.a);
    EXPECT_EQ(ends.size(), c.sent.size()) << "each has an end";
    for (const auto& [serial, kinds] : ends) {
      ASSERT_EQ(kinds.size(), 1u) << "and only one: " << serial;
      EXPECT_EQ(kinds[0] == event_kind::delivered, arrived.contains(serial))
          << "what is told is what happened: " << serial;
    }
    c.net.options().loss = 0;
    c.expect_no_leak();
  });
}

// R-ABN-2, R-DUP-2
TEST(scenarios, scenario_13_abandoned_ids_at_the_floor_let_the_window_advance) {
  over_seeds(200, [](std::uint64_t seed) {
    engine::config settings;
    settings.receive_window_messages = 64;
    settings.max_enqueued_messages = 64;
    conversation c({.delay = 2ms, .loss = 0.05, .seed = seed}, settings);
    std::uint64_t cancelled = 0;
    bool dark = false;
    c.net.filter = [&](const engine_node& from, std::span<const std::byte>) {
      return !dark || &from != &c.a;
    };
    for (int round = 0; round < 40; ++round) {
      dark = true;  // the lowest id of each round never arrives; sixty others do
      const std::uint64_t id = c.sent.size();
      ASSERT_TRUE(c.send(c.draw(8, 3000)));
      c.net.run_for(1ms);
      ASSERT_TRUE(c.a.engine->cancel(c.net.now(), c.peer, message_id{id}));
      dark = false;
      ++cancelled;
      for (int i = 0; i < 60; ++i) ASSERT_TRUE(c.send(8)) << round;
      ASSERT_TRUE(c.net.run_until([&] { return c.a.engine->idle(); }, 1min)) << round;
    }
    EXPECT_EQ(c.b.app.messages.size(), c.sent.size() - cancelled);
    c.net.options().loss = 0;
    c.expect_no_leak();
  });
}

// R-SCHED-2
TEST(scenarios, scenario_30_mice_beside_an_elephant) {
  over_seeds(200, [](std::uint64_t seed) {
    engine::config settings;
    settings.congestion_window_bytes = 60000;
    conversation c({.delay = 2ms, .seed = seed}, settings);
    ASSERT_TRUE(c.send(1'500'000));  // the elephant: 25 windows, 100 ms at least
    std::vector<duration> waits;
    for (int i = 0; i < 100 && !c.all_delivered(); ++i) {
      const time_point start = c.net.now();
      const std::size_t before = c.a.app.delivered.size();
      ASSERT_TRUE(c.send(c.draw(8, 500)));
      ASSERT_TRUE(c.net.run_until([&] { return c.a.app.delivered.size() > before; }));
      waits.push_back(c.net.now() - start);
      if (c.a.app.delivered.back() == 0) break;  // the elephant is through
    }
    std::sort(waits.begin(), waits.end());
    ASSERT_GE(waits.size(), 5u);
    EXPECT_LE(waits[waits.size() * 99 / 100], 16ms) << "two round trips, four at the worst";
    ASSERT_TRUE(c.wait_all(2s)) << "the elephant is not starved";
    c.expect_each_once();
  });
}

// R-TIME-1
TEST(scenarios, scenario_33_deadlines_between_fragments_and_a_backlog_of_them) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c({.delay = 2ms, .jitter = 1ms, .loss = 0.1, .seed = seed});
    engine::send_options timed{both, 0};
    std::size_t submitted = 0;
    for (int i = 0; i < 30; ++i) {
      timed.lifetime = duration(static_cast<std::int64_t>(c.draw(1'000'000, 30'000'000)));
      timed.context = submitted;
      const std::string text = payload_of(submitted, c.draw(8, 60'000));
      c.sent.push_back(text);
      if (!c.a.engine->submit(c.net.now(), c.peer, bytes_of(text), timed)) break;
      ++submitted;
    }
    // All of it has expired, or is through; what is submitted now does not wait behind it.
    c.net.run_for(40ms);
    const std::uint64_t packets = c.a.engine->counts().packets_sent;
    const time_point start = c.net.now();
    ASSERT_TRUE(c.a.engine->submit(c.net.now(), c.peer, bytes_of("after"), {both, 9999}));
    ASSERT_TRUE(c.net.run_until(
        [&] { return std::count(c.a.app.delivered.begin(), c.a.app.delivered.end(), 9999u) == 1; },
        5s));
    EXPECT_LE(c.a.engine->counts().packets_sent - packets,
              40 + static_cast<std::uint64_t>((c.net.now() - start) / 1ms) / 4)
        << "the expired backlog costs no packets of its own";
    ASSERT_TRUE(c.net.run_until([&] { return c.a.engine->idle(); }, 1min));
    const auto ends = ends_of(c.a);
    EXPECT_EQ(ends.size(), submitted + 1);
    for (const auto& [serial, kinds] : ends)
      ASSERT_TRUE(kinds.size() == 1 &&
                  (kinds[0] == event_kind::delivered || kinds[0] == event_kind::expired));
    c.net.options().loss = 0;
    c.expect_no_leak();
  });
}

}  // namespace
}  // namespace mdp::test
