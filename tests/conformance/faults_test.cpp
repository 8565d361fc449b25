// A kernel that fails now and then, or for a while: every datagram is sent once or counted as
// rejected, none twice, and the transport goes on.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string_view>

#include "mdp/runtime/node.hpp"
#include "tests/conformance/fixture.hpp"
#include "tests/conformance/system_faults.hpp"

namespace mdp::conformance {
namespace {

class faults : public transport_suite {
 protected:
  static constexpr unsigned train_of = 4;

  void SetUp() override {
    transport_suite::SetUp();
    if (IsSkipped()) return;
    if (GetParam() == "io_uring" && !rings_can_fail())
      GTEST_SKIP() << "SKIPPED: this kernel (before 6.10) cannot fail a ring's sends on request";
    a = &open();
    b = &open();
  }
  void TearDown() override {
    set_faults({});
    transport_suite::TearDown();
  }
  // Sends `count` items that tell their number, each second one a train, and waits until all that
  // was offered has been received or rejected.
  void exchange(unsigned count, const port& to) {
    for (unsigned i = 0; i < count; ++i) {
      const unsigned parts = i % 2 == 0 ? 1 : train_of;
      std::string bytes;
      for (unsigned k = 0; k < parts; ++k) bytes += numbered();
      send_one(*a, to.address(), bytes, parts > 1 ? std::uint16_t{16} : std::uint16_t{0});
    }
    EXPECT_TRUE(pump_until([&] { return to.inbox.size() + counts().tx_rejected >= offered; }))
        << to.inbox.size() << " received, " << counts().tx_rejected << " rejected of " << offered;
    pump_quietly();
  }
  std::string numbered() {
    char text[17];
    std::snprintf(text, sizeof text, "datagram %07u", offered++);
    return text;
  }
  [[nodiscard]] const transport::counters& counts() const { return a->link->counts(); }
  void expect_each_once(const port& at) {
    std::set<std::string> seen;
    for (const datagram& d : at.inbox) EXPECT_TRUE(seen.insert(d.bytes).second) << d.bytes;
    EXPECT_EQ(seen.size() + counts().tx_rejected, offered);
  }

