// Messages that go with the HELLO: docs/protocol.md section 5.5.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "forgery.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
using engine::zero_rtt_policy;
constexpr std::uint64_t seeds = 200;

engine::config taking(zero_rtt_policy policy) {
  engine::config c;
  c.zero_rtt = policy;
  return c;
}

// Submits a message of this text that wants both confirmations.
bool submit(engine_network& net, engine_node& from, peer_id to, const std::string& text,
            bool idempotent, std::uint64_t context = 1) {
  engine::send_options how;
  how.wants = engine::want_received | engine::want_delivered;
  how.context = context;
  how.idempotent = idempotent;
  return from.engine->submit(net.now(), to, bytes_of(text), how).has_value();
}

// Tells what it is by its first letter.
std::string numbered(bool idempotent, std::uint64_t n) {
  std::string text(1, idempotent ? 'i' : 'n');
  return text.append(std::to_string(n));
}

bool is_hello(std::span<const std::byte> packet) {
  return type_of(packet) == wire::packet_type::hello;
}

std::vector<std::string> texts_in(std::span<const std::byte> hello) {
  std::vector<std::string> texts;
  wire::frame_reader reader(hello.subspan(wire::early_offset));
  wire::frame_view frame;
  while (reader.next(frame))
    if (frame.type == wire::frame_type::message)
      texts.emplace_back(reinterpret_cast<const char*>(frame.body.data()), frame.body.size());
  return texts;
}

wire::hello stranger_hello(std::uint64_t nonce) {
  wire::hello h;
  h.nonce = nonce;
  h.instance = 77;
  h.epoch = 1;
  h.packet_bytes = 1472;
  h.credit_bytes = 1u << 20;
  h.credit_messages = 1000;
  h.connection = 9;
  return h;
}

std::vector<std::byte> early_hello(const wire::hello& h, wire::frame_type type, std::uint32_t id) {
  std::vector<std::byte> packet(wire::hello_bytes_min);
  wire::write_hello(std::span(packet).subspan(wire::header_bytes), h);
  wire::write_frame_head(packet.data() + wire::early_offset, type, wire::frame_wants_delivered, 16,
                         id);
  wire::seal_packet(packet, {wire::packet_type::hello}, wire::hello_crc_seed);
  return packet;
}

// R-0RTT-1, R-0RTT-3
TEST(early, a_message_arrives_with_the_hello_once_and_is_confirmed) {
  engine_network net({.delay = 5ms});
  auto& a = net.add();
  auto& b = net.add(taking(zero_rtt_policy::any));
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  ASSERT_TRUE(submit(net, a, peer, "first", true, 1));
  ASSERT_TRUE(submit(net, a, peer, "second", true, 2));
  net.run_for(6ms);
  ASSERT_EQ(b.app.messages.size(), 2u) << "after half a round trip";
  EXPECT_EQ(b.app.messages[0].second, "first");
  EXPECT_EQ(b.app.ups, 0) << "its sender is not proven";
  EXPECT_TRUE(a.app.received.empty());
  ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 2; }, 100ms));
  EXPECT_EQ(a.app.received.size(), 2u);
  net.run_for(5s);
  EXPECT_EQ(b.app.messages.size(), 2u) << "the copy of the session is the same message";
  EXPECT_EQ(a.engine->counts().early_sent, 2u);
  EXPECT_EQ(b.engine->counts().early_taken, 2u);
  EXPECT_TRUE(a.all_blocks_home());
  EXPECT_TRUE(b.all_blocks_home());
}

