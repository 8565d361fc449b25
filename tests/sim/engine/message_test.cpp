// How messages are ordered, given up and ended, between two engines in virtual time.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/engine_pair.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
using engine::event_kind;
using engine::message_state;

constexpr std::uint8_t both = engine::want_received | engine::want_delivered;

class messages : public testing::Test {
 protected:
  void SetUp() override {
    a = &net.add(settings);
    b = &net.add(settings);
    peer = *a->engine->connect(net.now(), b->address);
    net.filter = [this](const engine_node& from, std::span<const std::byte>) {
      return &from == a ? !cut_to_b : !cut_to_a;
    };
    net.run_for(200ms);
    ASSERT_EQ(a->app.ups, 1);
  }
  message_id send(const std::string& text, const engine::send_options& options) {
    const auto id = a->engine->submit(net.now(), peer, bytes_of(text), options);
    EXPECT_TRUE(id);
    return id ? *id : message_id{};
  }
  [[nodiscard]] message_state state(message_id id) { return a->engine->state(peer, id); }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const auto& [id, text] : b->app.messages) all.push_back(text);
    return all;
  }
  // Ends other than received, delivered and unknown, as (kind, context).
  [[nodiscard]] std::size_t ends(event_kind kind) const {
    return static_cast<std::size_t>(std::count_if(a->app.others.begin(), a->app.others.end(),
                                                  [&](auto& o) { return o.first == kind; }));
  }

  engine::config settings = [] {
    engine::config c;
    c.congestion_window_bytes = 20000;
    return c;
  }();
  engine_network net;
  engine_node* a = nullptr;
  engine_node* b = nullptr;
  peer_id peer{};
  bool cut_to_a = false;
  bool cut_to_b = false;
};

// R-ABN-1: what has not left yet is given up at once, and the peer never sees it.
TEST_F(messages, cancelled_before_its_first_packet_it_never_arrives) {
  send(std::string(100000, 'x'), {});  // fills the window
  net.step();
  const message_id id = send("unwanted", {both, 7});
  EXPECT_EQ(state(id), message_state::queued);
  ASSERT_TRUE(a->engine->cancel(net.now(), peer, id));
  EXPECT_EQ(state(id), message_state::cancelled);
  send("wanted", {both, 8});
  net.run_for(2s);
  EXPECT_EQ(ends(event_kind::cancelled), 1u);
  EXPECT_EQ(a->app.delivered, std::vector<std::uint64_t>{8});
  EXPECT_EQ(b->app.messages.size(), 2u) << "the large one and the wanted one";
  EXPECT_TRUE(a->engine->idle());
  EXPECT_EQ(b->engine->counts().messages_given_up, 1u);
}

// R-ABN-1, R-ABN-2: a message whose packets are lost is given up only when the peer says so.
TEST_F(messages, cancelled_in_flight_its_end_is_the_peers_answer) {
  cut_to_b = true;
  const message_id id = send("lost", {both, 7});
  net.run_for(50ms);
  EXPECT_EQ(state(id), message_state::sent);
  ASSERT_TRUE(a->engine->cancel(net.now(), peer, id));
  net.run_for(500ms);
  EXPECT_EQ(state(id), message_state::sent) << "nobody knows yet";
  EXPECT_FALSE(a->engine->cancel(net.now(), peer, id)) << "once is enough";
  cut_to_b = false;
  net.run_for(3s);
  EXPECT_EQ(state(id), message_state::cancelled);
  EXPECT_EQ(ends(event_kind::cancelled), 1u);
  EXPECT_TRUE(b->app.messages.empty());
  EXPECT_TRUE(a->engine->idle());
}

// R-ABN-2: the cancellation came too late, and its sender learns that.
TEST_F(messages, cancelled_after_it_arrived_it_counts_as_received) {
  cut_to_a = true;
  const message_id id = send("arrives", {engine::want_delivered, 7});
  net.run_for(50ms);
  ASSERT_EQ(b->app.messages.size(), 1u);
  ASSERT_TRUE(a->engine->cancel(net.now(), peer, id)) << "the acknowledgement is not here yet";
  cut_to_a = false;
  net.run_for(3s);
  EXPECT_EQ(ends(event_kind::cancelled), 0u);
  EXPECT_EQ(a->app.delivered, std::vector<std::uint64_t>{7});
  EXPECT_EQ(state(id), message_state::delivered);
}

