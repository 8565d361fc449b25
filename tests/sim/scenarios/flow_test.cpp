// Scenarios of credit, memory and many peers (docs/testing.md lists all of them by number).
#include "tests/support/conversation.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;

// R-CONF-3
TEST(scenarios, scenario_14_one_message_is_never_confirmed_and_the_rest_flows) {
  over_seeds(200, [](std::uint64_t seed) {
    engine::config settings;
    settings.max_enqueued_messages = 16;
    settings.receive_window_messages = 16;
    settings.receive_window_bytes = 100'000;
    conversation c({.delay = 2ms, .jitter = 1ms, .loss = 0.02, .seed = seed}, settings);
    const std::uint64_t stubborn = c.draw(0, 199);
    c.b.app.judge = [&](const engine::event& e) { return e.id.value != stubborn; };
    const bool done = c.net.run_until(
        [&] {
          while (c.sent.size() < 400 && c.send(c.draw(0, 2000))) {
          }
          return c.a.app.delivered.size() == 399;
        },
        1min);
    EXPECT_TRUE(done) << c.a.app.delivered.size() << " of 399";
    c.net.run_for(1s);
    EXPECT_EQ(c.b.app.messages.size(), 400u);
    EXPECT_EQ(c.a.app.received.size(), 400u) << "received does not wait for the application";
    const auto& reported = c.a.app.delivered;
    EXPECT_EQ(std::count(reported.begin(), reported.end(), stubborn), 0);
    for (const auto& [id, text] : c.b.app.messages)
      if (id == stubborn) c.b.engine->confirm(c.b_peer(), message_id{id});
    c.net.run_for(1s);
    c.expect_each_once();
  });
}

