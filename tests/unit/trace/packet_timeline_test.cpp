#include "trace/packet_timeline.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "mdp/wire/packet.hpp"

namespace mdp::trace {
namespace {

using transport::packet_event;
using transport::packet_fate;

// Two nodes and a trunk: places 0 to 2 are node a's, 3 to 5 node b's, 6 the trunk from a to b.
class Timeline : public testing::Test {
 protected:
  static timeline_options options() { return {"a", 0, 100, 1'000'000, 16}; }

  static void places(packet_timeline& t) {
    const char* names[] = {"a/up", "a/down", "a", "b/up", "b/down", "b", "r->s"};
    for (std::uint32_t i = 0; i < std::size(names); ++i) t.on_place(i, names[i]);
  }

  // A data packet of these frames.
  static std::vector<std::byte> packet(std::uint64_t number, const std::vector<std::byte>& frames,
                                       std::uint32_t connection = 7) {
    std::vector<std::byte> out(wire::header_bytes + frames.size());
    std::copy(frames.begin(), frames.end(), out.data() + wire::header_bytes);
    wire::packet_header h;
    h.number = number;
    h.connection = connection;
    h.length = static_cast<std::uint16_t>(out.size());
    wire::seal_packet(out, h, 1);
    return out;
  }
  static std::vector<std::byte> message(std::uint32_t id) {
    std::vector<std::byte> out(wire::frame_bytes(8));
    wire::write_frame_head(out.data(), wire::frame_type::message, 0, 8, id);
    return out;
  }
  static std::vector<std::byte> fragment(std::uint32_t id, std::uint32_t offset) {
    std::vector<std::byte> out(wire::frame_bytes(72));
    std::byte* p = wire::write_frame_head(out.data(), wire::frame_type::fragment, 0, 72, id);
    wire::store<std::uint32_t>(p, 6400);
    wire::store<std::uint32_t>(p + 4, offset);
    return out;
  }
  // Of largest - below .. largest, then pairs of missing and run.
  static std::vector<std::byte> ack(std::uint64_t largest, std::uint32_t below,
                                    std::vector<std::uint32_t> pairs = {}) {
    const std::size_t body = wire::ack_body_bytes_min + pairs.size() * 4;
    std::vector<std::byte> out(wire::frame_bytes(body));
    std::byte* p = wire::write_frame_head(out.data(), wire::frame_type::ack, 0, body, 0);
    wire::store<std::uint64_t>(p, largest);
    wire::store<std::uint32_t>(p + 8, below);
    for (std::size_t i = 0; i < pairs.size(); ++i)
      wire::store<std::uint32_t>(p + wire::ack_body_bytes_min + i * 4, pairs[i]);
    return out;
  }

