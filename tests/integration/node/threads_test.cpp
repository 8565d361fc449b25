// Nodes with threads of their own: called from many threads at once, ended in good order, placed on
// cpus; each layout over each real transport.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "tests/support/node_world.hpp"
#include "tests/support/stamp.hpp"

namespace mdp {
namespace {

using namespace std::chrono_literals;
using messaging::confirm;
using messaging::event;
using messaging::event_kind;
using messaging::refusal;
using test::bytes_of;
using test::stamp;
using test::stamp_of;

class node_threads : public testing::TestWithParam<test::node_variant> {
 protected:
  void SetUp() override {
    try {
      fabric_ = plugin::create_fabric(GetParam().plugin, "{}", {MDP_PLUGIN_DIR});
    } catch (const plugin::plugin_error& e) {
      GTEST_SKIP() << "SKIPPED: " << e.what();
    }
  }
  [[nodiscard]] node_options options() const {
    node_options o;
    o.fabric = fabric_.get();
    o.threads = *parse_thread_plan(GetParam().threads);
    return o;
  }
  // Polls until `done`; false after ten seconds.
  template <class OnEvent, class Done>
  static bool poll_until(node& n, const OnEvent& on_event, const Done& done) {
    const time_point end = n.now() + 10s;
    std::array<event, 64> events;
    while (!done() && n.now() < end) {
      const std::size_t count = n.poll(events, n.now() + 2ms);
      for (event& e : std::span(events).first(count)) {
        on_event(e);
        e.payload.reset();
      }
    }
    return done();
  }
  static message_id submit_surely(node& n, peer_id to, const stamp& s,
                                  const messaging::send_options& how) {
    while (true) {
      const auto id = n.submit(to, bytes_of(s), how);
      if (id) return *id;
      EXPECT_EQ(id.error(), refusal::queue_full);
      static_cast<void>(n.wait_writable(to, sizeof s, n.now() + 1s));
    }
  }

  std::shared_ptr<transport::fabric> fabric_;
};

TEST_P(node_threads, many_threads_send_and_many_receive_each_message_once) {
  constexpr std::uint32_t senders = 4;
  constexpr std::uint32_t each = 3000;
  const auto a = make_node(options());
  const auto b = make_node(options());
  const auto peer = a->connect(b->local_address());
  ASSERT_TRUE(peer) << peer.error();
  std::mutex mutex;
  std::set<std::pair<std::uint32_t, std::uint32_t>> arrived;
  std::map<std::uint64_t, message_id> submitted;  // by context
  std::map<std::uint64_t, message_id> ended;
  std::atomic<std::size_t> arrivals{0};
  std::atomic<std::size_t> ends{0};
  const auto taking = [&](const event& e) {
    if (e.kind != event_kind::message) return;
    const stamp s = stamp_of(e);
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(arrived.insert({s.thread, s.number}).second);
    ++arrivals;
  };
  const auto hearing = [&](const event& e) {
    if (e.kind != event_kind::delivered) return;
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(ended.emplace(e.context, e.id).second);
    ++ends;
  };
  const auto all = [&] { return arrivals == senders * each && ends == senders * each; };
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < senders; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < each; ++i) {
        const std::uint64_t context = std::uint64_t{t} << 32 | i;
        const message_id id =
            submit_surely(*a, *peer, {t, i}, {.want = confirm::delivered, .context = context});
        const std::lock_guard lock(mutex);
        submitted.emplace(context, id);
      }
    });
  }
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] { EXPECT_TRUE(poll_until(*b, taking, all)); });
    threads.emplace_back([&] { EXPECT_TRUE(poll_until(*a, hearing, all)); });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(arrived.size(), senders * each);
  // However the threads overtook each other: what ends is what was submitted under this id.
  EXPECT_EQ(ended, submitted);
}

// One thread's messages keep their order on an ordered channel, whatever the others do.
TEST_P(node_threads, each_threads_channel_stays_in_order) {
  constexpr std::uint32_t senders = 3;
  constexpr std::uint32_t each = 2000;
  const auto a = make_node(options());
  const auto b = make_node(options());
  const auto peer = a->connect(b->local_address());
  ASSERT_TRUE(peer) << peer.error();
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < senders; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < each; ++i)
        submit_surely(*a, *peer, {t, i}, {.channel = static_cast<std::uint16_t>(t + 1)});
    });
  }
  std::array<std::uint32_t, senders> next{};
  std::size_t arrived = 0;
  const auto taking = [&](const event& e) {
    if (e.kind != event_kind::message) return;
    const stamp s = stamp_of(e);
    EXPECT_EQ(s.number, next.at(s.thread)++);
    ++arrived;
  };
  EXPECT_TRUE(poll_until(*b, taking, [&] { return arrived == senders * each; }));
  for (auto& t : threads) t.join();
}