// R-FLOW-1, R-FLOW-2, R-FLOW-3
TEST(scenarios, scenario_15_credit_is_lost_or_runs_out_to_the_byte) {
  over_seeds(200, [](std::uint64_t seed) {
    engine::config settings;
    settings.receive_window_bytes = 20'000 + seed % 3;
    settings.receive_window_messages = 50;
    settings.max_message_bytes = 1 << 20;
    conversation c({.delay = 2ms, .seed = seed}, settings);
    c.b.app.polls = false;
    // All the credit in one message, then nothing more until the application takes it.
    ASSERT_TRUE(c.send(settings.receive_window_bytes));
    c.net.run_for(100ms);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(c.send(1));
    c.net.run_for(2s);
    EXPECT_EQ(c.b.engine->counts().messages_received, 1u);
    EXPECT_EQ(c.b.engine->counts().rejected_flow_control, 0u) << "the sender keeps to its credit";
    // Half of what b says is lost, credit updates among it.
    c.net.link(c.b, c.a).loss = 0.5;
    c.b.app.polls = true;
    ASSERT_TRUE(c.wait_all(30s));
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(c.send(c.draw(0, 20'000)));
    ASSERT_TRUE(c.wait_all(2min));
    EXPECT_EQ(c.b.engine->counts().rejected_flow_control, 0u);
    c.expect_each_once();
  });
}

// R-FLOW-5: no window of the peer will ever admit it, so it must not wait for that.
TEST(scenarios, scenario_15_a_message_one_byte_beyond_the_credit_ends) {
  over_seeds(200, [](std::uint64_t seed) {
    engine::config settings;
    settings.receive_window_bytes = 20'000 + seed % 3;
    conversation c({.delay = 2ms, .seed = seed}, settings);
    EXPECT_FALSE(c.send(settings.receive_window_bytes + 1)) << "refused at once";
    ASSERT_TRUE(c.send(settings.receive_window_bytes));
    ASSERT_TRUE(c.wait_all(1s));
  });
}

// R-FLOW-7: small messages that share a packet are charged together, so no packet may cost more
// than the least that the peer ever allows at once.
TEST(scenarios, scenario_15_no_packet_costs_more_than_the_whole_credit) {
  over_seeds(200, [](std::uint64_t seed) {
    engine::config settings;
    settings.receive_window_messages = 16 + static_cast<std::uint32_t>(seed % 5);
    settings.receive_window_bytes = 1200 + seed % 7;
    settings.max_packet_bytes = 9000;
    engine_network net({.delay = 2ms, .loss = 0.02, .seed = seed});
    auto& a = net.add(settings);
    auto& b = net.add(settings);
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    seeded_random random(seed);
    std::uint64_t sent = 0;
    const auto submit = [&](std::size_t size) {
      const std::string text(size, 'x');
      ASSERT_TRUE(a.engine->submit(net.now(), peer, bytes_of(text), {both, sent++}));
    };
    for (int i = 0; i < 100; ++i) submit(random.next() % 20);
    net.run_until([&] { return a.app.delivered.size() == sent; }, 30s);
    for (int i = 0; i < 100; ++i) submit(random.next() % (i % 2 == 0 ? 20 : 900));
    EXPECT_TRUE(net.run_until([&] { return a.app.delivered.size() == sent; }, 30s))
        << a.app.delivered.size() << " of " << sent;
    EXPECT_EQ(b.engine->counts().rejected_flow_control, 0u);
  });
}

// R-FRAG-3
TEST(scenarios, scenario_16_half_messages_exhaust_the_pool_without_deadlock) {
  over_seeds(200, [](std::uint64_t seed) {
    engine::config settings;
    settings.reassembly_bytes = 128 << 10;  // two of the largest messages at a time
    settings.max_message_bytes = 60'000;
    engine_network net({.delay = 2ms, .jitter = 2ms, .loss = 0.1, .seed = seed});
    engine_node& hub = net.add(settings);
    std::vector<std::pair<engine_node*, peer_id>> senders;
    for (int i = 0; i < 6; ++i) {
      engine_node& node = net.add(settings, {.blocks = 512, .control = 32, .rx = 64});
      senders.emplace_back(&node, *node.engine->connect(net.now(), hub.address));
    }
    seeded_random random(seed);
    for (const auto& [node, to] : senders)
      for (std::uint64_t serial = 0; serial < 4; ++serial)
        ASSERT_TRUE(node->engine->submit(
            net.now(), to, bytes_of(payload_of(serial, 2000 + random.next() % 58'000)),
            {both, serial}));
    const bool done = net.run_until(
        [&] {
          return std::all_of(senders.begin(), senders.end(),
                             [](const auto& s) { return s.first->app.delivered.size() == 4; });
        },
        2min);
    EXPECT_TRUE(done) << "stuck";
    EXPECT_EQ(hub.app.messages.size(), 24u);
  });
}

// R-MSG-1
TEST(scenarios, scenario_18_messages_of_one_byte_and_what_they_cost) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c({.delay = 1ms, .seed = seed});
    c.net.run_for(100ms);
    std::uint64_t bytes = 0;
    c.net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (&from == &c.a) bytes += packet.size();
      return true;
    };
    const std::uint64_t counted = c.a.engine->counts().wire_bytes_sent;
    const std::uint64_t n = c.draw(500, 3000);
    for (std::uint64_t i = 0; i < n; ++i) ASSERT_TRUE(c.send(1));
    ASSERT_TRUE(c.wait_all());
    c.expect_each_once();
    EXPECT_EQ(c.a.engine->counts().wire_bytes_sent - counted, bytes) << "every byte is counted";
    // 16 bytes a message, 90 messages a packet, and the acknowledgements of the outcomes.
    EXPECT_LE(bytes, n * 16 + (n / 90 + 1) * 24 + n / 10 * 64 + 3000);
    EXPECT_EQ(c.a.engine->counts().payload_bytes_sent, n);
  });
}

// R-SESS-7, R-CONF-3: everybody is served, and one who does not answer stalls nobody.
TEST(scenarios, scenario_29_incast_and_one_slow_peer_among_many) {
  over_seeds(200, [](std::uint64_t seed) {
    // One seed in a hundred has the full thousand; the others find the same faults cheaper.
    const int peers = seed % 100 == 1 ? 1000 : 40;
    engine_network net({.delay = 1ms, .jitter = 100us, .seed = seed});
    engine::config settings;
    settings.heartbeat_after = settings.heartbeat_period = 5s;
    engine_node& hub = net.add(settings, {.blocks = 8192, .control = 2048, .rx = 1024});
    std::vector<std::pair<engine_node*, peer_id>> others;
    for (int i = 0; i < peers; ++i) {
      engine_node& node = net.add(settings, {.blocks = 16, .control = 8, .rx = 8});
      others.emplace_back(&node, *node.engine->connect(net.now(), hub.address));
    }
    const auto slow = static_cast<std::size_t>(seed % static_cast<std::uint64_t>(peers));
    net.run_for(500ms);
    // All at once towards the hub: a queue of 20 ms is not enough, packets are lost.
    for (auto& [node, to] : others) {
      network_options& way = net.link(*node, hub);
      way.loss = 0.05;
      for (std::uint64_t serial = 0; serial < 4; ++serial)
        ASSERT_TRUE(node->engine->submit(net.now(), to, bytes_of(payload_of(serial, 1000)),
                                         {both, serial}));
    }
    const auto served = [&] {
      return std::all_of(others.begin(), others.end(),
                         [](const auto& o) { return o.first->app.delivered.size() == 4; });
    };
    EXPECT_TRUE(net.run_until(served, 20s));
    EXPECT_EQ(hub.app.messages.size(), static_cast<std::size_t>(peers) * 4);
    // The hub answers all; one of them hears nothing any more.
    net.link(hub, *others[slow].first).loss = 1;
    for (std::uint32_t slot = 0; slot < static_cast<std::uint32_t>(peers); ++slot)
      ASSERT_TRUE(hub.engine->submit(net.now(), peer_id{slot | 1u << 20},
                                     bytes_of(payload_of(slot, 1000)), {both, slot}));
    const auto answered = [&] {
      return hub.app.delivered.size() == static_cast<std::size_t>(peers) - 1;
    };
    const time_point start = net.now();
    EXPECT_TRUE(net.run_until(answered, 5s)) << hub.app.delivered.size();
    EXPECT_LE(net.now() - start, 200ms) << "nobody waited for the slow one";
  });
}

}  // namespace
}  // namespace mdp::test
