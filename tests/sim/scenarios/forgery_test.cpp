// Scenarios of hostile and damaged packets (docs/testing.md lists all of them by number).
#include "tests/support/conversation.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;

// Every count of rejected input together.
std::uint64_t rejections(const engine::stats& s) {
  std::uint64_t sum = 0;
  engine::for_each_stat(s, [&](std::string_view name, std::uint64_t value) {
    if (name.starts_with("rejected_")) sum += value;
  });
  return sum;
}

engine::config small_windows() {
  engine::config c;
  c.receive_window_bytes = 100'000;
  c.receive_window_messages = 100;
  c.max_message_bytes = 100'000;
  c.reassembly_bytes = 1 << 20;
  return c;
}

network_options seeded(std::uint64_t seed) {
  return {.delay = 1ms, .seed = seed};
}

// The session still carries messages.
void expect_alive(conversation& c) {
  ASSERT_TRUE(c.send(5000));
  ASSERT_TRUE(c.wait_all(10s));
  c.expect_each_once();
}

using run_list = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

// What docs/protocol.md says of an ACK: it names only what was sent, and its runs are neither empty
// nor adjacent. All numbers that it steps over together cannot overflow 64 bits.
bool ack_is_valid(std::uint64_t next, std::uint64_t largest, std::uint32_t below,
                  const run_list& runs) {
  std::uint64_t span = below;
  for (const auto& [missing, run] : runs) {
    if (missing == 0 || run == 0) return false;
    span += std::uint64_t{missing} + run;
  }
  return largest < next && span <= largest;
}

// R-ACK-6
TEST(scenarios, scenario_07_acknowledgements_of_any_shape) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c(seeded(seed));
    std::uint64_t next = 0;  // number that b's next packet will have
    c.net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (&from == &c.b) next = wire::parse_header(packet)->number + 1;
      return true;
    };
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(c.send(1400));
    ASSERT_TRUE(c.wait_all());
    c.net.run_for(100ms);
    ASSERT_GT(next, 0u);
    std::uint64_t number = 1000;
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t edge[] = {
          0, next - 1, next, next + 1, std::uint64_t{1} << 32, ~std::uint64_t{0}, c.draw(0, next)};
      const std::uint64_t largest = edge[c.draw(0, 6)];
      const auto below = static_cast<std::uint32_t>(
          c.draw(0, 3) == 0 ? c.random.next() : c.draw(0, std::min<std::uint64_t>(largest, 2)));
      run_list runs(c.draw(0, 9) == 0 ? 150 : c.draw(0, 2));
      for (auto& [missing, run] : runs) {
        missing = static_cast<std::uint32_t>(c.draw(0, 9) == 0 ? c.random.next() : c.draw(0, 3));
        run = static_cast<std::uint32_t>(c.draw(0, 9) == 0 ? c.random.next() : c.draw(0, 3));
      }
      const bool valid = ack_is_valid(next, largest, below, runs);
      const std::uint64_t before = c.b.engine->counts().rejected_bad_ack;
      c.inject_sealed(number++, frames().ack(largest, below, runs));
      ASSERT_EQ(c.b.engine->counts().rejected_bad_ack - before, valid ? 0u : 1u)
          << "largest " << largest << " below " << below << " runs " << runs.size();
    }
    const engine::stats& at_b = c.b.engine->counts();
    EXPECT_EQ(at_b.packets_lost + at_b.packets_spurious, 0u) << "what was valid was no news";
  });
}

// R-DUP-1, R-ACK-4
TEST(scenarios, scenario_09_replays_make_no_second_delivery) {
  over_seeds(200, [](std::uint64_t seed) {
    network_options options = seeded(seed);
    options.loss = 0.2;
    engine::config settings;
    settings.connect_timeout = 1min;
    conversation c(options, settings);
    std::vector<std::vector<std::byte>> heard;
    c.net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (&from == &c.a) heard.emplace_back(packet.begin(), packet.end());
      return true;
    };
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(c.send(c.draw(0, 4000)));
    ASSERT_TRUE(c.wait_all());
    c.net.options().loss = 0;
    c.net.run_for(1s);
    c.net.filter = nullptr;
    const auto& one = heard[c.draw(0, heard.size() - 1)];
    for (int i = 0; i < 1000; ++i) c.net.inject(c.b, c.a.address, one);
    for (const auto& packet : heard) c.net.inject(c.b, c.a.address, packet);
    c.net.run_for(1s);
    c.expect_each_once();
    expect_alive(c);
    c.expect_no_leak();
  });
}

