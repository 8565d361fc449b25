// Scenarios of clocks, trains and nonces (docs/testing.md lists all of them by number).
#include "tests/support/conversation.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;

// R-MSG-2, R-LOSS-1: a train of equal packets is many packets, also when it is lost in part.
TEST(scenarios, scenario_27_segments_of_a_train_are_lost) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c({.delay = 2ms, .seed = seed});
    c.net.run_for(100ms);
    const bool rest = seed % 2 == 0;  // an error ends the run: everything behind is lost, too
    const std::uint64_t first = c.draw(0, 30);
    const std::uint64_t last = rest ? first / 16 * 16 + 15 : first + c.draw(0, 3);
    std::uint64_t data = 0;
    c.net.filter = [&](const engine_node& from, std::span<const std::byte>) {
      if (&from != &c.a) return true;
      const std::uint64_t n = data++;
      return n < first || n > last;
    };
    ASSERT_TRUE(c.send(50'000));
    for (std::uint64_t n = c.draw(0, 10); n > 0; --n) ASSERT_TRUE(c.send(c.draw(0, 3000)));
    ASSERT_TRUE(c.wait_all(5s));
    c.expect_each_once();
    EXPECT_GE(c.a.engine->counts().packets_retransmitted, 1u);
    EXPECT_LE(c.a.engine->counts().packets_retransmitted, last - first + 3) << "only what was lost";
    c.expect_no_leak();
  });
}

// R-LOSS-3, R-ACK-3
TEST(scenarios, scenario_28_timers_come_fifty_milliseconds_late) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c({.delay = 1ms * (1 + seed % 20), .loss = 0.1, .seed = seed});
    c.net.timer_lateness = duration(static_cast<std::int64_t>(c.draw(0, 50'000'000)));
    const time_point start = c.net.now();
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(c.send(c.draw(0, 5000)));
    ASSERT_TRUE(c.wait_all(1min));
    c.net.run_for(10s);
    c.expect_each_once();
    const auto seconds = static_cast<std::uint64_t>((c.net.now() - start) / 1s) + 1;
    EXPECT_LE(c.a.deadlines_run, 400 + 20 * seconds) << "timers fire for a reason";
    EXPECT_LE(c.b.deadlines_run, 400 + 20 * seconds);
  });
}

// R-LIVE-1, R-LIVE-2: `now` may repeat, and may jump forward.
TEST(scenarios, scenario_28_the_clock_stands_still_or_steps) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c({.delay = 5ms, .seed = seed});
    for (int round = 0; round < 10; ++round) {
      ASSERT_TRUE(c.send(c.draw(0, 5000)));
      // However often it is asked at the same time, the engine has soon done all there is to do.
      for (engine_node* node : {&c.a, &c.b}) {
        int loops = 0;
        while (node->engine->next_deadline() <= c.net.now() && loops < 100) {
          node->engine->handle_deadline(c.net.now());
          ++loops;
        }
        EXPECT_LT(loops, 5) << "a timer that does not move";
      }
      c.net.run_for(duration(static_cast<std::int64_t>(c.draw(0, 30'000'000))));
      // Asleep for less than peer_timeout, or for much longer.
      const duration nap = c.draw(0, 3) == 0 ? 1h : 1ms * c.draw(1, 9000);
      const std::uint64_t before = c.a.engine->counts().packets_sent;
      const time_point woken = c.net.now() + nap;
      c.net.jump(nap);
      c.net.run_for(100ms);
      EXPECT_LE(c.a.engine->counts().packets_sent - before, 40u) << "no storm on waking";
      EXPECT_GE(c.net.now(), woken);
      c.net.run_for(20s);
    }
    // Every message has ended: delivered, or unknown because its session did not survive the nap.
    EXPECT_EQ(c.a.app.delivered.size() + c.a.app.unknown.size(), c.sent.size());
    EXPECT_EQ(c.a.app.ups, static_cast<int>(c.a.app.downs.size()) + 1) << "a pinned peer is back";
    EXPECT_TRUE(c.a.engine->idle());
  });
}

// R-TIME-1: a message may time out before there is a session, and its timer must not fire for ever.
TEST(scenarios, scenario_28_a_time_out_before_the_session_opens) {
  over_seeds(200, [](std::uint64_t seed) {
    engine_network net({.delay = 1ms, .loss = 1, .seed = seed});
    engine_node& a = net.add();
    engine_node& b = net.add();
    const auto peer = a.engine->connect(net.now(), b.address);
    ASSERT_TRUE(peer);
    const duration lifetime = 1ms * (1 + seed % 900);
    ASSERT_TRUE(a.engine->submit(net.now(), *peer, bytes_of("x"),
                                 {.wants = both, .context = 7, .lifetime = lifetime}));
    int steps = 0;
    const time_point end = net.now() + 1s;
    while (net.step(end) && steps < 1000) ++steps;
    EXPECT_LT(steps, 1000) << "a timer that does not move";
    ASSERT_EQ(a.app.others.size(), 1u);
    EXPECT_EQ(a.app.others[0], std::pair(engine::event_kind::expired, std::uint64_t{7}));
  });
}

// R-SESS-1, R-SESS-3
TEST(scenarios, scenario_32_nonces_and_tags_never_repeat) {
  over_seeds(200, [](std::uint64_t seed) {
    engine::config settings;
    settings.peer_timeout = 3s;
    engine_network net({.delay = 1ms, .seed = seed});
    engine_node& a = net.add(settings);
    engine_node& b = net.add(settings);
    std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> nonces;  // to instance, epoch
    std::set<std::pair<std::uint32_t, std::uint64_t>> numbers;  // of a's packets, with their tag
    std::uint64_t repeated = 0;
    net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      const auto header = wire::parse_header(packet);
      if (header->type == wire::packet_type::data) {
        const engine::peer* session = a.engine->find(peer_id{1u << 20});
        if (&from == &a && session && !numbers.emplace(session->crc_seed(), header->number).second)
          ++repeated;
      } else if (header->type <= wire::packet_type::hello_ack) {
        const auto hello = wire::parse_hello(packet.subspan(wire::header_bytes));
        const std::pair session(hello->instance, hello->epoch);
        const auto [it, fresh] = nonces.try_emplace(hello->nonce, session);
        if (!fresh && it->second != session) ++repeated;
      }
      return true;
    };
    seeded_random random(seed);
    for (int round = 0; round < 8; ++round) {
      const auto to_b = a.engine->connect(net.now(), b.address);
      if (random.next() % 2 == 0) static_cast<void>(b.engine->connect(net.now(), a.address));
      net.run_for(200ms);
      static_cast<void>(a.engine->submit(net.now(), *to_b, bytes_of("x"), {both, 1}));
      net.run_for(1ms * (random.next() % 200));
      if (random.next() % 2 == 0) a.restart();
      if (random.next() % 2 == 0) b.restart();
      if (random.next() % 4 == 0) net.run_for(10s);
    }
    EXPECT_EQ(repeated, 0u);
    EXPECT_GE(nonces.size(), 2u);
  });
}

}  // namespace
}  // namespace mdp::test
