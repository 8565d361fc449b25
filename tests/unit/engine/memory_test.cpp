// What a peer costs, in bytes of heap and with all that its endpoint keeps for it.
#include <gtest/gtest.h>

#include "tests/support/allocation_count.hpp"
#include "tests/support/peer_crowd.hpp"

namespace mdp {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t peer_count = 1000;
constexpr std::uint64_t idle_bytes_max = 1024;
constexpr std::uint64_t active_bytes_max = 4096;

class memory : public testing::Test {
 protected:
  memory() : crowd(settings(), 32768), before(test::allocated_bytes()) {}
  static engine::config settings() {
    engine::config c;
    c.peer_timeout = 1h;
    c.heartbeat_after = 1s;
    return c;
  }
  // Each session has a peer object on either side.
  [[nodiscard]] std::uint64_t bytes_per_peer() const {
    return (test::allocated_bytes() - before) / (2 * peer_count);
  }
  void submit(peer_id to, int messages, std::size_t bytes) {
    const std::vector<std::byte> payload(bytes);
    engine::send_options how;
    how.wants = engine::want_received | engine::want_delivered;
    for (int i = 0; i < messages; ++i)
      ASSERT_TRUE(crowd.a.engine.submit(crowd.now, to, payload, how));
  }
  test::peer_crowd crowd;
  std::uint64_t before;
};

// R-MEM-1
TEST_F(memory, of_an_idle_peer_is_bounded) {
  crowd.connect(peer_count);
  crowd.run_for(3700ms);  // ends between heartbeats
  EXPECT_LE(bytes_per_peer(), idle_bytes_max);
  crowd.run_for(300s, 500ms);  // heartbeats only
  EXPECT_LE(bytes_per_peer(), idle_bytes_max);
}

// R-MEM-1
TEST_F(memory, is_given_back_when_a_peer_falls_idle) {
  crowd.connect(peer_count);
  // One after the other: what all peers share stays small.
  for (const peer_id to : crowd.peers) {
    submit(to, 8, 3000);
    crowd.settle();
  }
  crowd.run_for(3700ms);  // ends between heartbeats
  ASSERT_EQ(crowd.a.delivered, 8u * peer_count);
  EXPECT_LE(bytes_per_peer(), idle_bytes_max);
}

// R-MEM-2
TEST_F(memory, of_an_active_peer_is_bounded) {
  crowd.connect(peer_count);
  for (const peer_id to : crowd.peers) submit(to, 8, 1200);
  while (crowd.carry(crowd.a, crowd.b) > 0) crowd.drain(crowd.b);
  EXPECT_LE(bytes_per_peer(), active_bytes_max) << "8 packets in flight, all to be confirmed";
}

}  // namespace
}  // namespace mdp