  static void tell(packet_timeline& t, std::int64_t time, std::uint32_t place, packet_fate fate,
                   const std::vector<std::byte>& bytes, std::uint32_t from = 0,
                   std::uint32_t to = 1, std::uint32_t queued = 1) {
    packet_event e{.time_ns = time, .arrive_ns = time, .number = 99};
    e.place = place;
    e.from = from;
    e.to = to;
    e.bytes = static_cast<std::uint32_t>(bytes.size());
    e.queued = queued;
    e.fate = fate;
    t.on_packet(e, bytes, {});
  }
};

TEST_F(Timeline, APacketIsSentLostSentAgainAndConfirmed) {
  packet_timeline t(options());
  places(t);
  const auto one = packet(1, message(10));
  const auto two = packet(2, message(11));
  tell(t, 100, 0, packet_fate::sent, one);
  tell(t, 110, 0, packet_fate::sent, two);
  tell(t, 200, 6, packet_fate::lost, one);
  tell(t, 210, 6, packet_fate::sent, two);
  tell(t, 300, 5, packet_fate::delivered, two);
  tell(t, 500, 2, packet_fate::delivered, packet(1, ack(2, 0), 8), 1, 0);
  const auto three = packet(3, message(10));
  tell(t, 600, 0, packet_fate::sent, three);
  tell(t, 900, 2, packet_fate::delivered, packet(2, ack(3, 1), 8), 1, 0);
  EXPECT_EQ(t.to(), "b");
  ASSERT_EQ(t.packets().size(), 3u);
  const traced_packet& lost = t.packets()[0];
  EXPECT_EQ(lost.number, 1u);
  EXPECT_EQ(lost.sent_ns, 100);
  EXPECT_EQ(lost.harmed_ns, 200);
  EXPECT_EQ(lost.fate, packet_fate::lost);
  EXPECT_EQ(lost.confirmed_ns, -1);
  EXPECT_EQ(lost.bytes, one.size());
  EXPECT_FALSE(lost.retransmission);
  EXPECT_EQ(t.packets()[1].confirmed_ns, 500);
  EXPECT_EQ(t.packets()[1].harmed_ns, -1);
  EXPECT_TRUE(t.packets()[2].retransmission);
  EXPECT_EQ(t.packets()[2].confirmed_ns, 900);
  EXPECT_EQ(t.totals().sent, 3u);
  EXPECT_EQ(t.totals().dropped, 1u);
  EXPECT_EQ(t.totals().retransmissions, 1u);
  EXPECT_EQ(t.totals().confirmed, 2u);
}

TEST_F(Timeline, FragmentsOfOneMessageAreNoRetransmissions) {
  packet_timeline t(options());
  places(t);
  tell(t, 1, 0, packet_fate::sent, packet(1, fragment(10, 0)));
  tell(t, 2, 0, packet_fate::sent, packet(2, fragment(10, 64)));
  tell(t, 3, 0, packet_fate::sent, packet(3, fragment(10, 64)));
  EXPECT_FALSE(t.packets()[1].retransmission);
  EXPECT_TRUE(t.packets()[2].retransmission);
}

TEST_F(Timeline, RangesOfAcknowledgementsConfirmWhatTheyNameOnly) {
  packet_timeline t(options());
  places(t);
  for (std::uint32_t n = 1; n <= 12; ++n) tell(t, n, 0, packet_fate::sent, packet(n, message(n)));
  // 11-12, not 9-10, 6-8, not 5, 4.
  tell(t, 50, 2, packet_fate::delivered, packet(1, ack(12, 1, {2, 3, 1, 1}), 8), 1, 0);
  std::vector<std::uint64_t> confirmed;
  for (const traced_packet& p : t.packets())
    if (p.confirmed_ns == 50) confirmed.push_back(p.number);
  EXPECT_EQ(confirmed, (std::vector<std::uint64_t>{4, 6, 7, 8, 11, 12}));
}

TEST_F(Timeline, DropsOfTheFirstLinkAndDamageAreSeenToo) {
  packet_timeline t(options());
  places(t);
  tell(t, 1, 0, packet_fate::queue_full, packet(1, message(1)));
  tell(t, 2, 0, packet_fate::sent, packet(2, message(2)));
  tell(t, 2, 0, packet_fate::damaged, packet(2, message(2)));
  EXPECT_EQ(t.packets()[0].fate, packet_fate::queue_full);
  EXPECT_EQ(t.packets()[0].harmed_ns, 1);
  EXPECT_EQ(t.packets()[1].fate, packet_fate::damaged);
  EXPECT_EQ(t.totals().sent, 2u);
  EXPECT_EQ(t.totals().dropped, 1u);
  EXPECT_EQ(t.totals().damaged, 1u);
}

TEST_F(Timeline, OnlyPacketsToTheFirstNodeCount) {
  packet_timeline t(options());
  places(t);
  tell(t, 1, 0, packet_fate::sent, packet(1, message(1)));
  tell(t, 2, 0, packet_fate::sent, packet(1, message(1)), 0, 5);
  tell(t, 3, 3, packet_fate::sent, packet(1, message(1)), 1, 0);
  EXPECT_EQ(t.totals().sent, 1u);
}

TEST_F(Timeline, TheListIsBoundedAndTheTotalsAreNot) {
  timeline_options some = options();
  some.from_ns = 50;
  some.packets_max = 10;
  packet_timeline t(some);
  places(t);
  for (std::uint32_t n = 0; n < 100; ++n) tell(t, n, 0, packet_fate::sent, packet(n, message(n)));
  tell(t, 200, 2, packet_fate::delivered, packet(1, ack(99, 99), 8), 1, 0);
  ASSERT_EQ(t.packets().size(), 10u);
  EXPECT_EQ(t.packets().front().number, 50u);
  EXPECT_EQ(t.packets().back().number, 59u);
  EXPECT_EQ(t.packets().back().confirmed_ns, 200);
  EXPECT_EQ(t.totals().sent, 100u);
  EXPECT_EQ(t.totals().confirmed, 100u);
}

TEST_F(Timeline, WhatIsNoPacketOfMdpIsListedByItsPlaceOnTheLink) {
  packet_timeline t(options());
  places(t);
  const std::vector<std::byte> bytes(40, std::byte{0xff});
  tell(t, 1, 0, packet_fate::lost, bytes);
  ASSERT_EQ(t.packets().size(), 1u);
  EXPECT_EQ(t.packets()[0].number, 99u);
  EXPECT_EQ(t.packets()[0].fate, packet_fate::lost);
  // Another one's loss on a later link is counted; whose it was cannot be known.
  tell(t, 2, 0, packet_fate::sent, bytes);
  tell(t, 3, 6, packet_fate::lost, bytes);
  EXPECT_EQ(t.packets()[1].harmed_ns, -1);
  EXPECT_EQ(t.totals().dropped, 2u);
}

TEST_F(Timeline, MalformedPacketsHarmNothing) {
  packet_timeline t(options());
  places(t);
  tell(t, 1, 0, packet_fate::sent, packet(1, message(1)));
  auto short_ack = packet(2, ack(1, 0), 8);
  short_ack.resize(wire::header_bytes + 12);
  tell(t, 2, 2, packet_fate::delivered, short_ack, 1, 0);
  tell(t, 3, 2, packet_fate::delivered, packet(3, ack(5, 9), 8), 1, 0);           // below zero
  tell(t, 4, 2, packet_fate::delivered, packet(4, ack(9, 0, {20, 1}), 8), 1, 0);  // below zero
  tell(t, 5, 2, packet_fate::delivered, {}, 1, 0);
  EXPECT_EQ(t.totals().confirmed, 0u);
}

TEST_F(Timeline, QueuesKeepTheMostOfEachInterval) {
  packet_timeline t(options());
  places(t);
  const auto some = packet(1, message(1));
  tell(t, 100, 0, packet_fate::sent, some, 0, 1, 3);
  tell(t, 200, 0, packet_fate::queue_full, some, 0, 1, 5);
  tell(t, 300, 0, packet_fate::sent, some, 0, 1, 4);
  tell(t, 2'000'000, 0, packet_fate::sent, some, 4, 5, 2);
  tell(t, 99'000'000, 0, packet_fate::sent, some, 0, 1, 9);  // beyond the last interval
  ASSERT_EQ(t.queues().size(), 1u);
  EXPECT_EQ(t.queues()[0].link, "a/up");
  EXPECT_EQ(t.queues()[0].most, (std::vector<std::int64_t>{5, -1, 2}));
}

}  // namespace
}  // namespace mdp::trace
