// Calls of a node, and each refusal, over sockets in all layouts and in the simulator: batches,
// answers, what a slow application does.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "tests/integration/node/node_api.hpp"

namespace mdp {
namespace {

using namespace std::chrono_literals;
using messaging::confirm;
using messaging::event;
using messaging::event_kind;
using messaging::refusal;
using test::bytes;
using test::nobody;
using test::node_api;
using test::text;

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