  port* a = nullptr;
  port* b = nullptr;
  unsigned offered = 0;
};

// No room, no memory, a signal: it passes, and nothing is lost.
TEST_P(faults, what_passes_loses_nothing) {
  for (const int error : {EAGAIN, ENOBUFS, ENOMEM, EINTR}) {
    set_faults({[error](const send_attempt& s) { return s.number % 3 == 1 ? error : 0; }, {}});
    const std::uint64_t blocked = counts().tx_blocked;
    exchange(120, *b);
    expect_each_once(*b);
    EXPECT_EQ(counts().tx_rejected, 0u) << error;
    if (error != EINTR) {
      EXPECT_GT(counts().tx_blocked, blocked) << error;
    }
  }
}

// A device that has no room for a while: asked again now and then, and not as fast as possible.
TEST_P(faults, a_shortage_that_lasts_is_waited_out) {
  set_faults({[](const send_attempt&) { return ENOBUFS; }, {}});
  buffer::tx_batch batch;
  for (int i = 0; i < 3; ++i) add_item(batch, b->address(), numbered());
  std::array<rx_datagrams, 4> got;
  const time_point end = a->link->now() + std::chrono::milliseconds(50);
  while (a->link->now() < end) {
    // As a node does: it looks up often while something did not go.
    const auto soon = a->link->now() + std::chrono::milliseconds(1);
    if (!batch.empty()) batch.consume(a->link->send(batch.pending()));
    static_cast<void>(a->link->poll(got, {.deadline = soon}));
  }
  EXPECT_GE(send_attempts(), 3u);
  EXPECT_LE(send_attempts(), 1000u) << "in 50 ms";
  EXPECT_EQ(counts().tx_rejected, 0u);
  set_faults({});
  ASSERT_TRUE(send_all(*a, batch));
  EXPECT_TRUE(pump_until([&] { return b->inbox.size() == offered; }));
  expect_each_once(*b);
}

// One that sleeps without a deadline finds out by itself that there is room again.
TEST_P(faults, a_sleeper_sends_what_was_held_back) {
  if (!a->link->caps().holds_slices)
    GTEST_SKIP() << "SKIPPED: what is not sent at once is the caller's";
  set_faults({[](const send_attempt& s) { return s.number < 3 ? ENOBUFS : 0; }, {}});
  buffer::tx_batch batch;
  add_item(batch, b->address(), numbered());
  batch.consume(a->link->send(batch.pending()));
  ASSERT_TRUE(batch.empty());
  std::array<rx_datagrams, 4> got;
  EXPECT_EQ(a->link->poll(got, {.deadline = a->link->now() + std::chrono::seconds(1)}), 0u);
  EXPECT_EQ(counts().tx_datagrams, 1u);
}

// One that spins asks no more often than one that sleeps, and gives up in the end.
TEST_P(faults, a_spinner_does_not_flood_a_device_without_room) {
  if (!a->link->caps().holds_slices)
    GTEST_SKIP() << "SKIPPED: what is not sent at once is the caller's";
  set_faults({[](const send_attempt&) { return ENOBUFS; }, {}});
  buffer::tx_batch batch;
  add_item(batch, b->address(), numbered());
  batch.consume(a->link->send(batch.pending()));
  ASSERT_TRUE(batch.empty());
  std::array<rx_datagrams, 4> got;
  const auto spin = [&](duration longest) {
    const transport::wait_limits limits{.deadline = a->link->now() + longest, .spin = longest};
    static_cast<void>(a->link->poll(got, limits));
  };
  spin(std::chrono::milliseconds(20));
  EXPECT_GE(send_attempts(), 2u);
  EXPECT_LE(send_attempts(), 25u) << "in 20 ms";
  for (int i = 0; i < 100 && counts().tx_rejected == 0; ++i) spin(std::chrono::milliseconds(50));
  EXPECT_EQ(counts().tx_rejected, 1u);
  EXPECT_EQ(send_attempts(), counts().tx_blocked);
  EXPECT_LE(send_attempts(), 250u);
  set_faults({});
  exchange(10, *b);
  expect_each_once(*b);
}

// A datagram that does not fit its block is dropped and counted; those around it come.
TEST_P(faults, a_truncated_datagram_is_dropped_and_counted) {
  constexpr std::uint32_t small_block = 2048;
  buffer::block_pool pool({.block_bytes = small_block,
                           .block_count = 128,
                           .shared = buffer::sharing::one_thread,
                           .prefault = false});
  const auto narrow = fabric_->open({.local = {}, .name = "narrow", .rx_pool = &pool});
  std::set<std::string> came;
  std::array<rx_datagrams, 16> got;
  const std::string large(3000, 'x');
  constexpr unsigned rounds = 100;
  for (unsigned i = 0; i < rounds; ++i) {
    send_one(*a, narrow->local_address(), large);
    send_one(*a, narrow->local_address(), numbered());
    const time_point end = narrow->now() + std::chrono::seconds(5);
    while (came.size() <= i && narrow->now() < end) {
      const std::size_t n = narrow->poll(got, {.deadline = end});
      for (rx_datagrams& d : std::span(got).first(n)) {
        const auto bytes = d.data.bytes();
        EXPECT_TRUE(came.emplace(reinterpret_cast<const char*>(bytes.data()), bytes.size()).second);
        d.data.reset();
      }
    }
  }
  EXPECT_EQ(came.size(), rounds);
  EXPECT_EQ(came.count(large), 0u);
  EXPECT_EQ(narrow->counts().rx_truncated, rounds);
  EXPECT_EQ(narrow->counts().rx_datagrams, rounds);
}

// The kernel tells of an earlier datagram's fate in place of sending this one.
TEST_P(faults, an_error_of_an_earlier_datagram_loses_nothing) {
  for (const int error : {ECONNREFUSED, EHOSTUNREACH, ENETUNREACH}) {
    set_faults({[error](const send_attempt& s) { return s.number % 5 == 2 ? error : 0; }, {}});
    const std::uint64_t errors = counts().path_errors;
    exchange(100, *b);
    expect_each_once(*b);
    EXPECT_EQ(counts().tx_rejected, 0u) << error;
    EXPECT_GT(counts().path_errors, errors) << error;
  }
}

// The network goes down and comes back: what could not go is counted, and nothing is sent late.
TEST_P(faults, what_a_dead_network_refuses_is_counted) {
  for (const int error : {ENETDOWN, EPERM}) {
    set_faults(
        {[error](const send_attempt& s) { return s.number >= 20 && s.number < 40 ? error : 0; },
         {}});
    const std::uint64_t rejected = counts().tx_rejected;
    exchange(100, *b);
    expect_each_once(*b);
    EXPECT_GT(counts().tx_rejected, rejected) << error;
  }
}

// A route without offload: its trains go datagram by datagram, at once and from then on; another
// route keeps its trains.
TEST_P(faults, a_route_that_refuses_trains_gets_single_datagrams) {
  for (const int error : {EIO, EINVAL}) {
    port& c = open();
    port& d = open();
    const std::uint16_t refusing = c.address().port;
    std::size_t tried = 0;
    set_faults({[&, error](const send_attempt& s) {
                  if (!s.train || s.port != refusing) return 0;
                  ++tried;
                  return error;
                },
                {}});
    const std::uint64_t unsegmented = counts().tx_unsegmented;
    offered = 0;
    exchange(40, c);
    expect_each_once(c);
    EXPECT_EQ(tried, 1u) << error;
    EXPECT_EQ(counts().tx_unsegmented - unsegmented, 20u) << error;
    offered = 0;
    exchange(40, d);
    expect_each_once(d);
    EXPECT_EQ(counts().tx_unsegmented - unsegmented, 20u) << error;
    EXPECT_EQ(counts().tx_rejected, 0u) << error;
  }
}

// The kernel takes a part of each batch.
TEST_P(faults, partial_batches_lose_nothing) {
  for (const std::size_t most : {std::size_t{1}, std::size_t{3}}) {
    set_faults({{}, {}, most});
    buffer::tx_batch batch;
    for (int i = 0; i < 60; ++i) add_item(batch, b->address(), numbered());
    ASSERT_TRUE(send_all(*a, batch));
    EXPECT_TRUE(pump_until([&] { return b->inbox.size() == offered; }));
  }
  expect_each_once(*b);
  EXPECT_EQ(counts().tx_rejected, 0u);
}

// Receives that fail are made again.
TEST_P(faults, failed_receives_lose_nothing) {
  for (const int error : {EINTR, ENOBUFS, ENOMEM, ECONNREFUSED}) {
    set_faults({{}, [error](std::size_t n) { return n % 2 == 0 ? error : 0; }});
    port& c = open();  // its first receive fails, also the one that a ring makes once
    offered = 0;
    exchange(60, c);
    expect_each_once(c);
    if (error == ECONNREFUSED) {
      EXPECT_GT(counts().path_errors + b->link->counts().path_errors + c.link->counts().path_errors,
                0u);
    }
  }
}

// Nothing is kept when a transport is closed while datagrams wait for room: TearDown() looks.
TEST_P(faults, closing_lets_go_of_what_waits) {
  set_faults({[](const send_attempt&) { return ENOBUFS; }, {}});
  buffer::tx_batch batch;
  for (int i = 0; i < 10; ++i) add_item(batch, b->address(), numbered());
  batch.consume(a->link->send(batch.pending()));
  poll_once(*a);
  const time_point before = b->link->now();
  a->link.reset();
  EXPECT_LT(b->link->now() - before, std::chrono::milliseconds(500));
  batch.clear();
}

// The protocol above: whatever its transport refuses or loses, each message is delivered once.
TEST_P(faults, a_node_delivers_each_message_once) {
  node_options o;
  o.fabric = fabric_.get();
  o.local = *parse_endpoint_address("127.0.0.1:0");
  const auto sender = make_node(o);
  const auto receiver = make_node(o);
  constexpr std::array errors{EAGAIN, ENOBUFS, ENETDOWN, ECONNREFUSED, EPERM, EINTR};
  set_faults({[&](const send_attempt& s) { return s.number % 4 == 3 ? errors[s.number % 6] : 0; },
              [](std::size_t n) { return n % 8 == 7 ? ENOMEM : 0; }});
  const auto peer = sender->connect(receiver->local_address());
  ASSERT_TRUE(peer);
  constexpr unsigned messages = 500;
  std::set<std::string> came;
  unsigned delivered = 0;
  std::array<messaging::event, 64> events;
  const auto take = [&](node& from) {
    const std::size_t n = from.poll(events, from.now() + std::chrono::microseconds(200));
    for (messaging::event& e : std::span(events).first(n)) {
      delivered += e.kind == messaging::event_kind::delivered;
      const auto bytes = e.payload.bytes();
      if (e.kind == messaging::event_kind::message) {
        EXPECT_TRUE(came.emplace(reinterpret_cast<const char*>(bytes.data()), 16).second);
      }
      e.payload.reset();
    }
  };
  const time_point end = sender->now() + std::chrono::seconds(20);
  while (delivered < messages && sender->now() < end) {
    while (offered < messages) {
      std::string text = numbered() + std::string(offered * 37 % 5000, 'x');
      if (sender->submit(*peer, std::as_bytes(std::span(text)),
                         {.want = messaging::confirm::delivered}))
        continue;
      --offered;
      break;
    }
    take(*sender);
    take(*receiver);
  }
  EXPECT_EQ(delivered, messages);
  EXPECT_EQ(came.size(), messages);
}

// A user who may lock no memory: the plugin works, or says what it lacks (a ring is locked memory
// on some kernels).
[[noreturn]] void run_without_lockable_memory(const std::function<bool()>& works) {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0)
    std::_Exit(3);
  bool right = false;
  try {
    right = works();
  } catch (const std::exception& e) {
    right = std::string_view(e.what()).find("ulimit -l") != std::string_view::npos;
  }
  std::_Exit(right ? 0 : 1);
}

TEST_P(faults, too_little_lockable_memory_is_enough_or_named) {
  if (::getuid() != 0) GTEST_SKIP() << "SKIPPED: needs root, to become a user without rights";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(run_without_lockable_memory([this] {
                port& c = open();
                port& d = open();
                send_one(c, d.address(), "hello");
                return pump_until([&] { return d.inbox.size() == 1; });
              }),
              testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(plugin, faults, testing::Values("socket", "io_uring"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace mdp::conformance
