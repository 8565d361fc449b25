// Single rules of docs/protocol.md between two engines in virtual time, with packets made by hand.
#include <gtest/gtest.h>

#include "tests/support/engine_pair.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;

class rules : public testing::Test {
 protected:
  void SetUp() override {
    a = &net.add(settings);
    b = &net.add(settings);
    peer = *a->engine->connect(net.now(), b->address);
    // Remember the data packets on their way to b: the templates of forgeries.
    net.filter = [this](const engine_node& from, std::span<const std::byte> packet) {
      if (&from == a && wire::parse_header(packet)->type == wire::packet_type::data)
        last_to_b.assign(packet.begin(), packet.end());
      return !cut;
    };
    net.run_for(200ms);
    ASSERT_EQ(a->app.ups, 1);
  }
  // What `to` makes of these bytes.
  void inject(engine_node& to, const endpoint_address& from, std::vector<std::byte> bytes) {
    buffer::slice block = buffer::slice::acquire(to.rx);
    std::memcpy(block.data(), bytes.data(), bytes.size());
    buffer::rx_datagrams item;
    item.from = from;
    item.data = block.subslice(0, static_cast<std::uint32_t>(bytes.size()));
    to.engine->handle_datagrams(net.now(), {&item, 1});
  }
  // A packet of a's session to b with these frames, properly sealed.
  std::vector<std::byte> forged(std::uint64_t number, const std::vector<std::byte>& frames) {
    std::vector<std::byte> packet(wire::header_bytes + frames.size());
    std::copy(frames.begin(), frames.end(), packet.begin() + wire::header_bytes);
    const auto header = wire::parse_header(last_to_b);
    wire::seal_packet(packet, {wire::packet_type::data, 0, 0, header->connection, number, 0},
                      a->engine->find(peer)->crc_seed());
    return packet;
  }
  static std::vector<std::byte> message_frame(std::uint32_t id, std::size_t size) {
    std::vector<std::byte> frame(wire::frame_bytes(size));
    wire::write_frame_head(frame.data(), wire::frame_type::message, 0, size, id);
    return frame;
  }
  static std::vector<std::byte> fragment_frame(std::uint32_t id, std::uint32_t total,
                                               std::uint32_t offset, std::size_t size) {
    std::vector<std::byte> frame(wire::frame_bytes(8 + size));
    std::byte* p =
        wire::write_frame_head(frame.data(), wire::frame_type::fragment, 0, 8 + size, id);
    wire::store(p, total);
    wire::store(p + 4, offset);
    return frame;
  }
  [[nodiscard]] const engine::stats& at_b() const { return b->engine->counts(); }

  engine::config settings = [] {
    engine::config c;
    c.receive_window_bytes = 100000;
    c.receive_window_messages = 100;
    c.max_message_bytes = 100000;
    return c;
  }();
  engine_network net;
  engine_node* a = nullptr;
  engine_node* b = nullptr;
  peer_id peer{};
  std::vector<std::byte> last_to_b;
  bool cut = false;
};

// R-PKT-3, R-SESS-7
TEST_F(rules, the_generation_of_a_slot_is_checked_and_its_address_does_not_follow_a_packet) {
  const auto packet = forged(1000, message_frame(0, 10));
  auto stale = packet;
  wire::store(stale.data() + 4, wire::load<std::uint32_t>(stale.data() + 4) + (1u << 20));
  inject(*b, a->address, stale);
  EXPECT_EQ(at_b().rejected_no_session, 1u) << "another generation of the slot";
  auto other = packet;
  wire::seal_packet(other, *wire::parse_header(other), 12345);
  inject(*b, simulated_address(77), other);
  EXPECT_EQ(at_b().rejected_wrong_source, 1u) << "its tag is of a different one";
  inject(*b, simulated_address(77), packet);
  net.run_for(100ms);
  EXPECT_EQ(b->app.messages.size(), 1u) << "the session's own packet, wherever it comes from";
  EXPECT_TRUE(b->engine->find(a->address));
  EXPECT_FALSE(b->engine->find(simulated_address(77)));
}

// R-ACK-2, R-DUP-2
TEST_F(rules, one_refused_frame_refuses_the_packet) {
  auto frames = message_frame(0, 10);
  const auto beyond = message_frame(70000, 10);
  frames.insert(frames.end(), beyond.begin(), beyond.end());
  inject(*b, a->address, forged(1000, frames));
  EXPECT_EQ(at_b().rejected_window, 1u);
  net.run_for(100ms);
  EXPECT_TRUE(b->app.messages.empty()) << "the good frame in it does not count either";
  inject(*b, a->address, forged(1000, message_frame(0, 10)));
  net.run_for(100ms);
  EXPECT_EQ(b->app.messages.size(), 1u) << "its number was not used up";
}

