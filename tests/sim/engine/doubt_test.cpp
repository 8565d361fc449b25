// Sessions in doubt: hints that cross handshakes, forged or late, and what both sides make of them.
// docs/protocol.md sections 5.1 and 5.3.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "forgery.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
constexpr std::uint64_t seeds = 200;

bool is_data(std::span<const std::byte> packet) {
  return type_of(packet) == wire::packet_type::data;
}

// Both directions carry messages.
void expect_alive(engine_network& net, engine_node& a, engine_node& b) {
  for (const auto& ends : {std::pair{&a, &b}, std::pair{&b, &a}}) {
    engine_node* const from = ends.first;
    engine_node* const to = ends.second;
    const auto peer = from->engine->find(to->address);
    ASSERT_TRUE(peer);
    from->app.delivered.clear();
    ASSERT_TRUE(send(net, *from, *peer, 1));
    EXPECT_TRUE(net.run_until([&] { return from->app.delivered.size() == 1; }, 5s))
        << "node " << from->number << " is not heard";
  }
}

std::uint64_t tag_of(const engine_node& node, const engine_node& other) {
  return node.engine->find(*node.engine->find(other.address))->tag();
}

// R-SESS-3, R-RESET-4: the HELLO_ACK that answers b's HELLO is late, and meanwhile a hint makes a
// say HELLO itself.
TEST(doubt, a_hello_ack_in_flight_and_a_hello_of_doubt_make_one_session) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({.delay = 5ms, .jitter = 1ms, .seed = seed});
    auto& a = net.add();
    auto& b = net.add();
    ASSERT_TRUE(a.engine->connect(net.now(), b.address));
    net.run_for(100ms);
    b.restart();
    seeded_random random(seed);
    bool answered = false;
    net.hold_back = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (&from != &a || type_of(packet) != wire::packet_type::hello_ack) return duration{};
      answered = true;
      return duration(static_cast<std::int64_t>(random.next() % 30'000'000));
    };
    ASSERT_TRUE(b.engine->connect(net.now(), a.address));
    for (int i = 0; i < 100 && !answered; ++i) net.run_for(100us);
    ASSERT_TRUE(answered);
    const std::uint64_t before = a.engine->counts().packets_sent;
    net.inject(a, b.address, reply_packet(wire::packet_type::unknown, 1u << 20, 0));
    net.run_for(0s);
    ASSERT_EQ(a.engine->counts().packets_sent, before + 1) << "a says HELLO at once";
    net.run_for(1s);
    ASSERT_EQ(tag_of(a, b), tag_of(b, a));
    EXPECT_EQ(b.app.ups, 2) << "b's session did not have to end";
    EXPECT_TRUE(b.app.downs.empty());
    expect_alive(net, a, b);
  });
}

// R-RESET-6: whatever crossed whatever, both sides end up in one session again.
TEST(doubt, storms_of_restarts_hints_and_late_handshakes_end_in_one_session) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({.delay = 5ms, .jitter = 5ms, .loss = 0.1, .duplicate = 0.1, .seed = seed});
    auto& a = net.add();
    auto& b = net.add();
    seeded_random random(seed);
    std::vector<std::vector<std::byte>> old;  // handshakes, to be said again
    net.filter = [&](const engine_node&, std::span<const std::byte> packet) {
      if (!is_data(packet)) old.emplace_back(packet.begin(), packet.end());
      return true;
    };
    net.hold_back = [&](const engine_node&, std::span<const std::byte> packet) {
      const bool late = !is_data(packet) && random.next() % 4 == 0;
      return late ? duration(static_cast<std::int64_t>(random.next() % 400'000'000)) : duration{};
    };
    ASSERT_TRUE(a.engine->connect(net.now(), b.address));
    for (int i = 0; i < 40; ++i) {
      engine_node& one = random.next() % 2 == 0 ? a : b;
      engine_node& other = &one == &a ? b : a;
      switch (random.next() % 5) {
        case 0:
          one.restart();
          [[fallthrough]];
        case 1:
          static_cast<void>(one.engine->connect(net.now(), other.address));
          break;
        case 2:
          net.inject(one, other.address,
                     reply_packet(wire::packet_type::unknown, 1u << 20, random.next() % 3));
          break;
        case 3:
          if (!old.empty()) net.inject(one, other.address, old[random.next() % old.size()]);
          break;
        default:
          if (const auto peer = one.engine->find(other.address))
            static_cast<void>(send(net, one, *peer, 7));
      }
      net.run_for(duration(static_cast<std::int64_t>(random.next() % 100'000'000)));
    }
    net.hold_back = nullptr;
    net.options().loss = 0;
    ASSERT_TRUE(a.engine->connect(net.now(), b.address));
    ASSERT_TRUE(b.engine->connect(net.now(), a.address));
    net.run_for(5s);
    ASSERT_EQ(tag_of(a, b), tag_of(b, a));
    expect_alive(net, a, b);
  });
}

// R-SESS-11: an echo service, or a network that turns packets round.
TEST(doubt, our_own_handshake_coming_back_opens_nothing) {
  engine_network net({.delay = 5ms});
  auto& a = net.add();
  std::vector<std::vector<std::byte>> sent;
  net.filter = [&](const engine_node&, std::span<const std::byte> packet) {
    sent.emplace_back(packet.begin(), packet.end());
    return false;
  };
  auto& listener = net.add();  // hears nothing: its side of the network is a mirror
  ASSERT_TRUE(a.engine->connect(net.now(), listener.address));
  net.run_for(100ms);
  ASSERT_FALSE(sent.empty());
  for (int i = 0; i < 20; ++i) {
    for (const auto& packet : std::vector(sent)) net.inject(a, listener.address, packet);
    net.run_for(300ms);
  }
  EXPECT_GT(a.engine->counts().rejected_reflected, 0u);
  EXPECT_EQ(a.app.ups, 0);
  EXPECT_EQ(a.engine->counts().sessions_begun, 0u);
}

