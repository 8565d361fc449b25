// Opening, closing and what is left behind. The fixture checks on every test that all blocks come
// back.
#include <gmock/gmock.h>

#include "tests/conformance/fixture.hpp"

namespace mdp::conformance {
namespace {

class lifetime : public transport_suite {};

TEST_P(lifetime, opens_and_closes_many_times) {
  for (int i = 0; i < 20; ++i) {
    port& p = open(8);
    EXPECT_NE(p.address(), endpoint_address{});
    EXPECT_EQ(poll_once(p), 0u);
    if (!fabric_->caps().virtual_time) {
      p.link.reset();
      EXPECT_EQ(p.rx_pool->available(), p.rx_pool->block_count());
      ports_.clear();
    }
  }
}

TEST_P(lifetime, closing_without_a_poll_gives_blocks_back) {
  port& a = open();
  port& b = open();
  buffer::tx_batch batch;
  for (unsigned i = 0; i < 32; ++i) add_item(batch, b.address(), pattern(1000, i), 0, 3);
  const std::size_t taken = a.link->send(batch.pending());
  EXPECT_LE(taken, 32u);
}

TEST_P(lifetime, closing_with_received_datagrams_unread_gives_blocks_back) {
  port& a = open();
  port& b = open();
  send_one(a, b.address(), pattern(1000, 1));
  for (int i = 0; i < 5; ++i) poll_once(a);
  EXPECT_TRUE(b.inbox.empty() || b.inbox.size() == 1);
}

TEST_P(lifetime, received_slices_may_be_kept_until_later) {
  if (!delivers()) GTEST_SKIP() << "SKIPPED: this transport delivers nothing by design";
  port& a = open();
  port& b = open();
  std::vector<rx_datagrams> kept;
  std::array<rx_datagrams, 8> got;
  for (unsigned i = 0; i < 20; ++i) {
    send_one(a, b.address(), pattern(300, i));
    const time_point end = a.link->now() + std::chrono::seconds(5);
    while (kept.size() <= i && a.link->now() < end) {
      const bool is_virtual = fabric_->caps().virtual_time;
      const std::size_t n = b.link->poll(
          got, {.deadline = is_virtual ? never : b.link->now() + std::chrono::milliseconds(10)});
      for (std::size_t k = 0; k < n; ++k) kept.push_back(std::move(got[k]));
      if (is_virtual) static_cast<void>(fabric_->advance(a.link->now() + duration(1'000'000)));
      poll_once(a);
    }
    ASSERT_EQ(kept.size(), i + 1);
  }
  for (unsigned i = 0; i < 20; ++i) {
    const std::string expected = pattern(300, i);
    ASSERT_EQ(kept[i].data.size(), expected.size());
    EXPECT_EQ(std::memcmp(kept[i].data.data(), expected.data(), expected.size()), 0);
  }
}

TEST_P(lifetime, an_address_in_use_is_named_in_the_error) {
  if (!delivers()) GTEST_SKIP() << "SKIPPED: this transport binds nothing";
  port& a = open();
  if (!is_real_network()) GTEST_SKIP() << "SKIPPED: addresses are given out by the simulator";
  try {
    open(8, a.address());
    FAIL() << "the same address was bound twice";
  } catch (const std::exception& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr(to_string(a.address())));
    EXPECT_THAT(e.what(), testing::HasSubstr("choose another port"));
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
  }
}

TEST_P(lifetime, a_closed_address_can_be_bound_again) {
  if (!is_real_network()) GTEST_SKIP() << "SKIPPED: no kernel address to bind";
  const endpoint_address address = open(8).address();
  ports_.clear();
  EXPECT_EQ(open(8, address).address(), address);
}

TEST_P(lifetime, the_capabilities_make_sense) {
  const auto& caps = fabric_->caps();
  EXPECT_GE(caps.datagram_bytes_max, 1200u);
  EXPECT_LE(caps.datagram_bytes_max, 65507u);
  EXPECT_GE(caps.segments_max, 1u);
  EXPECT_GE(caps.rx_block_bytes, 1u);
  port& a = open(8);
  EXPECT_LE(a.link->caps().segments_max, caps.segments_max);
  EXPECT_EQ(a.link->caps().virtual_time, caps.virtual_time);
  EXPECT_LE(a.link->caps().rx_block_bytes, caps.rx_block_bytes);
}

INSTANTIATE_TEST_SUITE_P(plugin, lifetime, testing::ValuesIn(plugins_under_test()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace mdp::conformance
