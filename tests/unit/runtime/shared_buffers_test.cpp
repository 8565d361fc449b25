#include "runtime/shared_buffers.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace mdp::runtime {
namespace {

TEST(shared_buffers, gives_what_is_asked_for_and_takes_it_back) {
  shared_buffers buffers(1 << 20);
  for (const std::size_t bytes : {0u, 1u, 256u, 257u, 5000u, 1000000u}) {
    const buffer::slice s = buffers.acquire(bytes);
    ASSERT_TRUE(s) << bytes;
    EXPECT_EQ(s.size(), bytes);
    if (bytes > 0) s.data()[bytes - 1] = std::byte{1};
  }
  std::byte* const first = buffers.acquire(300).data();
  EXPECT_EQ(buffers.acquire(400).data(), first);  // the same class, free again
}

TEST(shared_buffers, one_size_never_starves_another) {
  constexpr std::size_t bound = 1 << 20;
  shared_buffers buffers(bound);
  std::vector<buffer::slice> held;
  while (buffer::slice s = buffers.acquire(1024)) held.push_back(std::move(s));
  EXPECT_EQ(held.size(), bound / 1024);
  EXPECT_TRUE(buffers.acquire(2048));
  held.pop_back();
  EXPECT_TRUE(buffers.acquire(1024));
}

TEST(shared_buffers, one_of_any_size_can_go_and_no_more_than_the_bound) {
  shared_buffers buffers(1 << 20);
  const buffer::slice large = buffers.acquire(8 << 20);
  ASSERT_TRUE(large);
  EXPECT_FALSE(buffers.acquire(8 << 20));
  EXPECT_FALSE(buffers.acquire((std::size_t{1} << 30) + 1));
}

}  // namespace
}  // namespace mdp::runtime
