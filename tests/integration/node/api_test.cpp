// Each call of a node and each refusal, over sockets in both layouts and in the simulator.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "tests/support/node_world.hpp"

namespace mdp {
namespace {

using namespace std::chrono_literals;
using messaging::confirm;
using messaging::event;
using messaging::event_kind;
using messaging::refusal;

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string text(const event& e) {
  return {reinterpret_cast<const char*>(e.payload.data()), e.payload.size()};
}

// An address at which nobody answers.
endpoint_address nobody(const test::node_variant& v) {
  return std::string(v.plugin) == "netsim" ? simulated_address(4000)
                                           : *parse_endpoint_address("127.0.0.1:9");
}

class node_api : public testing::TestWithParam<test::node_variant> {
 protected:
  void SetUp() override {
    try {
      world_ = std::make_unique<test::node_world>(GetParam());
    } catch (const plugin::plugin_error& e) {
      GTEST_SKIP() << "SKIPPED: " << e.what();
    }
  }
  static node_options with(node_config config, confirm_mode mode = confirm_mode::automatic) {
    node_options o;
    o.config = config;
    o.confirm = mode;
    return o;
  }
  // A peer of `a` that is up.
  peer_id connected(node& a, node& b) {
    const auto peer = a.connect(b.local_address());
    EXPECT_TRUE(peer) << peer.error();
    EXPECT_TRUE(world_->run_until([&] { return up(a, *peer); }));
    return *peer;
  }
  bool up(const node& n, peer_id peer) {
    for (const event& e : world_->events_of(n))
      if (e.kind == event_kind::peer_up && e.peer == peer) return true;
    return false;
  }
  // What arrived at `n`, in order.
  std::vector<std::string> texts(const node& n) {
    std::vector<std::string> all;
    for (const event& e : world_->events_of(n))
      if (e.kind == event_kind::message) all.push_back(text(e));
    return all;
  }
  std::unique_ptr<test::node_world> world_;
};

TEST_P(node_api, one_batch_sends_in_all_five_shapes) {
  node& a = world_->add();
  node& b = world_->add();
  node& c = world_->add();
  const peer_id to_b = connected(a, b);
  const peer_id to_c = connected(a, c);
  const peer_id both[] = {to_b, to_c};
  const peer_id stranger[] = {peer_id{0x00100077}};
  const std::span<const std::byte> one[] = {bytes("one")};
  const std::span<const std::byte> two[] = {bytes("t"), bytes(""), bytes("wo")};
  const std::span<const std::byte> three[] = {bytes("three")};
  const messaging::send_options delivered{.want = confirm::delivered};
  const submission items[] = {
      {{both, 1}, one, delivered},        // one to one, also one of many to the same
      {both, two, delivered},             // one to many, gathered from parts
      {stranger, one, delivered},         // refused; the others are not
      {{both, 1}, three, delivered},      // many to one
      {{both + 1, 1}, three, delivered},  // each to its own
      {both, {}, delivered},              // many each to many; an empty message
  };
  submit_result results[8];
  ASSERT_EQ(a.submit_batch(items, results), 8u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(results[i].has_value(), i != 3) << i;
  EXPECT_EQ(results[3].error(), refusal::unknown_peer);
  EXPECT_TRUE(world_->run_until([&] { return world_->count(a, event_kind::delivered) == 7; }));
  const auto at_b = texts(b);
  const auto at_c = texts(c);
  EXPECT_EQ(std::multiset<std::string>(at_b.begin(), at_b.end()),
            (std::multiset<std::string>{"one", "two", "three", ""}));
  EXPECT_EQ(std::multiset<std::string>(at_c.begin(), at_c.end()),
            (std::multiset<std::string>{"two", "three", ""}));
}

TEST_P(node_api, a_batch_stops_where_the_results_end) {
  node& a = world_->add();
  node& b = world_->add();
  const peer_id to[] = {connected(a, b)};
  const std::span<const std::byte> part[] = {bytes("x")};
  const submission items[] = {{to, part, {}}, {to, part, {}}, {to, part, {}}};
  submit_result results[2];
  EXPECT_EQ(a.submit_batch(items, results), 2u);
  EXPECT_TRUE(world_->run_until([&] { return texts(b).size() == 2; }));
  world_->run_for(20ms);  // and no third one
  EXPECT_EQ(texts(b).size(), 2u);
}

TEST_P(node_api, a_message_that_is_too_large_is_refused_whole) {
  node_config config;
  config.max_message_bytes = 1000;
  node& a = world_->add(with(config));
  node& b = world_->add();
  const peer_id to[] = {connected(a, b)};
  const std::vector<std::byte> half(600);
  const std::span<const std::byte> parts[] = {half, half};
  const submission item[] = {{to, parts, {}}};
  submit_result results[1];
  ASSERT_EQ(a.submit_batch(item, results), 1u);
  EXPECT_EQ(results[0].error(), refusal::too_large);
  EXPECT_EQ(a.submit(to[0], std::vector<std::byte>(1001), {}).error(), refusal::too_large);
  EXPECT_TRUE(a.submit(to[0], std::vector<std::byte>(1000), {}));
}

TEST_P(node_api, an_application_confirms_when_it_likes) {
  node& a = world_->add();
  node& b = world_->add(with({}, confirm_mode::on_request));
  const peer_id peer = connected(a, b);
  const auto asked = a.submit(peer, bytes("answer me"), {.want = confirm::delivered, .context = 5});
  ASSERT_TRUE(asked);
  ASSERT_TRUE(a.submit(peer, bytes("do not"), {}));
  ASSERT_TRUE(world_->run_until([&] { return texts(b).size() == 2; }));
  world_->run_for(100ms);
  EXPECT_EQ(world_->count(a, event_kind::delivered), 0u);
  event ask;
  event quiet;
  for (event& e : world_->events_of(b))
    if (e.kind == event_kind::message) (text(e) == "do not" ? quiet : ask) = e;
  EXPECT_TRUE(ask.confirm);
  EXPECT_FALSE(quiet.confirm);
  EXPECT_TRUE(b.confirm(ask.peer, ask.id));
  EXPECT_TRUE(world_->run_until([&] { return world_->count(a, event_kind::delivered) == 1; }));
  EXPECT_EQ(world_->events_of(a).back().context, 5u);
  EXPECT_EQ(world_->events_of(a).back().id, *asked);
  if (GetParam().is_inline()) {
    EXPECT_EQ(b.confirm(ask.peer, ask.id).error(), refusal::unknown_message) << "twice";
    EXPECT_EQ(b.confirm(quiet.peer, quiet.id).error(), refusal::unknown_message) << "not asked";
    EXPECT_EQ(b.reject(ask.peer, message_id{999}).error(), refusal::unknown_message);
  }
  EXPECT_EQ(b.confirm(peer_id{0x00100077}, ask.id).error(), refusal::unknown_peer);
  EXPECT_EQ(a.confirm(peer, ask.id).error(), refusal::not_supported) << "automatic";
}

TEST_P(node_api, a_restarted_peer_gets_no_answer_meant_for_its_former_self) {
  node_config quick;
  quick.heartbeat_after_ms = 50;
  quick.heartbeat_period_ms = 50;
  quick.peer_timeout_ms = 300;
  quick.connect_timeout_ms = 300;
  if (std::string(GetParam().plugin) == "netsim") GTEST_SKIP() << "SKIPPED: addresses are taken";
  node& a = world_->add(with(quick));
  node& b = world_->add(with(quick, confirm_mode::on_request));
  node_options again = with(quick, confirm_mode::on_request);
  again.local = b.local_address();
  const peer_id peer = connected(a, b);
  // The caller's ids and contexts stay together across the end of a session with many open.
  std::map<std::uint64_t, std::uint64_t> ids;
  std::uint64_t context = 0;
  const auto submit_some = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const auto id = a.submit(peer, bytes("x"), {.want = confirm::delivered, .context = context});
      if (id) ids[context++] = id->value;
    }
  };
  submit_some(700);
  ASSERT_TRUE(world_->run_until([&] { return world_->count(b, event_kind::message) == 700; }));
  for (event& e : world_->events_of(b)) {
    if (e.kind == event_kind::message && e.id.value < 10) {
      ASSERT_TRUE(b.confirm(e.peer, e.id));
    }
  }
  ASSERT_TRUE(world_->run_until([&] { return world_->count(a, event_kind::delivered) == 10; }));
  world_->kill(b);
  node& c = world_->add(again);
  submit_some(100);
  ASSERT_TRUE(world_->run_until([&] { return world_->count(a, event_kind::peer_up) == 2; }));
  submit_some(300);
  const auto answer_all = [&] {
    for (event& e : world_->events_of(c)) {
      if (e.kind == event_kind::message && e.confirm) static_cast<void>(c.confirm(e.peer, e.id));
      e.confirm = false;
    }
    return world_->count(a, event_kind::delivered) + world_->count(a, event_kind::unknown) ==
           context;
  };
  EXPECT_TRUE(world_->run_until(answer_all));
  std::set<std::uint64_t> settled;
  for (const event& e : world_->events_of(a)) {
    if (e.kind != event_kind::delivered && e.kind != event_kind::unknown) continue;
    EXPECT_EQ(e.id.value, ids[e.context]);
    EXPECT_TRUE(settled.insert(e.context).second);
    if (e.context >= 800) {
      EXPECT_EQ(e.kind, event_kind::delivered);
    }
  }
  EXPECT_EQ(settled.size(), context);
  EXPECT_GE(world_->count(a, event_kind::unknown), 690u);
}

TEST_P(node_api, a_message_is_confirmed_when_the_application_takes_it) {
  node& a = world_->add();
  node& b = world_->add();
  const peer_id peer = connected(a, b);
  world_->pause(b);
  ASSERT_TRUE(a.submit(peer, bytes("x"), {.want = confirm::delivered}));
  world_->run_for(100ms);
  EXPECT_EQ(world_->count(a, event_kind::delivered), 0u);
  world_->pause(b, false);
  EXPECT_TRUE(world_->run_until([&] { return world_->count(a, event_kind::delivered) == 1; }));
}

TEST_P(node_api, rare_calls_return_while_events_pile_up) {
  if (GetParam().is_inline())
    GTEST_SKIP() << "SKIPPED: nothing happens between the calls of an inline node";
  node& a = world_->add();
  node& b = world_->add();
  const peer_id peer = connected(a, b);
  world_->pause(b);
  std::size_t sent = 0;
  EXPECT_TRUE(world_->run_until([&] {
    while (sent < 20000 && a.submit(peer, bytes("12345678"), {.want = confirm::delivered})) ++sent;
    return sent == 20000;
  }));
  world_->run_for(100ms);
  EXPECT_FALSE(b.stats().empty());
  EXPECT_TRUE(b.connect(a.local_address()));
  static_cast<void>(b.idle());
  world_->pause(b, false);
  EXPECT_TRUE(world_->run_until([&] { return world_->count(a, event_kind::delivered) == sent; }));
  EXPECT_EQ(world_->count(b, event_kind::message), sent);
}

TEST_P(node_api, a_peer_that_takes_nothing_blocks_nobody_else) {
  node_config config;
  config.max_enqueued_messages = 64;
  config.connect_timeout_ms = 60000;
  node& a = world_->add(with(config));
  node& b = world_->add();
  const peer_id good = connected(a, b);
  const auto dead = a.connect(nobody(GetParam()));
  ASSERT_TRUE(dead);
  std::size_t queued = 0;
  for (; queued < 5000 && a.submit(*dead, bytes("x"), {.want = confirm::delivered}); ++queued)
    world_->run_for(20us);
  EXPECT_GE(queued, 64u);
  EXPECT_LT(queued, 5000u);
  EXPECT_EQ(a.submit(*dead, bytes("x"), {}).error(), refusal::queue_full);
  ASSERT_TRUE(a.submit(good, bytes("y"), {.want = confirm::delivered}));
  EXPECT_TRUE(world_->run_until([&] { return world_->count(a, event_kind::delivered) == 1; }));
}

TEST_P(node_api, an_application_may_reject) {
  node& a = world_->add();
  node& b = world_->add(with({}, confirm_mode::on_request));
  const peer_id peer = connected(a, b);
  const auto id = a.submit(peer, bytes("no"), {.want = confirm::delivered, .context = 3});
  ASSERT_TRUE(id);
  ASSERT_TRUE(world_->run_until([&] { return world_->count(b, event_kind::message) == 1; }));
  const event& got = world_->events_of(b).back();
  EXPECT_TRUE(b.reject(got.peer, got.id));
  ASSERT_TRUE(world_->run_until([&] { return world_->count(a, event_kind::rejected) == 1; }));
  EXPECT_EQ(world_->events_of(a).back().id, *id);
  EXPECT_EQ(world_->events_of(a).back().context, 3u);
  EXPECT_EQ(a.state(peer, *id), message_state::rejected);
}

TEST_P(node_api, messages_tell_where_they_stand_and_end_by_cancel) {
  node_config config;
  config.max_enqueued_messages = 4;
  config.connect_timeout_ms = 60000;
  node& a = world_->add(with(config));
  const auto peer = a.connect(nobody(GetParam()));
  ASSERT_TRUE(peer);
  std::vector<message_id> ids;
  for (std::uint64_t i = 0; i < 6; ++i) {
    const auto id = a.submit(*peer, bytes("x"), {.want = confirm::delivered, .context = i});
    if (id) ids.push_back(*id);
  }
  // With threads what the protocol has no room for waits in front of it, and counts as queued.
  ASSERT_EQ(ids.size(), !GetParam().is_inline() ? 6u : 4u);
  std::vector<message_state> states(ids.size());
  EXPECT_EQ(a.states(*peer, ids, states), ids.size());
  for (const message_state s : states) EXPECT_EQ(s, message_state::queued);
  const auto open = a.unresolved(*peer);
  ASSERT_EQ(open.size(), ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(open[i].id, ids[i]);
  for (const message_id id : {ids.front(), ids.back()}) {
    EXPECT_TRUE(a.cancel(*peer, id));
    EXPECT_EQ(a.cancel(*peer, id).error(), refusal::unknown_message) << "twice";
    EXPECT_EQ(a.state(*peer, id), message_state::cancelled);
  }
  EXPECT_EQ(a.unresolved(*peer).size(), ids.size() - 2);
  ASSERT_TRUE(world_->run_until([&] { return world_->count(a, event_kind::cancelled) == 2; }));
  for (const event& e : world_->events_of(a)) {
    if (e.kind == event_kind::cancelled) {
      EXPECT_EQ(e.id, ids[e.context]);
    }
  }
  EXPECT_EQ(a.cancel(*peer, message_id{999}).error(), refusal::unknown_message);
  EXPECT_EQ(a.cancel(peer_id{0x00100077}, ids[0]).error(), refusal::unknown_peer);
  EXPECT_EQ(a.state(*peer, message_id{999}), message_state::none);
  EXPECT_EQ(a.state(peer_id{0x00100077}, ids[0]), message_state::none);
  EXPECT_TRUE(a.unresolved(peer_id{0x00100077}).empty());
}

TEST_P(node_api, what_was_delivered_is_too_late_to_cancel) {
  node& a = world_->add();
  node& b = world_->add(with({}, confirm_mode::on_request));
  const peer_id peer = connected(a, b);
  const auto id = a.submit(peer, bytes("x"), {.want = confirm::both});
  ASSERT_TRUE(id);
  ASSERT_TRUE(world_->run_until([&] { return world_->count(a, event_kind::received) == 1; }));
  EXPECT_EQ(a.state(peer, *id), message_state::received);
  EXPECT_EQ(a.cancel(peer, *id).error(), refusal::too_late);
  const event& got = world_->events_of(b).back();
  EXPECT_TRUE(b.confirm(got.peer, got.id));
  ASSERT_TRUE(world_->run_until([&] { return world_->count(a, event_kind::delivered) == 1; }));
  EXPECT_EQ(a.cancel(peer, *id).error(), refusal::unknown_message);
  EXPECT_EQ(a.state(peer, *id), message_state::delivered);
}

TEST_P(node_api, time_limits_end_messages_each_under_its_own_name) {
  node_config config;
  config.connect_timeout_ms = 60000;
  node& a = world_->add(with(config));
  node& b = world_->add(with(config, confirm_mode::on_request));
  const auto dead = a.connect(nobody(GetParam()));
  ASSERT_TRUE(dead);
  const peer_id live = connected(a, b);
  ASSERT_TRUE(a.submit(*dead, bytes("x"), {.want = confirm::delivered, .lifetime = 30ms}));
  ASSERT_TRUE(a.submit(*dead, bytes("x"), {.want = confirm::received, .received_timeout = 30ms}));
  ASSERT_TRUE(a.submit(live, bytes("x"), {.want = confirm::delivered, .delivered_timeout = 30ms}));
  EXPECT_TRUE(world_->run_until([&] {
    return world_->count(a, event_kind::expired) == 1 &&
           world_->count(a, event_kind::timed_out_received) == 1 &&
           world_->count(a, event_kind::timed_out_delivered) == 1;
  }));
}

TEST_P(node_api, bad_options_are_refused) {
  node& a = world_->add();
  node& b = world_->add();
  const peer_id peer = connected(a, b);
  for (const messaging::send_options& o :
       {messaging::send_options{.priority = 8}, messaging::send_options{.channel = 256},
        messaging::send_options{.lifetime = -1ms},
        messaging::send_options{.received_timeout = -1ms},
        messaging::send_options{.want = confirm::delivered, .delivered_timeout = -1ms},
        messaging::send_options{.want = confirm::received, .delivered_timeout = 1ms}})
    EXPECT_EQ(a.submit(peer, bytes("x"), o).error(), refusal::bad_option);
}

TEST_P(node_api, a_channel_keeps_its_order) {
  node& a = world_->add();
  node& b = world_->add();
  const peer_id peer = connected(a, b);
  std::vector<std::byte> payload(9000);
  for (std::size_t i = 0; i < 100; ++i) {
    payload[0] = static_cast<std::byte>(i);
    ASSERT_TRUE(a.submit(peer, std::span(payload).first(i % 2 ? 1 : 9000), {.channel = 7}));
  }
  ASSERT_TRUE(world_->run_until([&] { return world_->count(b, event_kind::message) == 100; }));
  std::size_t next = 0;
  for (const event& e : world_->events_of(b)) {
    if (e.kind != event_kind::message) continue;
    EXPECT_EQ(e.channel, 7);
    EXPECT_EQ(std::to_integer<std::size_t>(e.payload.data()[0]), next++);
  }
}

TEST_P(node_api, backpressure_can_be_waited_on) {
  node_config config;
  config.max_enqueued_messages = 8;
  config.connect_timeout_ms = 60000;
  node& a = world_->add(with(config));
  node& b = world_->add();
  const peer_id peer = connected(a, b);
  EXPECT_TRUE(a.wait_writable(peer, 100, a.now()));
  EXPECT_EQ(a.wait_writable(peer, 17u << 20, a.now()).error(), refusal::too_large);
  EXPECT_EQ(a.wait_writable(peer_id{0x00100077}, 1, a.now()).error(), refusal::unknown_peer);
  const auto dead = a.connect(nobody(GetParam()));
  ASSERT_TRUE(dead);
  while (a.submit(*dead, bytes("x"), {})) world_->run_for(20us);
  EXPECT_EQ(a.wait_writable(*dead, 1, a.now() + 5ms).error(), refusal::queue_full);
  if (std::string(GetParam().plugin) == "netsim") return;  // virtual time does not wait
  // Nothing makes room, so it sleeps, but for the handshake's timers.
  const std::uint64_t wakeups = a.transport_counts().wakeups;
  EXPECT_EQ(a.wait_writable(*dead, 1, a.now() + 50ms).error(), refusal::queue_full);
  if (GetParam().is_inline()) {
    EXPECT_LE(a.transport_counts().wakeups - wakeups, 20u);
  }
  // A full queue of a living peer drains while the caller does nothing but wait; `b` answers by
  // acknowledgement alone.
  std::size_t sent = 0;
  const time_point end = a.now() + 10s;
  while (sent < 3000 && a.now() < end) {
    if (a.submit(peer, bytes("y"), {})) {
      ++sent;
    } else if (!a.wait_writable(peer, 1, a.now() + 1ms)) {
      messaging::event out[64];
      static_cast<void>(b.poll(out, b.now()));
    }
  }
  EXPECT_EQ(sent, 3000u);
}

TEST_P(node_api, every_congestion_controller_and_profile_delivers) {
  for (const char* text :
       {"congestion_control=fixed", "congestion_control=cubic", "congestion_control=swift",
        "congestion_control=bbr", "congestion_control=ledbat", "profile=lan", "profile=wan"}) {
    const auto config = node_config::from_text(text);
    ASSERT_TRUE(config) << config.error();
    node& a = world_->add(with(*config));
    node& b = world_->add(with(*config));
    const peer_id peer = connected(a, b);
    const std::vector<std::byte> payload(5000);
    std::size_t sent = 0;
    EXPECT_TRUE(world_->run_until([&] {
      while (sent < 200 && a.submit(peer, payload, {.want = confirm::delivered})) ++sent;
      return world_->count(a, event_kind::delivered) == 200;
    })) << text;
    // Each further node that is polled adds to the round trip, which Swift takes for a queue.
    world_->kill(a);
    world_->kill(b);
  }
}

INSTANTIATE_TEST_SUITE_P(nodes, node_api,
                         testing::Values(test::node_variant{"socket", "inline"},
                                         test::node_variant{"socket", "single"},
                                         test::node_variant{"socket", "pair"},
                                         test::node_variant{"socket", "pipeline"},
                                         test::node_variant{"socket", "sharded:3"},
                                         test::node_variant{"netsim", "inline"}),
                         [](const auto& v) { return test::name_of(v.param); });

}  // namespace
}  // namespace mdp
