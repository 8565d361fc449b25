// Payloads that packets refer to instead of holding a copy, between two engines in virtual time.
#include <gtest/gtest.h>

#include "tests/support/engine_pair.hpp"
#include "tests/support/payload.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;

class held_payloads : public testing::Test {
 protected:
  void SetUp() override {
    a = &net.add(settings);
    b = &net.add(settings);
    peer = *a->engine->connect(net.now(), b->address);
    net.run_for(200ms);
    ASSERT_EQ(a->app.ups, 1);
  }
  // A payload of the application's.
  buffer::slice payload(std::size_t bytes) {
    buffer::slice s = buffer::slice::acquire(pool).subslice(0, static_cast<std::uint32_t>(bytes));
    const std::string text = payload_of(7, bytes);
    std::memcpy(s.data(), text.data(), bytes);
    return s;
  }
  [[nodiscard]] bool send(const buffer::slice& s, const engine::send_options& options = {}) {
    const std::span<const std::byte> bytes = s.bytes();
    return a->engine->submit(net.now(), peer, {{&bytes, 1}, bytes.size(), &s}, options).has_value();
  }
  // Bytes of what `a` would send now that lie in `s`.
  std::size_t referred_to(const buffer::slice& s) {
    buffer::tx_batch batch;
    a->engine->poll_transmit(net.now(), batch);
    std::size_t bytes = 0;
    for (const buffer::tx_datagrams& item : batch.pending())
      for (const buffer::slice& part : item.parts)
        if (part.owner() == s.owner()) bytes += part.size();
    return bytes;
  }
  [[nodiscard]] std::size_t blocks_out() const { return pool.block_count() - pool.available(); }

  engine::config settings = [] {
    engine::config c;
    c.congestion_window_bytes = 1 << 20;
    return c;
  }();
  buffer::block_pool pool{{65536, 8, buffer::sharing::one_thread, false}};
  engine_network net;
  engine_node* a = nullptr;
  engine_node* b = nullptr;
  peer_id peer{};
};

// The payload itself goes to the transport: every byte of it, and once.
TEST_F(held_payloads, packets_are_made_of_the_payload_itself) {
  for (const std::size_t bytes : {50'000u, 1'400u, 800u}) {
    const buffer::slice s = payload(bytes);
    ASSERT_TRUE(send(s));
    EXPECT_EQ(referred_to(s), bytes);
    net.run_for(5s);  // what was taken above is lost, and sent again
    ASSERT_FALSE(b->app.messages.empty());
    EXPECT_TRUE(b->app.messages.back().second == payload_of(7, bytes)) << bytes;
  }
}

TEST_F(held_payloads, the_payload_is_held_until_the_peer_has_it_and_no_longer) {
  ASSERT_TRUE(send(payload(50'000)));
  net.run_for(1ms);
  EXPECT_EQ(blocks_out(), 1u) << "on its way";
  net.run_for(1s);
  EXPECT_EQ(b->app.messages.size(), 1u);
  EXPECT_EQ(blocks_out(), 0u);
}

TEST_F(held_payloads, what_shares_a_packet_is_copied) {
  ASSERT_TRUE(send(payload(64)));
  EXPECT_EQ(blocks_out(), 0u);
  net.run_for(1s);
  ASSERT_EQ(b->app.messages.size(), 1u);
  EXPECT_TRUE(b->app.messages[0].second == payload_of(7, 64));
}

// R-0RTT-1: what goes with the HELLO is in one piece.
TEST_F(held_payloads, what_may_go_early_is_copied) {
  engine_node& c = net.add(settings);
  peer = *a->engine->connect(net.now(), c.address);
  engine::send_options options;
  options.idempotent = true;
  ASSERT_TRUE(send(payload(1000), options));
  EXPECT_EQ(blocks_out(), 0u);
  net.run_for(1s);
  ASSERT_EQ(c.app.messages.size(), 1u);
  EXPECT_TRUE(c.app.messages[0].second == payload_of(7, 1000));
}

TEST_F(held_payloads, a_message_that_is_given_up_lets_its_payload_go) {
  net.filter = [](const engine_node&, std::span<const std::byte>) { return false; };
  ASSERT_TRUE(send(payload(50'000), {engine::want_received, 1, 4, 0, false, 100ms}));
  net.run_for(50ms);
  EXPECT_EQ(blocks_out(), 1u);
  net.filter = nullptr;
  net.run_for(5s);
  EXPECT_TRUE(b->app.messages.empty());
  EXPECT_EQ(a->app.others.size(), 1u) << "expired";
  EXPECT_EQ(blocks_out(), 0u);
}

TEST_F(held_payloads, a_session_that_ends_lets_them_go) {
  ASSERT_TRUE(send(payload(50'000)));
  ASSERT_TRUE(send(payload(1'400)));
  net.step();
  EXPECT_EQ(blocks_out(), 2u);
  a->engine->close(net.now());
  EXPECT_EQ(blocks_out(), 0u);
}

}  // namespace
}  // namespace mdp::test
