// Strangers by the thousand, and what the application decides and learns about its peers:
// docs/protocol.md sections 5.1 and 5.2.
#include <gtest/gtest.h>

#include <algorithm>

#include "forgery.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;

// The n-th of a million addresses outside the simulated network.
endpoint_address stranger(std::uint32_t n) {
  return simulated_address(1000 + n);
}

wire::hello hello_of(std::uint64_t nonce, std::uint64_t cookie = 0) {
  wire::hello h;
  h.nonce = nonce;
  h.instance = nonce * 31;
  h.epoch = 1;
  h.packet_bytes = 1472;
  h.credit_bytes = 1u << 20;
  h.credit_messages = 1000;
  h.connection = 9;
  h.cookie = cookie;
  return h;
}

// Takes what the engine wants to send; returns the bytes for addresses that satisfy `which`.
template <class Which>
std::vector<std::vector<std::byte>> sent_to(engine_network& net, engine_node& node, Which&& which) {
  std::vector<std::vector<std::byte>> packets;
  for (buffer::tx_batch batch;; batch.consume(batch.pending().size())) {
    node.engine->poll_transmit(net.now(), batch);
    if (batch.empty()) return packets;
    for (const auto& item : batch.pending()) {
      if (!which(item.to)) continue;
      packets.emplace_back();
      for (const auto& part : item.parts)
        packets.back().insert(packets.back().end(), part.bytes().begin(), part.bytes().end());
    }
  }
}

// R-COOKIE-1, R-COOKIE-3, R-SESS-7
TEST(strangers, a_million_hellos_from_a_million_addresses_leave_memory_flat) {
  engine_network net;
  engine::config settings;
  settings.max_half_open = 100;
  auto& server = net.add(settings);
  auto& friendly = net.add();
  std::uint64_t bytes = 0;
  const auto anybody = [](const endpoint_address&) { return true; };
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    // One sealed packet serves all: the engine looks at source and nonce alone.
    static const auto packet = hello_packet(hello_of(7));
    inject(net, server, stranger(i), packet);
    if (i % 64 == 63)
      for (const auto& reply : sent_to(net, server, anybody)) {
        EXPECT_LE(reply.size(), 3 * packet.size());
        bytes += reply.size();
      }
    ASSERT_LE(server.engine->peer_count(), 101u);
  }
  EXPECT_GE(server.engine->counts().retries_sent, 999'000u);
  EXPECT_LE(bytes, 1'000'000u * 120);
  // An honest peer still gets through: it shows the cookie.
  const peer_id peer = *friendly.engine->connect(net.now(), server.address);
  ASSERT_TRUE(send(net, friendly, peer, 1));
  ASSERT_TRUE(net.run_until([&] { return friendly.app.delivered.size() == 1; }, 1s));
  net.run_for(20s);
  EXPECT_EQ(server.engine->peer_count(), 1u) << "the half-open ones are gone";
}

// The same with what a million have in common drawn anew: 200 floods of 5,000, while honest peers
// come and talk over a network that loses packets. R-COOKIE-1, R-COOKIE-3, R-SESS-7
TEST(strangers, a_flood_of_hellos_keeps_nobody_out) {
  over_seeds(200, [](std::uint64_t seed) {
    engine_network net({2ms, 2ms, 0.05, 0.05, 0.01, seed});
    seeded_random random(seed);
    engine::config settings;
    settings.max_half_open = static_cast<std::uint32_t>(random.next() % 50);
    settings.max_peers = settings.max_half_open + 20;
    auto& server = net.add(settings);
    std::vector<engine_node*> friends;
    for (int i = 0; i < 5; ++i) friends.push_back(&net.add());
    const std::uint64_t addresses = 1 + random.next() % 1'000'000;
    for (int i = 0; i < 5000; ++i) {
      const auto packet = hello_packet(hello_of(1 + random.next() % 100, random.next() % 3));
      inject(net, server, stranger(static_cast<std::uint32_t>(random.next() % addresses)), packet);
      if (i % 50 == 0) net.run_for(1ms);
      if (i % 1000 == 500) {
        engine_node& next = *friends[static_cast<std::size_t>(i / 1000)];
        const peer_id peer = *next.engine->connect(net.now(), server.address);
        for (std::uint64_t m = 0; m < 10; ++m) ASSERT_TRUE(send(net, next, peer, m, 2000));
      }
      ASSERT_LE(server.engine->peer_count(), settings.max_peers);
    }
    const auto done = [](const engine_node* f) { return f->app.delivered.size() == 10; };
    EXPECT_TRUE(
        net.run_until([&] { return std::all_of(friends.begin(), friends.end(), done); }, 30s));
    net.run_for(20s);
    EXPECT_EQ(server.engine->peer_count(), friends.size()) << "the half-open ones are gone";
  });
}