// R-ACK-4, R-DUP-1: a packet number below the kept runs is old, not news.
TEST(scenarios, scenario_09_replays_outside_the_window_are_refused) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c(seeded(seed));
    std::vector<std::uint64_t> holes;
    std::uint64_t number = 1000;
    for (int i = 0; i < 600; ++i) {  // more runs than are kept
      holes.push_back(number++);
      for (std::uint64_t n = c.draw(1, 3); n > 0; --n)
        c.inject_sealed(number++, frames().other(6, 0));
    }
    const std::uint64_t before = c.b.engine->counts().rejected_old;
    for (int i = 0; i < 300; ++i)
      c.inject_sealed(holes[static_cast<std::size_t>(i)], frames().message(0, 10));
    EXPECT_EQ(c.b.engine->counts().rejected_old - before, 300u);
    c.net.run_for(100ms);
    EXPECT_TRUE(c.b.app.messages.empty());
    c.inject_sealed(holes.back(), frames().message(0, 10));
    c.net.run_for(100ms);
    EXPECT_EQ(c.b.app.messages.size(), 1u) << "a hole above is filled";
  });
}

// R-DUP-2: half of 2^32 lies behind the floor, half before it; neither half is mistaken.
TEST(scenarios, scenario_10_truncated_ids_are_expanded_around_the_floor) {
  over_seeds(200, [](std::uint64_t seed) {
    seeded_random random(seed);
    for (int i = 0; i < 1000; ++i) {
      const std::uint64_t floor = random.next() >> (1 + random.next() % 40);
      const std::uint64_t away = random.next() % 0x7fffffff;
      EXPECT_EQ(wire::expand(floor, static_cast<std::uint32_t>(floor + away)), floor + away);
      if (away <= floor) {
        EXPECT_EQ(wire::expand(floor, static_cast<std::uint32_t>(floor - away)), floor - away);
      }
    }
    // An open session that has closed few ids: what claims to lie 2^31 away is no message.
    conversation c(seeded(seed));
    for (std::uint64_t n = c.draw(0, 20); n > 0; --n) ASSERT_TRUE(c.send(100));
    ASSERT_TRUE(c.wait_all());
    c.net.run_for(1h);
    const auto floor = static_cast<std::uint32_t>(c.sent.size());
    const std::uint64_t before = rejections(c.b.engine->counts());
    for (int i = 0; i < 20; ++i) {
      const auto id = static_cast<std::uint32_t>(floor + 0x80000000u + c.draw(0, 40) - 20);
      c.inject_sealed(100'000 + static_cast<std::uint64_t>(i), frames().message(id, 10));
    }
    EXPECT_EQ(rejections(c.b.engine->counts()) - before, 20u);
    expect_alive(c);
  });
}

// R-ACK-2, R-FLOW-1, R-DUP-2, R-FRAG-2
TEST(scenarios, scenario_11_one_refused_frame_refuses_its_packet) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c(seeded(seed), small_windows());
    c.inject_sealed(999, frames().fragment(50, 5000, 0, 640));
    const std::uint64_t count = c.draw(2, 10);
    const std::uint64_t bad = c.draw(0, count - 1);
    frames mixed;
    frames good;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto id = static_cast<std::uint32_t>(i);
      good.message(id, 20);
      if (i != bad) {
        mixed.message(id, 20);
      } else if (seed % 4 == 0) {
        mixed.message(70'000 + id, 20);  // beyond the window
      } else if (seed % 4 == 1) {
        mixed.fragment(50, 5001, 640, 640);  // another total
      } else if (seed % 4 == 2) {
        mixed.fragment(id, 4'000'000'000u, 0, 640);  // larger than allowed
      } else {
        mixed.ack(1 << 30, 0, {});  // never sent
      }
    }
    c.inject_sealed(1000, mixed);
    c.net.run_for(100ms);
    EXPECT_TRUE(c.b.app.messages.empty()) << "the good frames in it do not count";
    EXPECT_EQ(rejections(c.b.engine->counts()), 1u);
    c.inject_sealed(1000, good);
    c.net.run_for(100ms);
    EXPECT_EQ(c.b.app.messages.size(), count) << "its number was not used up";
  });
}