TEST_F(messages, too_late_to_cancel_when_received) {
  b->app.confirms = false;
  const message_id id = send("x", {both, 1});
  net.run_for(100ms);
  EXPECT_EQ(state(id), message_state::received);
  const auto done = a->engine->cancel(net.now(), peer, id);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), engine::refusal::too_late);
  EXPECT_EQ(a->engine->cancel(net.now(), peer, message_id{99}).error(),
            engine::refusal::unknown_message);
}

// R-ABN-3
TEST_F(messages, given_up_credit_comes_back) {
  cut_to_b = true;
  for (int i = 0; i < 300; ++i) {
    const message_id id = send(std::string(100000, 'x'), {engine::want_received, 1});
    net.run_for(1ms);
    ASSERT_TRUE(a->engine->cancel(net.now(), peer, id));
    cut_to_b = i % 3 != 0;
    net.run_for(200ms);
  }
  cut_to_b = false;
  net.run_for(5s);
  EXPECT_TRUE(a->engine->idle());
  b->app.messages.clear();
  const int count = 200;  // 20 MB through a window of 8 MB
  int sent = 0;
  EXPECT_TRUE(net.run_until(
      [&] {
        while (sent < count &&
               a->engine->submit(net.now(), peer, bytes_of(std::string(100000, 'y')), {both, 2}))
          ++sent;
        return a->app.delivered.size() == static_cast<std::size_t>(count);
      },
      2min));
}

// R-TIME-1
TEST_F(messages, a_lifetime_ends_what_was_not_received) {
  cut_to_b = true;
  engine::send_options o{both, 5};
  o.lifetime = 100ms;
  const message_id id = send("short-lived", o);
  net.run_for(90ms);
  EXPECT_EQ(state(id), message_state::sent);
  net.run_for(1s);
  cut_to_b = false;
  net.run_for(3s);
  EXPECT_EQ(state(id), message_state::expired);
  EXPECT_EQ(ends(event_kind::expired), 1u);
  EXPECT_TRUE(b->app.messages.empty());
}

// R-TIME-2
TEST_F(messages, a_delivered_timeout_ends_the_waiting_for_the_application) {
  b->app.confirms = false;
  engine::send_options o{both, 5};
  o.delivered_timeout = 300ms;
  const message_id id = send("unread", o);
  net.run_for(250ms);
  EXPECT_EQ(a->app.received.size(), 1u);
  net.run_for(100ms);
  EXPECT_EQ(state(id), message_state::timed_out_delivered);
  EXPECT_EQ(ends(event_kind::timed_out_delivered), 1u);
  EXPECT_TRUE(a->engine->idle());
  b->engine->confirm(peer, id);  // both sides use the first slot
  net.run_for(300ms);
  EXPECT_TRUE(a->app.delivered.empty()) << "what has ended is not reported again";
}

// R-TIME-1: the deadline passes between two fragments; an expired backlog holds nobody up.
TEST_F(messages, a_deadline_between_fragments_and_a_backlog_of_them) {
  engine::send_options o{both, 1};
  o.lifetime = 20ms;
  for (int i = 0; i < 40; ++i) send(std::string(100000, 'x'), o);
  net.run_for(21ms);
  const std::uint64_t packets = a->engine->counts().packets_sent;
  send("after", {both, 2});
  net.run_for(500ms);
  EXPECT_EQ(a->app.delivered.back(), 2u);
  EXPECT_LT(a->engine->counts().packets_sent - packets, 40u) << "nothing expired is sent";
  EXPECT_EQ(ends(event_kind::expired) + a->app.delivered.size(), 41u);
  net.run_for(5s);
  EXPECT_TRUE(a->engine->idle());
  EXPECT_EQ(a->blocks.available(), a->blocks.block_count());
}