// R-COOKIE-2
TEST(strangers, a_cookie_serves_its_address_its_nonce_and_its_time) {
  engine_network net;
  engine::config settings;
  settings.max_half_open = 0;
  auto& server = net.add(settings);
  const auto anybody = [](const endpoint_address&) { return true; };
  inject(net, server, stranger(1), hello_packet(hello_of(5)));
  const auto replies = sent_to(net, server, anybody);
  ASSERT_EQ(replies.size(), 1u);
  ASSERT_EQ(type_of(replies[0]), wire::packet_type::retry);
  ASSERT_EQ(replies[0].size(), wire::retry_bytes);
  EXPECT_EQ(wire::load<std::uint64_t>(replies[0].data() + wire::header_bytes), 5u);
  const auto cookie = wire::load<std::uint64_t>(replies[0].data() + wire::header_bytes + 8);
  inject(net, server, stranger(2), hello_packet(hello_of(5, cookie)));
  inject(net, server, stranger(1), hello_packet(hello_of(6, cookie)));
  inject(net, server, stranger(1), hello_packet(hello_of(5, cookie ^ 2)));
  EXPECT_EQ(server.engine->peer_count(), 0u);
  EXPECT_EQ(server.engine->counts().rejected_cookie, 3u);
  net.run_for(8s);
  inject(net, server, stranger(1), hello_packet(hello_of(5, cookie)));
  EXPECT_EQ(server.engine->peer_count(), 1u) << "good for a period at least";
  net.run_for(20s);
  inject(net, server, stranger(1), hello_packet(hello_of(5, cookie)));
  EXPECT_EQ(server.engine->peer_count(), 0u) << "too old";
}

// R-COOKIE-1, R-COOKIE-2
TEST(strangers, everybody_gets_in_through_cookies_over_a_bad_network) {
  over_seeds(200, [](std::uint64_t seed) {
    engine_network net({5ms, 2ms, 0.1, 0.1, 0.02, seed});
    engine::config settings;
    settings.max_half_open = static_cast<std::uint32_t>(seed % 3);
    auto& server = net.add(settings);
    std::vector<engine_node*> clients;
    for (int i = 0; i < 5; ++i) {
      clients.push_back(&net.add());
      const peer_id peer = *clients.back()->engine->connect(net.now(), server.address);
      ASSERT_TRUE(send(net, *clients.back(), peer, 1));
    }
    const auto done = [](const engine_node* c) { return c->app.delivered.size() == 1; };
    ASSERT_TRUE(
        net.run_until([&] { return std::all_of(clients.begin(), clients.end(), done); }, 30s));
  });
}

// R-SESS-9
TEST(strangers, a_blacklisted_address_is_not_heard) {
  engine_network net;
  auto& a = net.add();
  auto& b = net.add();
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  const peer_id back = *b.engine->connect(net.now(), a.address);
  net.run_for(1s);
  ASSERT_TRUE(send(net, b, back, 5));
  b.engine->blacklist(net.now(), a.address);
  b.engine->blacklist(net.now(), a.address);
  EXPECT_FALSE(b.engine->find(a.address));
  net.run_for(100ms);
  EXPECT_EQ(b.app.downs, std::vector<std::string>{"blacklisted"});
  EXPECT_EQ(b.app.unknown, std::vector<std::uint64_t>{5});
  EXPECT_FALSE(b.engine->connect(net.now(), a.address));
  const auto before = b.engine->counts();
  ASSERT_TRUE(send(net, a, peer, 1));
  net.run_for(5s);
  EXPECT_GT(b.engine->counts().rejected_blacklisted, before.rejected_blacklisted);
  EXPECT_EQ(b.engine->counts().packets_sent, before.packets_sent);
  EXPECT_EQ(b.engine->peer_count(), 0u);
  b.engine->unblacklist(a.address);
  ASSERT_TRUE(net.run_until([&] { return a.app.unknown.size() == 1; }, 5s)) << "it forgot us";
  ASSERT_TRUE(send(net, a, peer, 2));
  ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 1; }, 5s));
}

// R-SESS-10
TEST(strangers, connect_to_one_that_said_hello_and_nothing_more_still_ends) {
  engine_network net;
  auto& a = net.add();
  inject(net, a, stranger(1), hello_packet(hello_of(5)));
  const peer_id peer = *a.engine->connect(net.now(), stranger(1));
  ASSERT_TRUE(send(net, a, peer, 1));
  net.run_for(15s);
  EXPECT_EQ(a.app.downs, std::vector<std::string>{"no answer"});
  EXPECT_EQ(a.app.unknown, std::vector<std::uint64_t>{1});
  EXPECT_EQ(a.engine->peer_count(), 0u);
}

