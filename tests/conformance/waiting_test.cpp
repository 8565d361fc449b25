// poll() waits as long as it was told, unless something comes or wake() is called. Only lower
// bounds of times are asserted; threads are joined, never slept for.
#include <atomic>
#include <thread>

#include "tests/conformance/fixture.hpp"

namespace mdp::conformance {
namespace {

class waiting : public transport_suite {
 protected:
  void SetUp() override {
    transport_suite::SetUp();
    if (!IsSkipped() && fabric_->caps().virtual_time)
      GTEST_SKIP() << "SKIPPED: never waits in virtual time";
  }
};

TEST_P(waiting, lasts_until_the_deadline) {
  port& p = open(8);
  std::array<rx_datagrams, 4> got;
  for (const duration spin : {duration(0), duration(1'000'000), duration(100'000'000)}) {
    const time_point deadline = p.link->now() + std::chrono::milliseconds(20);
    EXPECT_EQ(p.link->poll(got, {.deadline = deadline, .spin = spin}), 0u);
    EXPECT_GE(p.link->now(), deadline);
  }
}

TEST_P(waiting, a_past_deadline_does_not_wait) {
  port& p = open(8);
  std::array<rx_datagrams, 4> got;
  EXPECT_EQ(p.link->poll(got, {}), 0u);
  EXPECT_EQ(p.link->poll(got, {.deadline = p.link->now() - duration(1)}), 0u);
  EXPECT_EQ(p.link->counts().wakeups, 0u);
}

TEST_P(waiting, a_wake_before_the_sleep_is_not_lost) {
  port& p = open(8);
  std::array<rx_datagrams, 4> got;
  EXPECT_EQ(p.link->poll(got, {}), 0u);
  p.link->wake();
  EXPECT_EQ(p.link->poll(got, {.deadline = never}), 0u);
}

TEST_P(waiting, wake_from_another_thread_ends_a_poll_without_deadline) {
  port& p = open(8);
  std::array<rx_datagrams, 4> got;
  // Many rounds, so that wake() meets every moment of falling asleep: a lost one hangs the test.
  for (int round = 0; round < 2000; ++round) {
    std::atomic<bool> go = false;
    bool seen = false;
    int message = 0;
    std::thread waker;
    if (round % 100 == 0) {
      waker = std::thread([&] {
        message = round;
        go.store(true);
        p.link->wake();
      });
    } else {
      go.store(true);
      p.link->wake();
    }
    while (!seen) {
      static_cast<void>(
          p.link->poll(got, {.deadline = never, .spin = duration(round % 3 == 0 ? 10'000 : 0)}));
      seen = go.load();
    }
    if (waker.joinable()) {
      waker.join();
      EXPECT_EQ(message, round);
    }
  }
}

TEST_P(waiting, wakes_are_not_lost_under_a_storm) {
  port& p = open(8);
  constexpr std::uint64_t total = 20'000;
  std::atomic<std::uint64_t> produced = 0;
  std::thread waker([&] {
    for (std::uint64_t i = 1; i <= total; ++i) {
      produced.store(i, std::memory_order_relaxed);
      p.link->wake();
    }
  });
  std::array<rx_datagrams, 4> got;
  // Only wake() can end these polls; the last one must, or this hangs.
  while (produced.load(std::memory_order_relaxed) < total)
    static_cast<void>(p.link->poll(got, {.deadline = never}));
  waker.join();
  EXPECT_EQ(produced.load(), total);
}

TEST_P(waiting, a_datagram_ends_the_sleep) {
  if (!delivers()) GTEST_SKIP() << "SKIPPED: this transport delivers nothing by design";
  port& a = open(8);
  port& b = open(8);
  // Each transport on its own thread, a ping-pong of sleeping polls.
  constexpr int rounds = 200;
  auto play = [&](port& self, const endpoint_address& to, bool begins, buffer::block_pool& pool,
                  int& heard) {
    std::array<rx_datagrams, 4> got;
    auto say = [&] {
      buffer::tx_batch batch;
      slice part = slice::acquire(pool);
      std::memset(part.data(), 0, 8);
      batch.add_part(part.subslice(0, 8));
      batch.finish_item(to, 0);
      while (!batch.empty()) batch.consume(self.link->send(batch.pending()));
    };
    if (begins) say();
    const time_point end = self.link->now() + std::chrono::seconds(60);
    while (heard < rounds && self.link->now() < end) {
      const std::size_t n =
          self.link->poll(got, {.deadline = end, .min_datagrams = 2, .min_wait = duration(20'000)});
      for (std::size_t i = 0; i < n; ++i) {
        got[i].data.reset();
        ++heard;
        if (!begins || heard < rounds) say();
      }
    }
    // The last answer is only queued until a poll.
    static_cast<void>(self.link->poll(got, {}));
  };
  buffer::block_pool pool_a({.block_bytes = 64, .block_count = 1024});
  buffer::block_pool pool_b({.block_bytes = 64, .block_count = 1024});
  int heard_a = 0;
  int heard_b = 0;
  const endpoint_address at_a = a.address();
  const endpoint_address at_b = b.address();
  std::thread other([&] { play(b, at_a, false, pool_b, heard_b); });
  play(a, at_b, true, pool_a, heard_a);
  other.join();
  EXPECT_EQ(heard_a, rounds);
  EXPECT_EQ(heard_b, rounds);
  a.link.reset();
  b.link.reset();
  EXPECT_EQ(pool_a.available(), pool_a.block_count());
  EXPECT_EQ(pool_b.available(), pool_b.block_count());
  ports_.clear();
}

INSTANTIATE_TEST_SUITE_P(plugin, waiting, testing::ValuesIn(plugins_under_test()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace mdp::conformance