// R-FRAG-1, R-FRAG-2, R-FRAG-3
TEST(scenarios, scenario_17_fragment_bombs_are_bounded) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c(seeded(seed), small_windows());
    std::uint64_t number = 1000;
    const std::uint32_t total = static_cast<std::uint32_t>(c.draw(1300, 50'000));
    c.inject_sealed(number++, frames().fragment(0, total, 0, 640));
    EXPECT_EQ(rejections(c.b.engine->counts()), 0u);
    const auto refused = [&](std::span<const std::byte> f, const char* what) {
      const std::uint64_t before = rejections(c.b.engine->counts());
      c.inject_sealed(number++, f);
      EXPECT_EQ(rejections(c.b.engine->counts()), before + 1) << what;
    };
    refused(frames().fragment(1, 0xffffffffu, 0xffffffc0u, 63), "4 GiB, near the end");
    refused(frames().fragment(1, 0xffffffffu, 0, 640), "4 GiB");
    refused(frames().fragment(0, total + 64, 640, 640), "the total changes");
    refused(frames().fragment(0, total, total / 64 * 64 + 64, 64), "beyond the total");
    refused(frames().fragment(0, total, 100, 640), "not aligned");
    refused(frames().fragment(1, 100'000, 0, 640), "more than the credit that is left");
    for (int i = 0; i < 50; ++i)  // overlaps: whatever comes first stays
      c.inject_sealed(
          number++, frames().fragment(0, total, 64 * static_cast<std::uint32_t>(c.draw(0, 9)), 64));
    c.net.run_for(100ms);
    EXPECT_TRUE(c.b.app.messages.empty());
    for (std::uint32_t at = 640; at < total; at += 1280)
      c.inject_sealed(number++, frames().fragment(0, total, at, std::min(1280u, total - at)));
    c.net.run_for(100ms);
    ASSERT_EQ(c.b.app.messages.size(), 1u);
    EXPECT_EQ(c.b.app.messages[0].second, std::string(total, '\0'));
  });
}

// R-PKT-1, R-PKT-2
TEST(scenarios, scenario_26_flipped_bits_and_truncation_are_refused) {
  over_seeds(200, [](std::uint64_t seed) {
    conversation c(seeded(seed));
    std::vector<std::byte> packet;
    c.net.filter = [&](const engine_node& from, std::span<const std::byte> bytes) {
      if (&from == &c.a && packet.empty()) packet.assign(bytes.begin(), bytes.end());
      return &from != &c.a;
    };
    ASSERT_TRUE(c.send(c.draw(0, 300)));
    c.net.run_for(1us);
    ASSERT_FALSE(packet.empty());
    std::uint64_t expected = rejections(c.b.engine->counts());
    const std::uint64_t accepted = c.b.engine->counts().packets_received;
    // Every bit of the header and of the first frame's head, and some of the rest.
    const std::size_t bits = packet.size() * 8;
    for (std::size_t bit = 0; bit < bits; bit += bit < 32 * 8 ? 1 : c.draw(1, 64)) {
      auto damaged = packet;
      damaged[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
      c.net.inject(c.b, c.a.address, damaged);
      ASSERT_EQ(rejections(c.b.engine->counts()), ++expected) << "bit " << bit;
    }
    for (std::size_t size = 0; size < packet.size(); ++size) {
      c.net.inject(c.b, c.a.address, std::span(packet).first(size));
      ASSERT_EQ(rejections(c.b.engine->counts()), ++expected) << size << " bytes";
    }
    EXPECT_EQ(c.b.engine->counts().packets_received, accepted);
    c.net.inject(c.b, c.a.address, packet);
    EXPECT_EQ(c.b.engine->counts().packets_received, accepted + 1);
    c.net.filter = nullptr;
    ASSERT_TRUE(c.wait_all());
    c.expect_each_once();
  });
}

// R-OUT-4: every second message wants an outcome, so each outcome is a range of its own, and none
// is ever acknowledged. The credit ends with the backlog: 8,192 ranges, and the window given
// before.
TEST(credit, who_never_acknowledges_outcomes_gets_no_more_credit) {
  engine::config settings;
  settings.receive_window_messages = 1000;
  conversation c({.delay = 1ms}, settings);
  c.net.filter = [](const engine_node&, std::span<const std::byte>) { return false; };
  std::uint32_t id = 0;
  for (std::uint64_t number = 1000; number < 4000; ++number) {
    frames packet;
    for (int i = 0; i < 20; ++i, ++id)
      packet.message(id, 8, id % 2 == 0 ? wire::frame_wants_delivered : 0);
    c.inject_sealed(number, packet);
    c.net.run_for(0s);
    if (c.b.engine->counts().rejected_flow_control > 0) break;
  }
  const engine::stats& at_b = c.b.engine->counts();
  EXPECT_EQ(at_b.rejected_flow_control, 1u) << "all 60,000 were taken";
  EXPECT_EQ(rejections(at_b), 1u);
  EXPECT_GE(at_b.messages_received, 2u * 8192);
  EXPECT_LE(at_b.messages_received, 2u * 8193 + 1000 + 1000 / 4);
}

}  // namespace
}  // namespace mdp::test