// R-0RTT-1
TEST(early, only_idempotent_messages_go_and_only_as_many_as_a_hello_holds) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({.delay = 5ms, .loss = 0.3, .seed = seed});
    auto& a = net.add();
    auto& b = net.add(taking(zero_rtt_policy::any));
    seeded_random random(seed);
    std::uint64_t texts = 0;
    net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (&from != &a || !is_hello(packet)) return true;
      EXPECT_EQ(packet.size(), wire::hello_bytes_min);
      const auto early = texts_in(packet);
      EXPECT_LE(early.size(), wire::early_messages_max);
      for (const std::string& text : early) EXPECT_EQ(text[0], 'i');
      texts += early.size();
      return true;
    };
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    std::set<std::string> sent;
    for (std::uint64_t i = 0; i < 30; ++i) {
      const bool idempotent = random.next() % 4 != 0;
      std::string text = numbered(idempotent, i);
      text.resize(text.size() + random.next() % (i % 7 == 0 ? 3000 : 200), '.');
      ASSERT_TRUE(submit(net, a, peer, text, idempotent));
      sent.insert(text);
      if (i == 10) net.run_for(1ms);
    }
    if (net.run_until([&] { return a.app.delivered.size() == 30; }, 30s)) {
      std::set<std::string> seen;
      for (const auto& [id, text] : b.app.messages) seen.insert(text);
      EXPECT_EQ(seen, sent);
      EXPECT_EQ(b.app.messages.size(), sent.size());
    } else {
      EXPECT_EQ(a.app.downs.size(), 1u) << "nobody answered in time";
    }
  });
}

// R-0RTT-2
TEST(early, a_receiver_that_refuses_gets_the_message_in_the_session) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({.delay = 5ms, .jitter = 2ms, .duplicate = 0.2, .seed = seed});
    auto& a = net.add();
    auto& b = net.add(taking(seed % 2 == 0 ? zero_rtt_policy::off : zero_rtt_policy::proven));
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    ASSERT_TRUE(submit(net, a, peer, "text", true));
    ASSERT_TRUE(net.run_until([&] { return b.engine->counts().early_refused > 0; }, 1s));
    EXPECT_TRUE(b.app.messages.empty());
    ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 1; }, 1s));
    EXPECT_EQ(b.app.messages.size(), 1u);
    EXPECT_EQ(b.engine->counts().early_taken, 0u);
  });
}

// R-0RTT-2, R-COOKIE-4
TEST(early, a_peer_that_was_here_is_known_by_its_cookie) {
  engine_network net({.delay = 5ms});
  auto& a = net.add();
  auto& b = net.add(taking(zero_rtt_policy::proven));
  const auto visit = [&](bool early) {
    const std::size_t before = b.app.messages.size();
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    ASSERT_TRUE(submit(net, a, peer, "text", true));
    net.run_for(6ms);
    EXPECT_EQ(b.app.messages.size() - before, early ? 1u : 0u);
    net.run_for(1s);
    EXPECT_EQ(b.app.messages.size() - before, 1u);
    ASSERT_TRUE(a.engine->disconnect(peer));
    net.run_for(30s);  // idle: both forget
    ASSERT_EQ(a.engine->peer_count() + b.engine->peer_count(), 0u);
  };
  visit(false);
  visit(true);
  visit(true);
  net.run_for(3h);
  visit(false);  // the cookie is too old ...
  visit(true);   // ... and there is a new one
  a.address = simulated_address(0, 9);
  visit(false);  // it is of another address
  visit(true);
  b.restart();
  visit(false);  // another instance has another secret
}

// R-0RTT-4
TEST(early, under_load_nothing_is_taken_before_the_cookie) {
  engine_network net({.delay = 5ms});
  engine::config busy = taking(zero_rtt_policy::proven);
  busy.max_half_open = 0;
  auto& a = net.add();
  auto& b = net.add(busy);
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  ASSERT_TRUE(submit(net, a, peer, "text", true));
  net.run_for(6ms);
  EXPECT_EQ(b.engine->peer_count(), 0u);
  EXPECT_TRUE(b.app.messages.empty());
  net.run_for(10ms);
  EXPECT_EQ(b.app.messages.size(), 1u) << "with the second HELLO";
  ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 1; }, 1s));
  EXPECT_EQ(b.app.messages.size(), 1u);
}

