// The same of what a message may ask for: where it stands, its end, order, room, another algorithm.
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

}  // namespace
}  // namespace mdp
