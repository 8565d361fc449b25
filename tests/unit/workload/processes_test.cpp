// What actors measure when a process ends and another begins in its place.
#include <gtest/gtest.h>

#include "fake_messengers.hpp"
#include "workload/receiver.hpp"
#include "workload/sender.hpp"

namespace mdp::workload {
namespace {

using namespace std::chrono_literals;

// Measured from 1 s to 5 s.
constexpr phases five_seconds{at_ns(0), at_ns(1'000'000'000), at_ns(5'000'000'000),
                              at_ns(6'000'000'000)};

sender_options requests(fake_messenger& m, std::uint64_t first_sequence = 0) {
  sender_options o;
  o.messenger = &m;
  o.targets = {peer_id{0}};
  o.sizes = {{64, 1.0}};
  o.expects_reply = true;
  o.open_loop = true;
  o.arrivals = {.rate_per_s = 1000, .kind = arrival_kind::poisson};
  o.first_sequence = first_sequence;
  return o;
}

struct pair {
  fake_wire wire;
  fake_messenger client{wire};
  fake_messenger server{wire};
  receiver sink{{&server, {{true, 0}}}};
  pair() {
    client.link(server);
    server.link(client);
    sink.begin(five_seconds);
  }
  // Steps of a tenth of a millisecond. A silent server takes requests and answers none.
  void run(sender& source, time_point until, bool silent = false) {
    messaging::event events[64];
    for (; wire.now < until; wire.now += 100us) {
      static_cast<void>(source.do_work(wire.now));
      for (std::size_t i = server.poll(events, wire.now); i > 0; --i)
        if (!silent) sink.on_event(events[i - 1]);
      for (std::size_t i = client.poll(events, wire.now); i > 0; --i)
        source.on_event(events[i - 1]);
    }
  }
};

TEST(Processes, WhatIsOpenWhenTheSendersProcessEndsIsOrphaned) {
  pair p;
  sender source(requests(p.client));
  source.begin(five_seconds);
  p.run(source, at_ns(2'000'000'000));
  const std::uint64_t answered = source.next_sequence();
  p.run(source, at_ns(3'000'000'000), true);
  source.end_process();
  const flow_metrics& m = source.metrics();
  EXPECT_NEAR(static_cast<double>(m.orphaned), 1000, 150);
  EXPECT_NEAR(static_cast<double>(m.orphaned),
              static_cast<double>(source.next_sequence() - answered), 2);
  EXPECT_EQ(m.completed + m.orphaned, m.sent);
  EXPECT_EQ(m.offered, m.sent) << "nobody is there to miss what was due later";
  EXPECT_EQ(m.expired, 0u);
  EXPECT_EQ(m.response.count(), m.completed);
}

TEST(Processes, OrphansBeforeTheWindowAreNotCounted) {
  pair p;
  sender source(requests(p.client));
  source.begin(five_seconds);
  p.run(source, at_ns(900'000'000), true);
  source.end_process();
  EXPECT_GT(source.next_sequence(), 700u);
  EXPECT_EQ(source.metrics().orphaned, 0u);
}

// The successor sends what the one before it would have sent from then on, and its numbers go on.
TEST(Processes, ASuccessorGoesOnWithScheduleAndNumbers) {
  const auto sent_from = [](time_point resumes, std::uint64_t first) {
    pair p;
    p.wire.now = resumes;
    sender source(requests(p.client, first));
    source.begin(five_seconds);
    source.skip_to(resumes);
    p.run(source, at_ns(5'500'000'000));
    source.finish(p.wire.now);
    EXPECT_EQ(source.metrics().completed, source.metrics().offered);
    EXPECT_GE(source.metrics().offered, 1500u);
    EXPECT_EQ(p.sink.metrics().duplicated, 0u);
    return source.next_sequence() - first;
  };
  pair p;
  sender first(requests(p.client));
  first.begin(five_seconds);
  p.run(first, at_ns(3'000'000'000));
  static_cast<void>(first.do_work(p.wire.now));  // to the last moment
  const std::uint64_t all = sent_from(at_ns(0), 0);
  EXPECT_EQ(sent_from(at_ns(3'000'000'000), first.next_sequence()), all - first.next_sequence());
}

messaging::event message(peer_id from, std::span<std::byte> bytes, std::uint32_t sequence,
                         buffer::block_pool& pool) {
  write_stamp(bytes, {sequence, 0, 0, 0, 2'000'000'000});
  messaging::event e;
  e.peer = from;
  e.time = at_ns(2'000'000'000);
  const buffer::slice whole = buffer::slice::acquire(pool);
  std::memcpy(whole.data(), bytes.data(), bytes.size());
  e.payload = whole.subslice(0, static_cast<std::uint32_t>(bytes.size()));
  return e;
}

TEST(Processes, APeerInASlotThatWasAnothersHasNumbersOfItsOwn) {
  pair p;
  buffer::block_pool pool({256, 16});
  std::vector<std::byte> bytes(64);
  constexpr std::uint32_t generation = 1u << 20;
  const auto arrive = [&](std::uint32_t peer, std::uint32_t sequence) {
    messaging::event e = message(peer_id{peer}, bytes, sequence, pool);
    p.sink.on_event(e);
  };
  arrive(3, 7);
  arrive(3, 8);
  arrive(3 + generation, 7);
  EXPECT_EQ(p.sink.metrics().duplicated, 0u);
  EXPECT_EQ(p.sink.metrics().arrived, 3u);
  arrive(3 + generation, 7);
  EXPECT_EQ(p.sink.metrics().duplicated, 1u);
}

}  // namespace
}  // namespace mdp::workload