// What threads agree on by other means holds too: each sends when the one before has sent.
TEST_P(node_threads, threads_that_take_turns_keep_their_order) {
  constexpr std::uint32_t senders = 3;
  constexpr std::uint32_t count = 3000;
  const auto a = make_node(options());
  const auto b = make_node(options());
  const auto peer = a->connect(b->local_address());
  ASSERT_TRUE(peer) << peer.error();
  std::atomic<std::uint32_t> turn{0};
  std::vector<message_id> ids(count);
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < senders; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = t; i < count; i += senders) {
        for (std::uint32_t now = turn; now != i; now = turn) turn.wait(now);
        ids[i] = submit_surely(*a, *peer, {t, i}, {.channel = 1});
        turn = i + 1;
        turn.notify_all();
      }
    });
  }
  std::uint32_t next = 0;
  const auto taking = [&](const event& e) {
    if (e.kind != event_kind::message) return;
    EXPECT_EQ(stamp_of(e).number, next++);
  };
  EXPECT_TRUE(poll_until(*b, taking, [&] { return next == count; }));
  for (auto& t : threads) t.join();
  for (std::uint32_t i = 0; i < count; ++i) EXPECT_EQ(ids[i].value, i);
}

TEST_P(node_threads, several_threads_answer) {
  constexpr std::uint32_t count = 4000;
  node_options answering = options();
  answering.confirm = confirm_mode::on_request;
  const auto a = make_node(options());
  const auto b = make_node(answering);
  const auto peer = a->connect(b->local_address());
  ASSERT_TRUE(peer) << peer.error();
  std::atomic<std::size_t> answered{0};
  const auto answer = [&](const event& e) {
    if (e.kind != event_kind::message) return;
    const bool accepted = stamp_of(e).number % 2 == 0;
    EXPECT_TRUE(accepted ? b->confirm(e.peer, e.id) : b->reject(e.peer, e.id));
    ++answered;
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back(
        [&] { EXPECT_TRUE(poll_until(*b, answer, [&] { return answered == count; })); });
  threads.emplace_back([&] {
    for (std::uint32_t i = 0; i < count; ++i)
      submit_surely(*a, *peer, {0, i}, {.want = confirm::delivered, .context = i});
  });
  std::size_t ends = 0;
  const auto hearing = [&](const event& e) {
    if (e.kind != event_kind::delivered && e.kind != event_kind::rejected) return;
    EXPECT_EQ(e.kind == event_kind::delivered, e.context % 2 == 0);
    ++ends;
  };
  EXPECT_TRUE(poll_until(*a, hearing, [&] { return ends == count; }));
  for (auto& t : threads) t.join();
}

TEST_P(node_threads, rare_calls_may_come_from_any_thread) {
  const auto a = make_node(options());
  const auto b = make_node(options());
  const auto peer = a->connect(b->local_address());
  ASSERT_TRUE(peer) << peer.error();
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        EXPECT_EQ(a->find(b->local_address()), *peer);
        EXPECT_EQ(a->peers(peer_filter::all).size(), 1u);
        EXPECT_TRUE(a->info(*peer));
        EXPECT_FALSE(a->stats().empty());
        static_cast<void>(a->unresolved(*peer));
        static_cast<void>(a->idle());
      }
    });
  }
  std::size_t arrived = 0;
  for (std::uint32_t i = 0; i < 500; ++i) submit_surely(*a, *peer, {0, i}, {});
  const auto taking = [&](const event& e) { arrived += e.kind == event_kind::message; };
  EXPECT_TRUE(poll_until(*b, taking, [&] { return arrived == 500; }));
  stop = true;
  for (auto& t : threads) t.join();
}

TEST_P(node_threads, shutdown_waits_until_everything_has_its_end) {
  constexpr std::uint32_t count = 2000;
  const auto a = make_node(options());
  const auto b = make_node(options());
  const auto peer = a->connect(b->local_address());
  ASSERT_TRUE(peer) << peer.error();
  std::atomic<std::size_t> arrived{0};
  std::thread receiving([&] {
    const auto taking = [&](const event& e) { arrived += e.kind == event_kind::message; };
    EXPECT_TRUE(poll_until(*b, taking, [&] { return arrived == count; }));
    // What was taken last is confirmed by a node that goes on living.
    static_cast<void>(poll_until(*b, taking, [&] { return a->idle(); }));
  });
  for (std::uint32_t i = 0; i < count; ++i)
    submit_surely(*a, *peer, {0, i}, {.want = confirm::delivered});
  EXPECT_TRUE(a->shutdown(a->now() + 10s));
  EXPECT_EQ(a->submit(*peer, {}, {}).error(), refusal::closed);
  EXPECT_FALSE(a->connect(b->local_address()));
  receiving.join();
  std::size_t delivered = 0;
  std::size_t down = 0;
  const auto hearing = [&](const event& e) {
    delivered += e.kind == event_kind::delivered;
    down += e.kind == event_kind::peer_down;
  };
  EXPECT_TRUE(poll_until(*a, hearing, [&] { return down == 1; }));
  EXPECT_EQ(delivered, count);
  EXPECT_TRUE(a->shutdown(a->now()));  // again: nothing is left
}

