// The raw messenger: bare datagrams, in trains where they are of one size.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "mdp/messaging/factory.hpp"
#include "mdp/plugin/plugin_loader.hpp"

namespace mdp {
namespace {

using namespace std::chrono_literals;
using messaging::event;
using messaging::event_kind;
using messaging::refusal;

// Content that tells which message it is and where in it a byte stands.
std::vector<std::byte> message(std::size_t number, std::size_t bytes) {
  std::vector<std::byte> content(bytes);
  for (std::size_t i = 0; i < bytes; ++i) content[i] = static_cast<std::byte>(number * 31 + i * 7);
  return content;
}

class raw_messengers : public testing::Test {
 protected:
  void SetUp() override {
    to = open();
    from = open();
    const auto connected = from->connect(to->local_address());
    ASSERT_TRUE(connected) << connected.error();
    peer = *connected;
  }
  std::unique_ptr<messaging::messenger> open() {
    messaging::messenger_options o;
    o.fabric = fabric.get();
    return make_raw_messenger(o);
  }
  // Sends all, as the queue takes them, and takes what arrives, for five seconds at most.
  std::vector<std::vector<std::byte>> carry(const std::vector<std::size_t>& sizes) {
    std::vector<std::vector<std::byte>> arrived;
    std::vector<event> events(64);
    std::size_t sent = 0;
    const time_point end = to->now() + 5s;
    while (arrived.size() < sizes.size() && to->now() < end) {
      for (; sent < sizes.size(); ++sent)
        if (!from->submit(peer, message(sent, sizes[sent]), {})) break;
      static_cast<void>(from->poll(events, from->now()));
      const std::size_t n = to->poll(events, to->now() + 1ms);
      for (std::size_t i = 0; i < n; ++i) {
        if (events[i].kind == event_kind::message)
          arrived.emplace_back(events[i].payload.data(),
                               events[i].payload.data() + events[i].payload.size());
        events[i].payload.reset();
      }
    }
    return arrived;
  }

  std::shared_ptr<transport::fabric> fabric = plugin::create_fabric("socket");
  std::unique_ptr<messaging::messenger> to, from;
  peer_id peer = no_peer;
};

TEST_F(raw_messengers, messages_of_every_size_arrive_whole_and_apart) {
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < 100; ++i) sizes.push_back(64);    // a train
  for (std::size_t i = 0; i < 100; ++i) sizes.push_back(1472);  // over the end of a block
  sizes.insert(sizes.end(), {1, 65507, 1471, 1472, 1472, 10, 30000, 30000, 30000, 2048, 2049});
  const auto arrived = carry(sizes);
  ASSERT_EQ(arrived.size(), sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) EXPECT_EQ(arrived[i], message(i, sizes[i])) << i;
}

TEST_F(raw_messengers, equal_sizes_leave_as_trains) {
  const std::vector<std::size_t> sizes(40, 1000);
  ASSERT_EQ(carry(sizes).size(), sizes.size());
  EXPECT_EQ(from->transport_counts().tx_datagrams, 40u);
  EXPECT_EQ(from->transport_counts().tx_calls, 1u);
}

TEST_F(raw_messengers, refuse_what_needs_a_protocol) {
  EXPECT_EQ(from->submit(peer, message(0, 65508), {}).error(), refusal::too_large);
  EXPECT_EQ(from->submit(peer_id{7}, message(0, 1), {}).error(), refusal::unknown_peer);
  messaging::send_options confirmed;
  confirmed.want = messaging::confirm::delivered;
  EXPECT_EQ(from->submit(peer, message(0, 1), confirmed).error(), refusal::not_supported);
}

TEST_F(raw_messengers, are_full_until_polled) {
  std::size_t taken = 0;
  while (taken < 100'000 && from->submit(peer, message(0, 1000), {})) ++taken;
  ASSERT_LT(taken, 100'000u);
  EXPECT_EQ(from->submit(peer, message(0, 1000), {}).error(), refusal::queue_full);
  EXPECT_FALSE(from->idle());
  std::vector<event> events(64);
  static_cast<void>(from->poll(events, from->now()));
  EXPECT_TRUE(from->submit(peer, message(0, 1000), {}));
}

}  // namespace
}  // namespace mdp
