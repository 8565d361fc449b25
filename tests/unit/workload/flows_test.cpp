// What senders and receivers measure when the other side stops, or the wire misbehaves.
#include <gtest/gtest.h>

#include "fake_messengers.hpp"
#include "workload/receiver.hpp"
#include "workload/sender.hpp"

namespace mdp::workload {
namespace {

using namespace std::chrono_literals;

constexpr phases six_seconds{at_ns(0), at_ns(500'000'000), at_ns(6'000'000'000),
                             at_ns(8'000'000'000)};

struct flow {
  fake_wire wire;
  fake_messenger client{wire};
  fake_messenger server{wire};
  sender source;
  receiver sink;

  explicit flow(const sender_options& o, bool replies = true)
      : source(with(o, client)), sink({&server, {{replies, 0}}}) {
    client.link(server);
    server.link(client);
  }
  static sender_options with(sender_options o, fake_messenger& m) {
    o.messenger = &m;
    o.targets = {peer_id{0}};
    if (o.sizes.empty()) o.sizes = {{64, 1.0}};
    return o;
  }
  fake_end client_end() { return {client, source}; }
  fake_end server_end() { return {server, sink}; }
  void run(const phases& p = six_seconds) { run_to_end(wire, {client_end(), server_end()}, p); }
};

sender_options thousand_a_second() {
  sender_options o;
  o.expects_reply = true;
  o.open_loop = true;
  o.arrivals.rate_per_s = 1000;
  return o;
}

sender_options stream(std::uint32_t in_flight = 1) {
  sender_options o = thousand_a_second();
  o.expects_reply = false;
  o.in_flight = in_flight;
  return o;
}

double ms(std::optional<std::int64_t> ns) {
  return ns ? static_cast<double>(*ns) / 1e6 : -1;
}

// 1,000 of 5,500 requests wait up to a second: 55 of them longer than 945 ms, 550 longer than 450
// ms.
TEST(CoordinatedOmission, AStoppedPeerIsChargedToEveryRequestThatItDelayed) {
  flow f(thousand_a_second());
  fake_end server = f.server_end();
  server.stops = at_ns(3'000'000'000);
  server.resumes = at_ns(4'000'000'000);
  run_to_end(f.wire, {f.client_end(), server}, six_seconds);
  const flow_metrics& m = f.source.metrics();
  EXPECT_EQ(m.offered, 5500u);
  EXPECT_EQ(m.completed, 5500u);
  EXPECT_EQ(m.expired, 0u);
  EXPECT_EQ(m.response.count(), 5500u);
  EXPECT_NEAR(ms(m.response.percentile(99)), 945, 94.5);
  EXPECT_NEAR(ms(m.response.percentile(90)), 450, 45);
  EXPECT_LT(ms(m.response.percentile(50)), 1);
}

TEST(CoordinatedOmission, AStoppedSenderStillSendsAtTheTimesItMeantTo) {
  flow f(thousand_a_second());
  fake_end client = f.client_end();
  client.stops = at_ns(3'000'000'000);
  client.resumes = at_ns(4'000'000'000);
  run_to_end(f.wire, {client, f.server_end()}, six_seconds);
  const flow_metrics& m = f.source.metrics();
  EXPECT_EQ(m.completed, 5500u);
  EXPECT_NEAR(ms(m.response.percentile(99)), 945, 94.5);
  EXPECT_NEAR(ms(m.response.percentile(90)), 450, 45);
  // From the actual sending all were quick: the two latencies are told apart.
  EXPECT_LT(ms(m.service.max()), 1);
}

TEST(CoordinatedOmission, AFullQueueDelaysMessagesButNotTheirIntendedTimes) {
  flow f(thousand_a_second());
  f.wire.refuse_from = at_ns(3'000'000'000);
  f.wire.refuse_until = at_ns(4'000'000'000);
  f.run();
  const flow_metrics& m = f.source.metrics();
  EXPECT_EQ(m.offered, 5500u);
  EXPECT_EQ(m.sent, 5500u);
  EXPECT_NEAR(ms(m.response.percentile(99)), 945, 94.5);
}

TEST(CoordinatedOmission, RequestsNeverAnsweredStayInThePercentiles) {
  flow f(thousand_a_second());
  fake_end server = f.server_end();
  server.stops = at_ns(5'000'000'000);
  server.resumes = never;
  run_to_end(f.wire, {f.client_end(), server}, six_seconds);
  const flow_metrics& m = f.source.metrics();
  EXPECT_EQ(m.completed + m.expired, m.offered);
  EXPECT_NEAR(static_cast<double>(m.expired), 1000, 1);
  EXPECT_EQ(m.response.count(), m.offered);
  // The last second's requests had waited two to three seconds when the drain ended.
  EXPECT_GE(ms(m.response.percentile(99)), 2900);
  EXPECT_GE(ms(m.response.percentile(90)), 2000);
}

TEST(CoordinatedOmission, MessagesThatCouldNeverBeSubmittedCountAsOfferedAndExpired) {
  flow f(thousand_a_second());
  f.wire.refuse_from = at_ns(5'000'000'000);
  f.run();
  const flow_metrics& m = f.source.metrics();
  EXPECT_EQ(m.offered, 5500u);
  EXPECT_NEAR(static_cast<double>(m.sent), 4500, 1);
  EXPECT_EQ(m.expired, m.offered - m.completed);
  EXPECT_EQ(m.response.count(), m.offered);
}

TEST(Refusals, APeerThatIsGoneForGoodCostsAnOpenLoopItsMessagesOnly) {
  flow f(thousand_a_second());
  f.wire.refuse_from = at_ns(2'000'000'000);
  f.wire.refuse_until = at_ns(3'000'000'000);
  f.wire.refuse_with = messaging::refusal::unknown_peer;
  f.run();
  const flow_metrics& m = f.source.metrics();
  EXPECT_EQ(m.offered, 5500u);
  EXPECT_NEAR(static_cast<double>(m.refused), 1000, 1);
  EXPECT_EQ(m.completed + m.refused, m.offered) << "no other is late or lost for them";
  EXPECT_EQ(m.sent, m.completed);
  EXPECT_LT(ms(m.response.percentile(100)), 1);
}

TEST(Refusals, AClosedLoopTurnsToThoseThatAreLeft) {
  sender_options o = stream(4);
  o.open_loop = false;
  o.expects_reply = true;
  flow f(o);
  sender_options two = flow::with(o, f.client);
  two.targets = {peer_id{7}, peer_id{0}};
  sender source(two);
  f.wire.refuse_from = at_ns(1'000'000'000);
  f.wire.refuse_with = messaging::refusal::blacklisted;
  f.wire.refuse_to = peer_id{7};
  run_to_end(f.wire, {{f.client, source}, f.server_end()}, six_seconds);
  EXPECT_EQ(source.metrics().refused, 1u);
  EXPECT_GT(source.metrics().completed, 100'000u) << "four each 100 us, to the other alone";
  flow g(o);
  g.wire.refuse_from = at_ns(1'000'000'000);
  g.wire.refuse_with = messaging::refusal::blacklisted;
  g.run();
  EXPECT_EQ(g.source.metrics().refused, 1u) << "nobody is left to ask again";
  EXPECT_TRUE(g.source.done());
}

TEST(Timeouts, AreAskedForAndCountedApart) {
  sender_options o = stream();
  o.timeout = 30ms;
  for (const auto want : {messaging::confirm::delivered, messaging::confirm::received}) {
    o.want = want;
    flow f(o, false);
    f.source.begin(six_seconds);
    f.wire.now = at_ns(600'000'000);
    while (f.source.do_work(f.wire.now)) {
    }
    EXPECT_EQ(f.wire.asked.received_timeout, 30ms);
    EXPECT_EQ(f.wire.asked.delivered_timeout,
              want == messaging::confirm::delivered ? duration(30ms) : duration{});
    messaging::event e;
    using enum messaging::event_kind;
    std::uint64_t sequence = 550;  // within the window
    for (const auto kind : {timed_out_received, timed_out_delivered, unknown, timed_out_received}) {
      e.kind = kind;
      e.context = context_of(0, kind == unknown ? 560 : sequence++);
      f.source.on_event(e);
    }
    f.source.on_event(e);  // the same again has no effect
    EXPECT_EQ(f.source.metrics().timed_out, 3u);
    EXPECT_EQ(f.source.metrics().unknown, 1u);
  }
}

TEST(Receiver, CountsDuplicatesAndDoesNotTakeThemForMessages) {
  flow f(stream(), false);
  f.wire.duplicate_each = 10;
  f.run();
  EXPECT_EQ(f.sink.metrics().duplicated, 600u);
  EXPECT_EQ(f.sink.metrics().one_way.count(), 5500u);
  EXPECT_EQ(f.sink.metrics().corrupted, 0u);
}

TEST(Receiver, FindsDamageInEveryByteOfTheStamp) {
  for (std::size_t at = 0; at < payload_bytes_min; ++at) {
    flow f(stream(), false);
    f.wire.damage_each = 10;
    f.wire.damage_at = at;
    f.run();
    EXPECT_EQ(f.sink.metrics().corrupted, 600u) << "byte " << at;
  }
}

TEST(Receiver, ALostMessageIsNeitherADuplicateNorDamage) {
  flow f(stream(), false);
  f.wire.lose_each = 10;
  f.run();
  EXPECT_EQ(f.sink.metrics().one_way.count(), 4950u);
  EXPECT_EQ(f.sink.metrics().duplicated, 0u);
  EXPECT_EQ(f.sink.metrics().corrupted, 0u);
}

TEST(Receiver, OneWayLatencyIsTheWiresDelay) {
  flow f(stream(), false);
  f.wire.delay = 3ms;
  f.run();
  EXPECT_NEAR(ms(f.sink.metrics().one_way.percentile(50)), 3, 0.01);
}

TEST(ClosedLoop, KeepsExactlyItsNumberOfMessagesInFlight) {
  sender_options o = thousand_a_second();
  o.open_loop = false;
  o.in_flight = 4;
  flow f(o);
  f.wire.delay = 1ms;
  f.run();
  // Four requests each 2 ms (there and back) for 5.5 s.
  EXPECT_NEAR(static_cast<double>(f.source.metrics().completed), 11000, 110);
  EXPECT_NEAR(ms(f.source.metrics().round_trip.percentile(50)), 2, 0.02);
  EXPECT_TRUE(f.source.done());
}

TEST(Sizes, FollowTheirWeightsAndRepeatWithTheSeed) {
  const auto bytes = [](std::uint64_t seed) {
    sender_options o = stream();
    o.sizes = {{64, 0.75}, {128, 0.25}};
    o.seed = seed;
    flow f(o, false);
    f.run();
    return f.sink.metrics().arrived_bytes;
  };
  EXPECT_EQ(bytes(1), bytes(1));
  EXPECT_NE(bytes(1), bytes(2));
  EXPECT_NEAR(static_cast<double>(bytes(1)), 5500 * 80, 5500 * 80 * 0.03);
}

}  // namespace
}  // namespace mdp::workload