// R-SESS-1
TEST(doubt, a_nonce_of_zero_is_malformed) {
  engine_network net;
  auto& a = net.add();
  auto& b = net.add();
  ASSERT_TRUE(a.engine->connect(net.now(), b.address));
  wire::hello h;
  h.instance = 7;
  h.epoch = 1;
  h.packet_bytes = 1472;
  h.connection = 9;
  h.credit_bytes = 1u << 20;
  h.credit_messages = 1000;
  const std::uint64_t before = a.engine->counts().rejected_malformed;
  net.inject(a, b.address, hello_packet(h));
  EXPECT_EQ(a.engine->counts().rejected_malformed, before + 1);
}

// R-PKT-3: who has not proven one address moves to no other.
TEST(doubt, an_unproven_peer_does_not_move) {
  engine_network net({.delay = 5ms});
  auto& a = net.add();
  auto& b = net.add();
  std::vector<std::byte> first;
  net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
    if (&from != &a || !is_data(packet)) return true;
    if (first.empty()) first.assign(packet.begin(), packet.end());
    return false;
  };
  ASSERT_TRUE(a.engine->connect(net.now(), b.address));
  net.run_for(100ms);
  ASSERT_FALSE(first.empty());
  net.inject(b, simulated_address(60), first);
  EXPECT_EQ(b.engine->counts().rejected_wrong_source, 1u);
  EXPECT_EQ(b.app.ups, 0);
  net.filter = nullptr;
  ASSERT_TRUE(net.run_until([&] { return b.app.ups == 1; }, 5s));
}

// R-SESS-7: 4,095 generations of one slot, and on.
TEST(doubt, generations_come_round_and_never_name_nobody) {
  engine_network net;
  auto& a = net.add();
  std::set<std::uint32_t> ids;
  for (std::uint32_t i = 0; i < 4095; ++i) {
    const auto peer = a.engine->connect(net.now(), simulated_address(9));
    ASSERT_TRUE(peer);
    ASSERT_GE(peer->value, 1u << 20);
    ASSERT_TRUE(ids.insert(peer->value).second) << "after " << i;
    a.engine->blacklist(net.now(), simulated_address(9));
    a.engine->unblacklist(simulated_address(9));
    EXPECT_FALSE(a.engine->info(*peer));
  }
  const auto again = a.engine->connect(net.now(), simulated_address(9));
  EXPECT_EQ(again->value, 1u << 20);
}

// R-SESS-7
TEST(doubt, a_slot_that_was_left_last_is_used_last) {
  engine_network net;
  auto& a = net.add();
  std::vector<peer_id> ids;
  for (std::uint32_t n = 0; n < 3; ++n)
    ids.push_back(*a.engine->connect(net.now(), simulated_address(9 + n)));
  for (std::uint32_t n = 0; n < 3; ++n) a.engine->blacklist(net.now(), simulated_address(9 + n));
  for (std::uint32_t n = 0; n < 3; ++n) {
    const auto next = a.engine->connect(net.now(), simulated_address(20 + n));
    EXPECT_EQ(next->value & engine::slot_mask, ids[n].value & engine::slot_mask);
  }
}

// R-RESET-7: a moved peer's token does not fit any more, and the way round takes little longer.
TEST(doubt, a_peer_that_moved_and_is_forgotten_asks_first) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({.delay = 5ms, .jitter = 2ms, .seed = seed});
    auto& a = net.add(keyed(1));
    auto& b = net.add(keyed(2));
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    net.run_for(200ms);
    a.address = simulated_address(0, 7);
    ASSERT_TRUE(send(net, a, peer, 1));
    ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 1; }, 1s));
    net.run_for(200ms);
    b.restart();
    ASSERT_TRUE(send(net, a, peer, 2));
    ASSERT_TRUE(net.run_until([&] { return a.app.unknown.size() == 1; }, 100ms));
    EXPECT_EQ(a.app.unknown[0], 2u);
    ASSERT_TRUE(send(net, a, peer, 3));
    ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 2; }, 100ms));
  });
}

// R-RTT-1: whatever acknowledgements are lost and repeated, no sample is longer than the network
// and the peer's permitted delay make a round trip.
TEST(doubt, lost_and_repeated_acknowledgements_inflate_no_sample) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({.delay = 5ms, .jitter = 1ms, .loss = 0.02, .seed = seed});
    auto& a = net.add();
    auto& b = net.add();
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    ASSERT_TRUE(net.run_until([&] { return b.app.ups == 1; }, 5s));
    const peer_id back = *b.engine->find(a.address);
    seeded_random random(seed);
    bool quiet = false;  // nothing of b's passes
    net.filter = [&](const engine_node& from, std::span<const std::byte>) {
      return &from != &b || !quiet;
    };
    duration longest{};
    for (std::uint64_t i = 0; i < 60; ++i) {
      ASSERT_TRUE(send(net, a, peer, i, random.next() % 4000));
      if (random.next() % 2 == 0) {
        ASSERT_TRUE(send(net, b, back, i));
      }
      quiet = random.next() % 3 == 0;
      net.run_until(
          [&] {
            const auto& rtt = a.engine->find(peer)->rtt();
            if (rtt.has_sample()) longest = std::max(longest, rtt.latest());
            return false;
          },
          duration(static_cast<std::int64_t>(random.next() % 400'000'000)));
    }
    EXPECT_LE(longest, 12ms + b.settings.max_ack_delay);
  });
}

}  // namespace
}  // namespace mdp::test
