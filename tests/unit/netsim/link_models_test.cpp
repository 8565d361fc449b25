// Links that duplicate, corrupt, hold back, mark and change over time.
#include "mdp/netsim/link_models.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "mdp/netsim/damage.hpp"
#include "tests/unit/netsim/wire.hpp"
#include "tests/unit/netsim/world.hpp"

namespace mdp::netsim::test {
namespace {

probability percent(const char* text) {
  return *probability_of_percent(*parse_decimal(text));
}

link_spec modelled(const link_models& models) {
  link_spec s;
  s.delay_ns = 1'000'000;
  s.models = std::make_shared<const link_models>(models);
  return s;
}

TEST(LinkModels, DuplicatesTheDrawnShareOnce) {
  wire w(modelled({.loss = {}, .duplicate = percent("5"), .changes = {}}));
  constexpr int n = 200'000;
  std::map<std::uint32_t, int> copies;
  for (int i = 0; i < n; ++i) {
    static_cast<void>(w.offer(i * 100, 64));
    for (const auto& [time, number] : w.take(i * 100)) ++copies[number];
  }
  for (const auto& [time, number] : w.take(forever)) ++copies[number];
  EXPECT_EQ(copies.size(), static_cast<std::size_t>(n));
  int twice = 0;
  for (const auto& [number, count] : copies) {
    ASSERT_LE(count, 2);
    if (count == 2) ++twice;
  }
  EXPECT_NEAR(twice, n * .05, 3 * std::sqrt(n * .05 * .95));
  EXPECT_EQ(w.under_test.counts().duplicated, static_cast<std::uint64_t>(twice));
}

// A packet held back for 3 spacings comes out behind the 3 that follow it.
TEST(LinkModels, AHeldPacketIsOvertakenByTheExtent) {
  link_models m;
  m.hold = percent("2");
  m.hold_ns = 3'500'000;
  wire w(modelled(m));
  constexpr std::uint32_t n = 50'000;
  for (std::uint32_t i = 0; i < n; ++i) static_cast<void>(w.offer(i * std::int64_t{1'000'000}, 64));
  const auto out = w.take(forever);
  ASSERT_EQ(out.size(), n);
  int held = 0;
  for (const auto& [time, number] : out) {
    const std::int64_t transit = time - number * std::int64_t{1'000'000};
    ASSERT_TRUE(transit == 1'000'000 || transit == 4'500'000) << transit;
    if (transit != 1'000'000) ++held;
  }
  EXPECT_NEAR(held, n * .02, 3 * std::sqrt(n * .02 * .98));
  // Extent (RFC 4737, 4.2.2): how far back the earliest of those is that overtook it.
  for (std::size_t at = 0; at + 1 < out.size(); ++at) {
    if (out[at].first - out[at].second * std::int64_t{1'000'000} == 1'000'000) continue;
    std::size_t overtakers = 0;
    for (std::size_t before = at > 8 ? at - 8 : 0; before < at; ++before) {
      if (out[before].second > out[at].second) ++overtakers;
    }
    ASSERT_LE(overtakers, 3u);
  }
}

// Without hold and with a rate the order stays: the model changes nothing else.
TEST(LinkModels, JitterOfOthersKeepsTheirOrder) {
  link_models m;
  m.hold = percent("5");
  m.hold_ns = 5'000'000;
  link_spec s = modelled(m);
  s.jitter_ns = 2'000'000;
  wire w(s);
  link_spec plain = s;
  plain.models = nullptr;
  wire reference(plain);
  std::map<std::uint32_t, std::int64_t> expected;
  for (int i = 0; i < 5000; ++i) {
    static_cast<void>(w.offer(i * 100'000, 64));
    static_cast<void>(reference.offer(i * 100'000, 64));
  }
  for (const auto& [time, number] : reference.take(forever)) expected[number] = time;
  for (const auto& [time, number] : w.take(forever)) {
    ASSERT_TRUE(time == expected[number] || time == expected[number] + 5'000'000);
  }
}

TEST(LinkModels, ChangesApplyFromTheirTimeOn) {
  link_models m;
  m.changes = {{.at_ns = 10, .carrier = false},
               {.at_ns = 20, .carrier = true, .delay_ns = 7'000'000},
               {.at_ns = 30, .mtu_bytes = 500},
               {.at_ns = 40, .loss = percent("100"), .mtu_bytes = 1472}};
  wire w(modelled(m));
  EXPECT_EQ(w.offer(9, 1000), verdict::pass);
  EXPECT_EQ(w.offer(10, 1000), verdict::no_carrier);
  EXPECT_EQ(w.offer(19, 1000), verdict::no_carrier);
  EXPECT_EQ(w.offer(20, 1000), verdict::pass);
  EXPECT_EQ(w.offer(30, 1000), verdict::too_large);
  EXPECT_EQ(w.offer(35, 500), verdict::pass);
  EXPECT_EQ(w.offer(40, 1000), verdict::lost);
  EXPECT_EQ(w.under_test.counts().no_carrier, 2u);
  const auto out = w.take(forever);
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(out[0].first, 1'000'009);
  EXPECT_EQ(out[1].first, 7'000'020);
}

// 1,000 bytes take 1 ms, then .5 ms from the change on; what was accepted keeps its times.
TEST(LinkModels, ARateChangeHoldsForWhatComesLater) {
  link_models m;
  m.changes = {{.at_ns = 5, .rate_bps = 16'000'000}};
  link_spec s = rated(8'000'000);
  s.models = std::make_shared<const link_models>(m);
  wire w(s);
  static_cast<void>(w.offer(0, 1000));
  static_cast<void>(w.offer(0, 1000));
  static_cast<void>(w.offer(5, 1000));
  const auto out = w.take(forever);
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(out[1].first, 2'000'000);
  EXPECT_EQ(out[2].first, 2'500'000);
}

link_spec bucket(std::uint64_t peak_bps) {
  link_models m;
  m.burst_bytes = 100'000;
  m.peak_bps = peak_bps;
  link_spec s = rated(8'000'000);  // r: a byte a microsecond
  s.models = std::make_shared<const link_models>(m);
  return s;
}

// Bucket b = 100,000 bytes, r = 1 and R = 5 bytes/us: full rate R for b/(R - r) = 25 ms, then r.
TEST(LinkModels, ATokenBucketPassesABurstAtThePeakRate) {
  wire w(bucket(40'000'000));
  for (int i = 0; i < 300; ++i) static_cast<void>(w.offer(0, 1000));
  const auto out = w.take(forever);
  ASSERT_EQ(out.size(), 300u);
  std::size_t fast = 0;
  while (out[fast].first == static_cast<std::int64_t>(fast + 1) * 200'000) ++fast;
  EXPECT_NEAR(static_cast<double>(fast) * .2, 25., .4);
  for (std::size_t i = fast + 2; i < out.size(); ++i) {
    ASSERT_EQ(out[i].first - out[i - 1].first, 1'000'000);
  }
}

// What goes out in any interval t is at most b + r t, and a packet more for its two ends.
TEST(LinkModels, NoIntervalPassesMoreThanTheBucketAndTheRate) {
  for (const std::uint64_t peak : {0u, 40'000'000u}) {
    wire w(bucket(peak));
    seeded_random random(9);
    std::int64_t now = 0;
    for (int i = 0; i < 1500; ++i) {
      now += static_cast<std::int64_t>(random.next() % 1'500'000) * (i % 200 == 0 ? 100 : 1);
      static_cast<void>(w.offer(now, 1000));
    }
    const auto out = w.take(forever);
    for (std::size_t i = 0; i < out.size(); ++i) {
      for (std::size_t j = i + 1; j < out.size(); ++j) {
        const auto bytes = static_cast<std::int64_t>(j - i) * 1000;
        ASSERT_LE(bytes, 100'000 + (out[j].first - out[i].first) / 1000 + 1000) << i << " " << j;
      }
    }
  }
}

TEST(LinkModels, AnIdleBucketFillsButNotAboveItsDepth) {
  wire w(bucket(0));
  for (int i = 0; i < 100; ++i) static_cast<void>(w.offer(0, 1000));
  for (int i = 0; i < 101; ++i) static_cast<void>(w.offer(1'000'000'000, 1000));
  const auto out = w.take(forever);
  EXPECT_EQ(out[99].first, 0);
  EXPECT_EQ(out[199].first, 1'000'000'000);
  EXPECT_EQ(out[200].first, 1'001'000'000);
}

// One model more moves no packet's fate under the others.
TEST(LinkModels, ModelsAreIndependent) {
  link_models few;
  few.loss = gilbert_elliott{percent("1"), percent("25"), {}, percent("100")};
  link_models many = few;
  many.duplicate = percent("10");
  many.corrupt = percent("10");
  many.hold = percent("10");
  many.hold_ns = 1'000'000;
  wire a(modelled(few));
  wire b(modelled(many));
  int lost = 0;
  for (int i = 0; i < 20'000; ++i) {
    const verdict v = a.offer(i * 1000, 64);
    ASSERT_EQ(v, b.offer(i * 1000, 64));
    if (v == verdict::lost) ++lost;
  }
  EXPECT_GT(lost, 100);
}

TEST(LinkModels, MarksEctAboveTheThreshold) {
  link_spec s = rated(8'000'000);
  s.mark_packets = 2;
  wire w(s);
  const auto offer = [&w](buffer::ecn codepoint) {
    const std::uint32_t i = w.slab.allocate();
    w.slab[i].bytes = 1000;
    w.slab[i].codepoint = codepoint;
    w.place(w.under_test.offer(0, w.slab[i], w.slab), i);
    return w.slab[i].codepoint;
  };
  EXPECT_EQ(offer(buffer::ecn::ect0), buffer::ecn::ect0);
  EXPECT_EQ(offer(buffer::ecn::ect1), buffer::ecn::ect1);
  EXPECT_EQ(offer(buffer::ecn::ect0), buffer::ecn::ce);
  EXPECT_EQ(offer(buffer::ecn::ect1), buffer::ecn::ce);
  EXPECT_EQ(offer(buffer::ecn::not_ect), buffer::ecn::not_ect);
  EXPECT_EQ(offer(buffer::ecn::ce), buffer::ecn::ce);
  EXPECT_EQ(w.under_test.counts().marked, 2u);
}

std::uint16_t internet_checksum(std::span<const std::byte> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

TEST(Damage, HitsTheNamedPartWithOneBit) {
  for (std::uint64_t draw = 0; draw < 2000; ++draw) {
    for (const damage kind : {damage::bit, damage::header, damage::payload}) {
      std::array<std::byte, 40> bytes{};
      spoil_bytes(kind, bytes, draw * 0x9e3779b97f4a7c15ull);
      int bits = 0;
      std::size_t at = 0;
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        bits += std::popcount(std::to_integer<unsigned>(bytes[i]));
        if (bytes[i] != std::byte{0}) at = i;
      }
      ASSERT_EQ(bits, 1);
      if (kind == damage::header) {
        ASSERT_LT(at, 16u);
      }
      if (kind == damage::payload) {
        ASSERT_GE(at, 16u);
      }
    }
  }
}

TEST(Damage, TheInternetChecksumHoldsWhenAsked) {
  std::uint64_t different = 0;
  for (std::uint64_t draw = 0; draw < 2000; ++draw) {
    std::array<std::byte, 41> bytes;
    seeded_random random(draw);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random.next());
    const auto before = bytes;
    spoil_bytes(damage::checksum, bytes, random.next());
    if (bytes != before) ++different;
    ASSERT_EQ(internet_checksum(bytes), internet_checksum(before));
  }
  EXPECT_GT(different, 1990u);
}

TEST(Damage, ShortAndEqualBytesStay) {
  std::array<std::byte, 3> equal{};
  for (std::uint64_t draw = 0; draw < 100; ++draw) {
    spoil_bytes(damage::checksum, equal, draw);
    spoil_bytes(damage::bit, {}, draw);
    spoil_bytes(damage::none, equal, draw);
  }
  EXPECT_EQ(equal, (std::array<std::byte, 3>{}));
}

// The sender's bytes are shared with what it may send again: only the receiver's copy is damaged.
TEST(Damage, LeavesTheSendersBytesAlone) {
  world w(R"({"links": {"default": {"corrupt_pct": 100, "duplicate_pct": 100}}})");
  w.open("a");
  w.open("b");
  buffer::slice whole = buffer::slice::acquire(w.pool);
  std::memset(whole.data(), 0, 100);
  const buffer::slice part = whole.subslice(0, 100);
  const buffer::tx_datagrams item{w.nodes[1]->local_address(), {&part, 1}, 100};
  ASSERT_EQ(w.nodes[0]->send({&item, 1}), 1u);
  while (w.net->advance(at_ns(1'000'000)) >= 0) {
    const auto got = w.take(1);
    if (got.empty()) continue;
    ASSERT_EQ(got.size(), 2u);
    int damaged = 0;
    for (const auto& d : got) {
      if (std::any_of(d.data.data(), d.data.data() + 100,
                      [](std::byte b) { return b != std::byte{0}; }))
        ++damaged;
    }
    EXPECT_EQ(damaged, 1);  // the copy goes whole
  }
  for (int i = 0; i < 100; ++i) ASSERT_EQ(whole.data()[i], std::byte{0});
  EXPECT_EQ(w.fact("packets_sent"), "1");
  EXPECT_EQ(w.fact("packets_duplicated"), "1");
  EXPECT_EQ(w.fact("packets_corrupted"), "1");
  EXPECT_EQ(w.fact("packets_delivered"), "2");
}

}  // namespace
}  // namespace mdp::netsim::test