// Whoever got an id gets an end: also what came while the door was closing.
TEST_P(node_threads, shutdown_reports_what_nobody_will_ever_know) {
  const auto a = make_node(options());
  node_options silent = options();
  const auto b = make_node(silent);
  const auto peer = a->connect(b->local_address());
  ASSERT_TRUE(peer) << peer.error();
  std::atomic<std::size_t> taken{0};
  std::atomic<bool> refused{false};
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0;; ++i) {
        const stamp s{t, i};
        const auto id = a->submit(*peer, bytes_of(s), {.want = confirm::delivered});
        taken += id.has_value();
        if (!id && id.error() == refusal::closed) break;
      }
      refused = true;
    });
  }
  // Nobody polls b: nothing is ever delivered.
  std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(a->shutdown(a->now() + 20ms));
  for (auto& t : threads) t.join();
  EXPECT_TRUE(refused);
  std::size_t ends = 0;
  bool down = false;
  const auto hearing = [&](const event& e) {
    ends += e.kind == event_kind::unknown || e.kind == event_kind::delivered;
    down = down || e.kind == event_kind::peer_down;
  };
  EXPECT_TRUE(poll_until(*a, hearing, [&] { return down && ends == taken; }))
      << ends << " of " << taken;
  EXPECT_EQ(a->poll({}, a->now()), 0u);
}

// Nothing hangs, and nothing leaks, when a node goes with its queues full.
TEST_P(node_threads, a_node_may_go_while_nobody_polls) {
  const auto b = make_node(options());
  {
    const auto a = make_node(options());
    const auto there = a->connect(b->local_address());
    const auto back = b->connect(a->local_address());
    ASSERT_TRUE(there);
    ASSERT_TRUE(back);
    const std::vector<std::byte> payload(3000);
    const time_point end = a->now() + 300ms;
    while (a->now() < end) {
      static_cast<void>(a->submit(*there, payload, {.want = confirm::both}));
      static_cast<void>(b->submit(*back, payload, {.want = confirm::both}));
    }
  }
  EXPECT_TRUE(b->now() > time_point{});
}

TEST_P(node_threads, every_idle_strategy_moves_messages) {
  for (const idle_strategy idle :
       {idle_strategy::park, idle_strategy::yield, idle_strategy::spin}) {
    node_options o = options();
    o.threads.idle = idle;
    const auto a = make_node(o);
    const auto b = make_node(o);
    const auto peer = a->connect(b->local_address());
    ASSERT_TRUE(peer) << peer.error();
    for (std::uint32_t i = 0; i < 100; ++i)
      submit_surely(*a, *peer, {0, i}, {.want = confirm::delivered});
    std::size_t arrived = 0;
    std::size_t ends = 0;
    EXPECT_TRUE(poll_until(
        *b, [&](const event& e) { arrived += e.kind == event_kind::message; },
        [&] { return arrived == 100; }))
        << to_string(idle);
    EXPECT_TRUE(poll_until(
        *a, [&](const event& e) { ends += e.kind == event_kind::delivered; },
        [&] { return ends == 100; }))
        << to_string(idle);
  }
}

// The threads of this process by name, with the cpus that each may use.
std::multimap<std::string, std::string> threads_here() {
  std::multimap<std::string, std::string> all;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    std::string name;
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("Name:\t")) name = line.substr(6);
      if (line.starts_with("Cpus_allowed_list:\t")) all.emplace(name, line.substr(19));
    }
  }
  return all;
}

TEST_P(node_threads, threads_run_where_they_are_told_to) {
  node_options o = options();
  o.threads.cpus = {0};
  const auto a = make_node(o);
  const auto all = threads_here();
  const std::map<std::string, std::size_t> protocol_threads{
      {"single", 1}, {"pair", 1}, {"pipeline", 1}, {"sharded:2", 2}};
  const std::string layout = GetParam().threads;
  EXPECT_EQ(all.count("mdp-node"), protocol_threads.at(layout));
  EXPECT_EQ(all.count("mdp-receive"), layout == "pair" || layout == "pipeline" ? 1u : 0u);
  EXPECT_EQ(all.count("mdp-send"), layout == "pipeline" ? 1u : 0u);
  for (const auto& [name, cpus] : all) {
    if (name.starts_with("mdp-")) {
      EXPECT_EQ(cpus, "0") << name;
    }
  }
  o.threads.cpus = {4095};
  EXPECT_THROW(static_cast<void>(make_node(o)), std::system_error);
}

INSTANTIATE_TEST_SUITE_P(layouts, node_threads,
                         testing::Values(test::node_variant{"socket", "single"},
                                         test::node_variant{"socket", "pair"},
                                         test::node_variant{"socket", "pipeline"},
                                         test::node_variant{"socket", "sharded:2"},
                                         test::node_variant{"io_uring", "single"},
                                         test::node_variant{"io_uring", "pair"},
                                         test::node_variant{"io_uring", "pipeline"},
                                         test::node_variant{"io_uring", "sharded:2"}),
                         [](const auto& test) { return test::name_of(test.param); });

}  // namespace
}  // namespace mdp
