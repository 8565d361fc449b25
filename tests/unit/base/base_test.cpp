// Addresses, rings, blocks and slices.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <latch>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "mdp/base/endpoint_address.hpp"
#include "mdp/base/number.hpp"
#include "mdp/base/random.hpp"
#include "mdp/base/ring.hpp"
#include "mdp/base/siphash.hpp"
#include "mdp/base/spsc_ring.hpp"
#include "mdp/buffer/datagram.hpp"

namespace mdp {
namespace {

TEST(endpoint_address, prints_what_it_parses) {
  for (const char* text :
       {"127.0.0.1:4433", "0.0.0.0:0", "[::1]:65535", "[fe80::1%2]:1", "sim:17:4433"}) {
    const auto address = parse_endpoint_address(text);
    ASSERT_TRUE(address) << address.error();
    EXPECT_EQ(to_string(*address), text);
  }
  EXPECT_EQ(to_string(endpoint_address{}), "none");
}

TEST(endpoint_address, refuses_with_a_sentence) {
  for (const char* text :
       {"", "localhost", "127.0.0.1", "127.0.0.1:70000", "[::1:5", "1.2.3:4", "sim:x:1"}) {
    const auto address = parse_endpoint_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_NE(address.error().find("is not an address"), std::string::npos);
  }
}

TEST(ring, behaves_as_a_deque) {
  ring<int> ours;
  std::deque<int> model;
  seeded_random random(3);
  for (int i = 0; i < 20000; ++i) {
    if (random.next() % 5 < 3) {
      ours.push_back(i);
      model.push_back(i);
    } else if (!model.empty()) {
      ASSERT_EQ(ours.front(), model.front());
      ours.pop_front();
      model.pop_front();
    }
    ASSERT_EQ(ours.size(), model.size());
    if (model.empty()) continue;
    ASSERT_EQ(ours[model.size() / 2], model[model.size() / 2]);
  }
}

TEST(siphash, gives_the_reference_vectors) {
  // SipHash-2-4 reference: key 00..0f, inputs 00, 00 01, …
  const siphash_key key{0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
  std::vector<std::uint8_t> data;
  EXPECT_EQ(siphash(key, data), 0x726fdb47dd0e0e31ull);
  data.push_back(0);
  EXPECT_EQ(siphash(key, data), 0x74f839c593dc67fdull);
  for (std::uint8_t i = 1; i < 15; ++i) data.push_back(i);
  EXPECT_EQ(siphash(key, data), 0xa129ca6149be45e5ull);
}

TEST(spsc_ring, keeps_order_between_two_threads) {
  spsc_ring<std::uint64_t> queue(64);
  constexpr std::uint64_t count = 200000;
  std::thread producer([&] {
    for (std::uint64_t i = 0; i < count; ++i)
      while (!queue.try_push(std::uint64_t{i})) std::this_thread::yield();
  });
  for (std::uint64_t i = 0; i < count;) {
    if (const std::uint64_t* value = queue.front()) {
      ASSERT_EQ(*value, i++);
      queue.pop();
    } else {
      std::this_thread::yield();
    }
  }
  producer.join();
  EXPECT_TRUE(queue.empty());
}

TEST(block_pool, hands_out_every_block_once_and_takes_it_back) {
  buffer::block_pool pool({100, 8});
  EXPECT_EQ(pool.block_bytes(), 128u);
  std::vector<buffer::slice> held;
  for (int i = 0; i < 8; ++i) held.push_back(buffer::slice::acquire(pool));
  for (const auto& s : held) ASSERT_TRUE(s);
  EXPECT_FALSE(buffer::slice::acquire(pool)) << "an empty pool is backpressure";
  EXPECT_EQ(pool.available(), 0u);
  buffer::slice part = held[3].subslice(10, 20);
  EXPECT_FALSE(held[3].unique());
  held[3].reset();
  EXPECT_EQ(pool.available(), 0u) << "a part keeps the block";
  part.reset();
  EXPECT_EQ(pool.available(), 1u);
  held.clear();
  EXPECT_EQ(pool.available(), 8u);
}

// Bytes of the range that the kernel has given pages for.
std::size_t resident_bytes(std::span<std::byte> range) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((range.size() + page - 1) / page);
  EXPECT_EQ(::mincore(range.data(), range.size(), pages.data()), 0);
  return page * static_cast<std::size_t>(std::count_if(pages.begin(), pages.end(),
                                                       [](unsigned char p) { return p & 1; }));
}

TEST(block_pool, takes_memory_for_blocks_in_use_unless_prefaulted) {
  constexpr std::size_t blocks = 8192;
  buffer::block_pool pool({4096, blocks, buffer::sharing::one_thread, false});
  for (int round = 0; round < 100; ++round) {
    std::vector<buffer::slice> held;
    for (int i = 0; i < 8; ++i) {
      held.push_back(buffer::slice::acquire(pool));
      held.back().data()[0] = std::byte{1};
    }
    EXPECT_EQ(pool.available(), blocks - 8);
  }
  // Eight at once: the same eight again. Huge pages would round up.
  EXPECT_LE(resident_bytes(pool.memory()), std::size_t{4} << 20);
  buffer::block_pool touched({4096, blocks, buffer::sharing::one_thread, true});
  EXPECT_GE(resident_bytes(touched.memory()), std::size_t{4096} * blocks);
}

TEST(block_pool, hands_each_block_to_one_of_two_threads) {
  constexpr std::size_t blocks = 10'000;
  for (int round = 0; round < 200; ++round) {
    buffer::block_pool pool({64, blocks, buffer::sharing::many_threads, false});
    std::array<std::vector<buffer::slice>, 2> held;
    std::latch both(2);
    const auto take_all = [&](std::vector<buffer::slice>& into) {
      into.reserve(blocks);
      both.arrive_and_wait();
      while (auto s = buffer::slice::acquire(pool)) into.push_back(std::move(s));
    };
    std::thread other(take_all, std::ref(held[1]));
    take_all(held[0]);
    other.join();
    std::set<const std::byte*> seen;
    for (const auto& of_thread : held)
      for (const auto& s : of_thread) seen.insert(s.data());
    ASSERT_EQ(held[0].size() + held[1].size(), blocks);
    ASSERT_EQ(seen.size(), blocks);
    ASSERT_EQ(pool.available(), 0u);
  }
}

TEST(block_pool, survives_many_threads) {
  buffer::block_pool pool({64, 32, buffer::sharing::many_threads});
  const auto work = [&pool](std::uint64_t seed) {
    seeded_random random(seed);
    std::vector<buffer::slice> held;
    for (int i = 0; i < 50000; ++i) {
      if (random.next() % 2 == 0) {
        if (auto s = buffer::slice::acquire(pool)) held.push_back(std::move(s));
      } else if (!held.empty()) {
        held.pop_back();
      }
    }
  };
  std::thread a(work, 1);
  std::thread b(work, 2);
  work(3);
  a.join();
  b.join();
  EXPECT_EQ(pool.available(), 32u);
}

TEST(tx_batch, keeps_items_until_the_last_is_taken) {
  buffer::block_pool pool({64, 8});
  buffer::tx_batch batch;
  for (int i = 0; i < 3; ++i) {
    batch.add_part(buffer::slice::acquire(pool));
    batch.add_part(buffer::slice::acquire(pool));
    batch.finish_item(simulated_address(1), 64);
  }
  ASSERT_EQ(batch.pending().size(), 3u);
  EXPECT_EQ(batch.pending()[0].bytes, 128u);
  batch.consume(2);
  EXPECT_EQ(pool.available(), 2u);
  batch.consume(1);
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(pool.available(), 8u);
}

TEST(number, is_the_whole_text) {
  const auto number = [](std::string_view text) -> std::optional<double> {
    double out = 0;
    return parse_number(text, out) ? std::optional(out) : std::nullopt;
  };
  EXPECT_EQ(number("0"), 0.0);
  EXPECT_EQ(number("-2.5e-3"), -0.0025);
  EXPECT_EQ(number(".5"), 0.5);
  EXPECT_EQ(number("1e+300"), 1e300);
  EXPECT_EQ(number("18446744073709551615"), 18446744073709551615.0);
  for (const char* wrong : {"", " 1", "1 ", "+1", "0x10", "1,5", "1e999", "one", "1.2.3", "-"}) {
    EXPECT_EQ(number(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace mdp