// R-FLOW-1
TEST_F(rules, a_message_beyond_the_byte_credit_is_refused) {
  inject(*b, a->address, forged(1000, fragment_frame(0, 100000, 0, 640)));
  EXPECT_EQ(at_b().rejected_flow_control, 0u);
  inject(*b, a->address, forged(1001, message_frame(1, 1)));
  EXPECT_EQ(at_b().rejected_flow_control, 1u) << "the first message took all the credit";
}

// R-DUP-2
TEST_F(rules, an_id_beyond_the_window_is_refused) {
  inject(*b, a->address, forged(1000, message_frame(70000, 1)));
  EXPECT_EQ(at_b().rejected_window + at_b().rejected_flow_control, 1u);
}

// R-FRAG-2
TEST_F(rules, fragments_that_disagree_are_refused) {
  inject(*b, a->address, forged(1000, fragment_frame(0, 5000, 0, 640)));
  inject(*b, a->address, forged(1001, fragment_frame(0, 5001, 640, 640)));
  EXPECT_EQ(at_b().rejected_conflict, 1u);
}

// R-FRM-1, R-FRM-2
TEST_F(rules, later_frames_are_skipped_and_unknown_ones_are_not) {
  std::vector<std::byte> later(16);
  wire::write_frame_head(later.data(), static_cast<wire::frame_type>(0xc3), 0, 8, 0);
  inject(*b, a->address, forged(1000, later));
  EXPECT_EQ(at_b().rejected_malformed, 0u);
  later[0] = std::byte{0x42};
  inject(*b, a->address, forged(1001, later));
  EXPECT_EQ(at_b().rejected_malformed, 1u);
}

// R-OUT-2, R-ACK-6
TEST_F(rules, confirmations_of_what_was_never_sent_change_nothing) {
  std::vector<std::byte> outcome(16);
  std::byte* p = wire::write_frame_head(outcome.data(), wire::frame_type::outcome, 1, 8, 0);
  wire::store(p, std::uint32_t{0});
  wire::store(p + 4, std::uint32_t{0xffffffff});
  inject(*b, a->address, forged(1000, outcome));
  EXPECT_EQ(at_b().rejected_bad_outcome, 1u);
  std::vector<std::byte> ack(24);
  p = wire::write_frame_head(ack.data(), wire::frame_type::ack, 0, 16, 0);
  wire::store(p, std::uint64_t{1} << 40);
  inject(*b, a->address, forged(1001, ack));
  EXPECT_EQ(at_b().rejected_bad_ack, 1u);
  EXPECT_TRUE(b->app.delivered.empty());
}

// R-DUP-1
TEST_F(rules, a_packet_a_thousand_times_is_one_delivery) {
  ASSERT_TRUE(a->engine->submit(net.now(), peer, bytes_of("once"), {engine::want_delivered, 1}));
  net.run_for(50ms);
  const auto copy = last_to_b;
  for (int i = 0; i < 1000; ++i) inject(*b, a->address, copy);
  net.run_for(100ms);
  EXPECT_EQ(b->app.messages.size(), 1u);
  EXPECT_EQ(a->app.delivered.size(), 1u);
}

// R-LOSS-3
TEST_F(rules, after_two_seconds_of_darkness_recovery_takes_one_probe) {
  ASSERT_TRUE(a->engine->submit(net.now(), peer, bytes_of("dark"), {engine::want_delivered, 1}));
  cut = true;
  net.run_for(2s);
  cut = false;
  const time_point healed = net.now();
  ASSERT_TRUE(net.run_until([&] { return a->app.delivered.size() == 1; }, 10s));
  EXPECT_LE(net.now() - healed, 2s + 50ms);
}