// R-0RTT-4, R-COOKIE-3
TEST(early, a_forged_hello_gets_no_more_for_its_messages) {
  engine_network net({.delay = 5ms});
  auto& b = net.add(taking(zero_rtt_policy::any));
  const auto packet = early_hello(stranger_hello(5), wire::frame_type::message, 0);
  net.inject(b, simulated_address(60), packet);
  net.run_for(4s);
  EXPECT_EQ(b.app.messages.size(), 1u) << "and the application confirmed it";
  EXPECT_LE(b.engine->counts().wire_bytes_sent, 3 * packet.size());
  EXPECT_EQ(b.engine->counts().packets_sent, 1u) << "one HELLO_ACK";
  net.run_for(10s);
  EXPECT_EQ(b.engine->peer_count(), 0u);
  EXPECT_TRUE(b.all_blocks_home());
  // A replay after that is a session of its own: this is what idempotent means.
  net.inject(b, simulated_address(60), packet);
  net.inject(b, simulated_address(60), packet);
  net.run_for(1s);
  EXPECT_EQ(b.app.messages.size(), 2u);
}

// R-0RTT-1
TEST(early, a_hello_with_anything_but_messages_brings_nothing) {
  engine_network net({.delay = 5ms});
  auto& b = net.add(taking(zero_rtt_policy::any));
  auto packet = early_hello(stranger_hello(5), wire::frame_type::message, 0);
  wire::write_frame_head(packet.data() + wire::early_offset + 24, wire::frame_type::ping, 0, 0, 0);
  wire::seal_packet(packet, {wire::packet_type::hello}, wire::hello_crc_seed);
  net.inject(b, simulated_address(60), packet);
  net.run_for(1s);
  EXPECT_TRUE(b.app.messages.empty());
  EXPECT_EQ(b.engine->counts().rejected_malformed, 1u);
  EXPECT_EQ(b.engine->counts().early_refused, 1u);
  // Nor does one that asks for more than the credit, or for an id beyond the window.
  net.inject(b, simulated_address(61),
             early_hello(stranger_hello(6), wire::frame_type::message, 70'000));
  EXPECT_EQ(b.engine->counts().rejected_window, 1u);
  EXPECT_EQ(b.engine->counts().early_refused, 2u);
}

// R-FLOW-6
TEST(early, a_hello_with_too_little_credit_is_malformed) {
  engine_network net;
  auto& b = net.add();
  wire::hello h = stranger_hello(5);
  h.credit_messages = wire::first_credit_messages_min - 1;
  net.inject(b, simulated_address(60), hello_packet(h));
  h.credit_messages = wire::first_credit_messages_min;
  h.credit_bytes = wire::first_credit_bytes_min - 1;
  net.inject(b, simulated_address(60), hello_packet(h));
  EXPECT_EQ(b.engine->counts().rejected_malformed, 2u);
  EXPECT_EQ(b.engine->peer_count(), 0u);
  h.credit_bytes = wire::first_credit_bytes_min;
  net.inject(b, simulated_address(60), hello_packet(h));
  EXPECT_EQ(b.engine->peer_count(), 1u);
}

// R-0RTT-3, R-ABN-1: what went with the HELLO may have come, so only the peer can tell.
TEST(early, giving_up_a_message_that_went_early_waits_for_the_peers_word) {
  for (const auto policy : {zero_rtt_policy::any, zero_rtt_policy::off}) {
    engine_network net({.delay = 5ms});
    auto& a = net.add();
    auto& b = net.add(taking(policy));
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    ASSERT_TRUE(submit(net, a, peer, "text", true, 4));
    net.run_for(1ms);
    ASSERT_TRUE(a.engine->cancel(net.now(), peer, message_id{0}));
    EXPECT_TRUE(a.app.others.empty());
    net.run_for(1s);
    if (policy == zero_rtt_policy::any) {
      EXPECT_EQ(b.app.messages.size(), 1u);
      EXPECT_EQ(a.app.delivered.size(), 1u);
      EXPECT_TRUE(a.app.others.empty());
    } else {
      EXPECT_TRUE(b.app.messages.empty());
      ASSERT_EQ(a.app.others.size(), 1u);
      EXPECT_EQ(a.app.others[0].first, engine::event_kind::cancelled);
    }
    // Both sides still count the same credit.
    for (std::uint64_t i = 0; i < 50; ++i) ASSERT_TRUE(submit(net, a, peer, "more", false, i));
    net.run_for(1s);
    EXPECT_EQ(b.engine->counts().rejected_flow_control, 0u);
    EXPECT_TRUE(a.engine->idle());
  }
}

// R-0RTT-5
TEST(early, ids_that_came_early_are_of_their_own_session) {
  engine_network net({.delay = 5ms});
  auto& a = net.add();
  auto& b = net.add(taking(zero_rtt_policy::any));
  net.filter = [&](const engine_node& from, std::span<const std::byte>) { return &from != &b; };
  const peer_id lost = *a.engine->connect(net.now(), b.address);
  ASSERT_TRUE(submit(net, a, lost, "early", true));
  net.run_for(50ms);
  ASSERT_EQ(b.app.messages.size(), 1u);
  net.filter = nullptr;
  a.restart();
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(submit(net, a, peer, "later", false, i));
  ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 3; }, 1s));
  EXPECT_EQ(b.app.messages.size(), 4u) << "none of them is taken for the early one";
}