// R-OUT-3
TEST_F(messages, the_application_may_reject) {
  b->app.confirms = false;
  b->app.polls = false;
  const message_id id = send("bad", {both, 9});
  net.run_for(100ms);
  engine::event e[4];
  const std::size_t n = b->engine->poll_events(e);
  ASSERT_GE(n, 1u);
  b->engine->reject(e[n - 1].peer, e[n - 1].id);
  net.run_for(100ms);
  EXPECT_EQ(state(id), message_state::rejected);
  EXPECT_EQ(ends(event_kind::rejected), 1u);
  EXPECT_TRUE(a->app.delivered.empty());
}

// R-SCHED-1
TEST_F(messages, a_lower_class_goes_first) {
  cut_to_b = true;
  send(std::string(15000, 'x'), {});  // the window is full
  net.run_for(1ms);
  for (const std::uint8_t priority : {std::uint8_t{7}, std::uint8_t{0}, std::uint8_t{4}}) {
    engine::send_options o;
    o.priority = priority;
    send(std::string(3000, static_cast<char>('0' + priority)), o);
    send(std::string(1, static_cast<char>('0' + priority)), o);
  }
  cut_to_b = false;
  net.run_for(5s);
  std::string order;
  for (const auto& [id, text] : b->app.messages) order += text[0];
  order.erase(std::remove(order.begin(), order.end(), 'x'), order.end());
  EXPECT_EQ(order, "004477");
}

// R-SCHED-2
TEST_F(messages, mice_pass_an_elephant_and_it_still_moves) {
  send(std::string(2'000'000, 'e'), {both, 1});
  std::size_t mice = 0;
  duration worst{};
  for (int i = 0; i < 200; ++i) {
    const time_point start = net.now();
    send("mouse", {both, 2});
    ++mice;
    ASSERT_TRUE(net.run_until([&] {
      return static_cast<std::size_t>(
                 std::count(a->app.delivered.begin(), a->app.delivered.end(), 2u)) == mice;
    }));
    worst = std::max(worst, net.now() - start);
  }
  EXPECT_LT(worst, 60ms) << "a few round trips of 10 ms, never the elephant's two seconds";
  ASSERT_TRUE(net.run_until([&] { return a->app.delivered.size() == mice + 1; }));
}

TEST_F(messages, the_elephant_does_not_starve_behind_a_flood_of_mice) {
  send(std::string(500'000, 'e'), {both, 1});
  bool done = false;
  EXPECT_TRUE(net.run_until(
      [&] {
        while (a->engine->submit(net.now(), peer, bytes_of(std::string(1000, 'm')), {})) {
          if (a->blocks.available() < 1000) break;
        }
        done = !a->app.delivered.empty();
        return done;
      },
      30s));
}

TEST_F(messages, options_out_of_range_are_refused) {
  const auto refused = [&](const engine::send_options& o) {
    const auto id = a->engine->submit(net.now(), peer, bytes_of("x"), o);
    return !id && id.error() == engine::refusal::bad_option;
  };
  engine::send_options o;
  o.priority = 8;
  EXPECT_TRUE(refused(o));
  o = {};
  o.channel = 256;
  EXPECT_TRUE(refused(o));
  o = {};
  o.lifetime = -1ms;
  EXPECT_TRUE(refused(o));
  o = {};
  o.delivered_timeout = 1ms;
  EXPECT_TRUE(refused(o)) << "a time-out of a confirmation that is not wanted";
}

TEST_F(messages, states_of_all_that_is_unresolved) {
  b->app.confirms = false;
  const message_id first = send("a", {both, 1});
  net.run_for(100ms);
  cut_to_b = true;
  const message_id second = send("b", {both, 1});
  net.run_for(1ms);
  send(std::string(30000, 'x'), {});
  net.run_for(1ms);
  const message_id last = send("c", {both, 1});
  std::vector<std::pair<std::uint64_t, message_state>> all;
  a->engine->for_each_unresolved(
      peer, [&](message_id id, message_state s) { all.emplace_back(id.value, s); });
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0], std::pair(first.value, message_state::received));
  EXPECT_EQ(all[1], std::pair(second.value, message_state::sent));
  EXPECT_EQ(all[3], std::pair(last.value, message_state::queued));
  EXPECT_EQ(state(message_id{1000}), message_state::never);
}

}  // namespace
}  // namespace mdp::test