// R-FLOW-2, R-FLOW-3
TEST_F(rules, a_receiver_that_does_not_poll_stops_the_sender_and_lost_credit_is_stated_again) {
  b->app.polls = false;
  std::uint64_t accepted = 0;
  while (accepted < 500 && a->engine->submit(net.now(), peer, bytes_of(std::string(1000, 'x')),
                                             {engine::want_delivered, accepted}))
    ++accepted;
  net.run_for(3s);
  EXPECT_EQ(at_b().messages_received, 100u) << "100 messages and 100,000 bytes of credit";
  EXPECT_EQ(at_b().rejected_flow_control, 0u) << "the sender kept to it";
  b->app.polls = true;
  int dropped = 0;
  net.filter = [&](const engine_node& from, std::span<const std::byte>) {
    return !(&from == b && dropped < 5 && ++dropped > 0);  // credit is in these
  };
  ASSERT_TRUE(net.run_until([&] { return a->app.delivered.size() == accepted; }, 60s));
}

// R-LOSS-5
TEST_F(rules, no_more_is_in_flight_than_the_window) {
  engine_network lone;
  engine::config narrow;
  narrow.congestion_window_bytes = 10000;
  auto& sender = lone.add(narrow);
  auto& receiver = lone.add();
  const peer_id to = *sender.engine->connect(lone.now(), receiver.address);
  lone.run_for(100ms);
  std::uint64_t bytes = 0;
  lone.filter = [&](const engine_node& from, std::span<const std::byte> packet) {
    if (&from == &sender) bytes += packet.size();
    return &from == &sender;  // no acknowledgement comes back
  };
  for (int i = 0; i < 100; ++i)
    static_cast<void>(sender.engine->submit(net.now(), to, bytes_of(std::string(1000, 'x')),
                                            {engine::want_none, 0}));
  lone.run_for(2ms);
  EXPECT_LE(bytes, 10000u);
  EXPECT_GE(bytes, 8000u);
}

// R-SESS-7
TEST_F(rules, the_peer_table_is_bounded) {
  engine_network crowd;
  engine::config small;
  small.max_peers = 3;
  auto& server = crowd.add(small);
  for (int i = 0; i < 6; ++i) {
    auto& client = crowd.add();
    ASSERT_TRUE(client.engine->connect(crowd.now(), server.address));
  }
  crowd.run_for(500ms);
  EXPECT_EQ(server.engine->peer_count(), 3u);
  EXPECT_GE(server.engine->counts().rejected_peer_limit, 3u);
}

// R-OUT-1
TEST_F(rules, no_outcome_is_sent_for_what_nobody_asked) {
  const std::uint64_t before = at_b().packets_sent;
  for (int i = 0; i < 30; ++i)
    ASSERT_TRUE(a->engine->submit(net.now(), peer, bytes_of("plain"), {engine::want_none, 0}));
  net.run_for(500ms);
  EXPECT_EQ(b->app.messages.size(), 30u);
  EXPECT_LE(at_b().packets_sent - before, 4u) << "acknowledgements only";
  EXPECT_TRUE(a->app.delivered.empty());
}

// Whatever block is the one that is missing: refused or waited for, never lost.
TEST(scarcity, every_size_of_pool_delivers_everything) {
  for (std::size_t blocks = 1; blocks <= 40; ++blocks) {
    SCOPED_TRACE(blocks);
    engine_network net({2ms, 1ms, 0.05, 0, 0, blocks});
    auto& a = net.add();
    auto& b = net.add();
    buffer::block_pool few({1536, blocks}), control({1536, 1 + blocks % 3});
    a.engine = std::make_unique<engine::endpoint>(
        engine::config{}, engine::engine_memory{few, control}, engine::train_limits{}, a.random);
    const peer_id peer = *a.engine->connect(net.now(), b.address);
    std::uint64_t sent = 0;
    std::uint64_t refused = 0;
    ASSERT_TRUE(net.run_until([&] {
      while (sent < 100) {
        const std::string text(sent % 7 == 6 ? std::min<std::size_t>(blocks, 20) * 1400 : 300, 'x');
        if (a.engine->submit(net.now(), peer, bytes_of(text), {engine::want_delivered, sent})) {
          ++sent;
        } else {
          ++refused;
          break;
        }
      }
      return a.app.delivered.size() == 100;
    })) << sent
        << " sent";
    EXPECT_EQ(b.app.messages.size(), 100u);
    EXPECT_TRUE(blocks > 20 || refused > 0);
    net.run_for(3s);
    EXPECT_EQ(few.available(), blocks);
    a.engine.reset();
    EXPECT_EQ(control.available(), control.block_count());
    a.engine = std::make_unique<engine::endpoint>(engine::config{},
                                                  engine::engine_memory{a.blocks, a.control},
                                                  engine::train_limits{}, a.random);
  }
}

}  // namespace
}  // namespace mdp::test
