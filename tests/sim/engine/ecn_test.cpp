// Congestion marks (RFC 3168), between two engines in virtual time.
#include <gtest/gtest.h>

#include "tests/support/engine_pair.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;

engine::config cubic() {
  engine::config c;
  c.congestion_control = engine::congestion_kind::cubic;
  return c;
}

// Sends 2 MB and returns the sender's counts.
engine::stats transfer(const network_options& options, const engine::config& settings,
                       bool drops_ect = false) {
  engine_network net(options);
  auto& a = net.add(settings);
  auto& b = net.add(settings);
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  net.run_for(100ms);
  net.drops_ect = drops_ect;
  for (std::uint64_t i = 0; i < 200; ++i) {
    EXPECT_TRUE(a.engine->submit(net.now(), peer, bytes_of(std::string(10'000, 'x')),
                                 {engine::want_delivered, i}));
  }
  EXPECT_TRUE(net.run_until([&] { return a.app.delivered.size() == 200; }, 5min));
  return a.engine->counts();
}

// R-ECN-1, R-ECN-2
TEST(ecn, marks_slow_the_sender_without_a_loss) {
  network_options marking;
  marking.mark = 0.02;
  const engine::stats s = transfer(marking, cubic());
  EXPECT_GT(s.congestion_marks, 3u);
  EXPECT_EQ(s.packets_lost, 0u);
  EXPECT_EQ(s.packets_retransmitted, 0u);
}

// R-ECN-1
TEST(ecn, is_not_used_by_a_fixed_window_or_when_it_is_turned_off) {
  network_options marking;
  marking.mark = 1;
  EXPECT_EQ(transfer(marking, {}).congestion_marks, 0u);
  engine::config off = cubic();
  off.ecn = false;
  EXPECT_EQ(transfer(marking, off).congestion_marks, 0u);
}

// R-ECN-2: a network that drops what allows marks.
TEST(ecn, is_given_up_where_nothing_that_allows_it_arrives) {
  const engine::stats s = transfer({}, cubic(), true);
  EXPECT_GE(s.packets_probe, 3u);
}

}  // namespace
}  // namespace mdp::test