// R-0RTT-3, R-0RTT-5: loss, duplicates, replays and restarts of either side.
TEST(early, storms_repeat_only_what_is_idempotent_and_lose_nothing) {
  over_seeds(seeds, [](std::uint64_t seed) {
    engine_network net({.delay = 5ms, .jitter = 5ms, .loss = 0.2, .duplicate = 0.2, .seed = seed});
    engine::config server = taking(seed % 3 == 0 ? zero_rtt_policy::proven : zero_rtt_policy::any);
    server.max_half_open = static_cast<std::uint32_t>(seed % 4);
    auto& a = net.add(keyed(1));
    server.node_key = {2, 2};
    auto& b = net.add(server);
    seeded_random random(seed);
    std::vector<std::vector<std::byte>> hellos;
    net.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
      if (&from == &a && is_hello(packet)) hellos.emplace_back(packet.begin(), packet.end());
      return true;
    };
    std::map<std::uint64_t, std::string> sent;  // by context
    std::uint64_t refused = 0;
    for (int round = 0; round < 30; ++round) {
      const std::uint64_t what = random.next() % 10;
      if (what == 0) b.restart();
      if (what == 1 && !hellos.empty())
        net.inject(b, a.address, hellos[random.next() % hellos.size()]);
      if (what == 2) b.engine->blacklist(net.now(), a.address);
      if (what == 2) b.engine->unblacklist(a.address);
      const peer_id peer = *a.engine->connect(net.now(), b.address);
      const std::uint64_t count = random.next() % 4;
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t context = sent.size();
        const bool idempotent = random.next() % 2 == 0;
        const std::string text = numbered(idempotent, context);
        if (!submit(net, a, peer, text, idempotent, context)) ++refused;
        sent.emplace(context, text);
      }
      net.run_for(duration(static_cast<std::int64_t>(random.next() % 300'000'000)));
    }
    net.options() = {.delay = 5ms, .seed = seed};
    net.run_for(20s);
    EXPECT_EQ(refused, 0u);
    std::map<std::string, int> times;
    for (const auto& [id, text] : b.app.messages) ++times[text];
    for (const auto& [text, n] : times) EXPECT_TRUE(n == 1 || text[0] == 'i') << text << ": " << n;
    std::set<std::uint64_t> resolved;
    for (const std::uint64_t context : a.app.delivered) {
      EXPECT_TRUE(resolved.insert(context).second) << "reported twice";
      EXPECT_GE(times[sent.at(context)], 1) << "delivered, says the sender";
    }
    for (const std::uint64_t context : a.app.unknown)
      EXPECT_TRUE(resolved.insert(context).second) << "reported twice";
    EXPECT_EQ(resolved.size(), sent.size()) << "nothing stays unresolved";
    EXPECT_EQ(b.engine->counts().rejected_flow_control, 0u);
    EXPECT_TRUE(a.all_blocks_home());
    EXPECT_TRUE(b.all_blocks_home());
  });
}

}  // namespace
}  // namespace mdp::test