// R-SESS-7
TEST(strangers, an_old_generation_of_a_slot_is_refused) {
  over_seeds(200, [](std::uint64_t seed) {
    engine_network net({.delay = 1ms * (1 + seed % 20), .jitter = 5ms, .loss = 0.05, .seed = seed});
    auto& a = net.add();
    auto& b = net.add();
    const peer_id first = *a.engine->connect(net.now(), b.address);
    net.run_for(1s);
    a.engine->blacklist(net.now(), b.address);
    a.engine->unblacklist(b.address);
    const peer_id second = *a.engine->connect(net.now(), b.address);
    EXPECT_NE(first, second);
    EXPECT_FALSE(send(net, a, first, 1));
    EXPECT_FALSE(a.engine->info(first));
    a.engine->confirm(first, message_id{0});
    ASSERT_TRUE(send(net, a, second, 2));
    ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 1; }, 5s));
  });
}

// R-SESS-8
TEST(strangers, what_is_framed_before_the_answer_suits_the_smallest_packets) {
  engine_network net;
  engine::config small;
  small.max_packet_bytes = 1200;
  engine::config large;
  large.max_packet_bytes = 9000;
  auto& a = net.add(large);
  auto& b = net.add(small);
  std::size_t most = 0;
  net.filter = [&](const engine_node&, std::span<const std::byte> packet) {
    most = std::max(most, packet.size());
    return true;
  };
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(send(net, a, peer, i, i * 1000));
  ASSERT_TRUE(net.run_until([&] { return a.app.delivered.size() == 20; }, 5s));
  EXPECT_LE(most, 1200u);
}

TEST(peers, are_listed_counted_and_their_changes_told_once) {
  engine_network net;
  auto& hub = net.add();
  std::vector<peer_id> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(*hub.engine->connect(net.now(), net.add().address));
  auto& guest = net.add();
  const peer_id to_hub = *guest.engine->connect(net.now(), hub.address);
  std::vector<engine::peer_info> infos;
  hub.engine->list_peers(engine::peer_filter::connected, infos);
  EXPECT_EQ(infos.size(), 3u);
  EXPECT_FALSE(infos[0].active);
  net.run_for(1s);
  const auto count = [&](engine::peer_filter filter) {
    infos.clear();
    hub.engine->list_peers(filter, infos);
    return infos.size();
  };
  EXPECT_EQ(count(engine::peer_filter::all), 4u);
  EXPECT_EQ(count(engine::peer_filter::active), 4u);
  EXPECT_EQ(count(engine::peer_filter::connected), 3u);
  std::vector<engine::peer_change> changes;
  hub.engine->peer_changes(changes);
  EXPECT_EQ(changes.size(), 4u);
  hub.engine->peer_changes(changes);
  EXPECT_EQ(changes.size(), 4u) << "told once";
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(send(net, hub, ids[0], i, 500));
  ASSERT_TRUE(send(net, guest, to_hub, 1, 300));
  net.run_for(1s);
  const auto counts = hub.engine->peer_stats(ids[0]);
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->messages_sent, 10u);
  EXPECT_EQ(counts->payload_bytes_sent, 5000u);
  EXPECT_EQ(counts->confirmed_delivered, 10u);
  EXPECT_EQ(counts->rtt, 10ms);
  EXPECT_EQ(counts->bytes_in_flight, 0u);
  const auto sum = hub.engine->active_stats();
  EXPECT_EQ(sum.messages_sent, 10u);
  EXPECT_EQ(sum.messages_received, 1u);
  EXPECT_EQ(sum.payload_bytes_received, 300u);
  EXPECT_GT(sum.packets_sent, counts->packets_sent);
  const auto guest_id = hub.engine->find(guest.address);
  ASSERT_TRUE(guest_id);
  const std::uint64_t instance = hub.engine->info(*guest_id)->instance;
  EXPECT_NE(instance, 0u);
  // One goes, one restarts: a new instance under the same id.
  guest.restart();
  ASSERT_TRUE(guest.engine->connect(net.now(), hub.address));
  ASSERT_TRUE(hub.engine->disconnect(ids[1]));
  hub.engine->blacklist(net.now(), hub.engine->info(ids[2])->address);
  net.run_for(1s);
  EXPECT_NE(hub.engine->info(*guest_id)->instance, instance);
  changes.clear();
  hub.engine->peer_changes(changes);
  ASSERT_EQ(changes.size(), 1u) << "what restarted is as active as it was";
  EXPECT_EQ(changes[0].id, ids[2]);
  EXPECT_FALSE(changes[0].active);
  EXPECT_FALSE(hub.engine->peer_stats(ids[2]));
}

}  // namespace
}  // namespace mdp::test
