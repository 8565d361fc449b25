// How often a payload is copied between two nodes over real transports: memcpy and memmove of this
// process, the plugins' too, are the ones below, which count the bytes of payload that pass. What
// the kernel copies is not counted.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <tuple>
#include <vector>

#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/runtime/node.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MDP_COUNTS_COPIES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MDP_COUNTS_COPIES 0
#else
#define MDP_COUNTS_COPIES 1
#endif
#else
#define MDP_COUNTS_COPIES 1
#endif

namespace {

// Payloads are made of this byte; heads and addresses seldom have one.
constexpr unsigned char mark = 0xa5;
std::atomic<std::uint64_t> copied{0};
std::atomic<bool> counting{false};

[[maybe_unused]] void count_marks(const void* from, std::size_t bytes) {
  if (!counting.load(std::memory_order_relaxed)) return;
  const auto* at = static_cast<const unsigned char*>(from);
  std::uint64_t marks = 0;
  for (std::size_t i = 0; i < bytes; ++i) marks += at[i] == mark;
  copied.fetch_add(marks, std::memory_order_relaxed);
}

}  // namespace

#if MDP_COUNTS_COPIES
// Volatile: the compiler must not make calls of memcpy out of these.
extern "C" __attribute__((visibility("default"))) void* memcpy(void* __restrict to,
                                                               const void* __restrict from,
                                                               std::size_t bytes) {
  count_marks(from, bytes);
  auto* out = static_cast<volatile unsigned char*>(to);
  const auto* in = static_cast<const volatile unsigned char*>(from);
  for (std::size_t i = 0; i < bytes; ++i) out[i] = in[i];
  return to;
}
extern "C" __attribute__((visibility("default"))) void* memmove(void* to, const void* from,
                                                                std::size_t bytes) {
  count_marks(from, bytes);
  auto* out = static_cast<volatile unsigned char*>(to);
  const auto* in = static_cast<const volatile unsigned char*>(from);
  if (out < in) {
    for (std::size_t i = 0; i < bytes; ++i) out[i] = in[i];
  } else {
    for (std::size_t i = bytes; i-- > 0;) out[i] = in[i];
  }
  return to;
}
#endif

namespace mdp {
namespace {

using namespace std::chrono_literals;

enum class form : std::uint8_t { whole, parts, zero_copy };

// Copies of each byte on both sides together. A message in several packets is written once into its
// final place by the receiver; of a message in one packet the application is handed that packet.
struct expected_copies {
  const char* name;
  std::size_t bytes;
  form how;
  double without_threads;
  double with_threads;
};
constexpr expected_copies table[] = {
    {"64 B", 64, form::whole, 1, 2},  // shares a packet, which is put together by the protocol
    {"64 B in parts", 64, form::parts, 1, 2},
    {"1,200 B", 1'200, form::whole, 1, 1},
    {"1,200 B in parts", 1'200, form::parts, 1, 1},
    {"1,200 B, zero copy", 1'200, form::zero_copy, 0, 0},
    {"64 KiB", 65'536, form::whole, 2, 2},
    {"64 KiB in parts", 65'536, form::parts, 2, 2},
    {"64 KiB, zero copy", 65'536, form::zero_copy, 1, 1},
    {"1 MiB, zero copy", 1 << 20, form::zero_copy, 1, 1},
};

class copies : public testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  void SetUp() override {
    const char* const transport = std::get<0>(GetParam());
    try {
      fabric = plugin::create_fabric(transport, "{}", {MDP_PLUGIN_DIR});
    } catch (const std::exception& e) {
      GTEST_SKIP() << "SKIPPED: " << transport << " is not available here: " << e.what();
    }
    node_options o;
    o.fabric = fabric.get();
    o.local = *parse_endpoint_address("127.0.0.1:0");
    o.threads = *parse_thread_plan(std::get<1>(GetParam()));
    o.config.max_packet_bytes = 1472;  // Ethernet's, on loopback too
    a = make_node(o);
    b = make_node(o);
    peer = *a->connect(b->local_address());
  }
  bool submit(form how, const buffer::slice& payload) {
    const messaging::send_options options{.want = messaging::confirm::delivered};
    const std::span<const std::byte> bytes = payload.bytes();
    if (how == form::whole) return a->submit(peer, bytes, options).has_value();
    if (how == form::zero_copy) return a->submit_zero_copy(peer, payload, options).has_value();
    const std::array parts{bytes.first(20), bytes.subspan(20)};
    const submission item{{&peer, 1}, parts, options};
    submit_result result = failure(messaging::refusal::closed);
    return a->submit_batch({&item, 1}, {&result, 1}) == 1 && result;
  }
  // One message there and its confirmation back. False: it took too long.
  bool exchange(form how, const buffer::slice& payload) {
    if (!submit(how, payload)) return false;
    std::size_t delivered = 0;
    const time_point end = a->now() + 10s;
    while (delivered == 0 && a->now() < end) {
      for (messaging::event& e : events) e.payload.reset();
      for (node* one : {a.get(), b.get()}) {
        const std::size_t n = one->poll(events, one->now() + 100us);
        for (const messaging::event& e : std::span(events).first(n)) {
          delivered += e.kind == messaging::event_kind::delivered;
          if (e.kind == messaging::event_kind::message) arrived += e.payload.size();
        }
      }
    }
    return delivered == 1;
  }

  buffer::block_pool pool{{1 << 20, 4, buffer::sharing::many_threads, true}};
  std::shared_ptr<transport::fabric> fabric;
  std::unique_ptr<node> a, b;
  peer_id peer{};
  std::array<messaging::event, 16> events;
  std::uint64_t arrived = 0;
};

TEST_P(copies, are_as_few_as_stated) {
  if (!MDP_COUNTS_COPIES) GTEST_SKIP() << "SKIPPED: a sanitizer has memcpy for itself";
  const bool threads = std::string_view(std::get<1>(GetParam())) != "inline";
  for (const expected_copies& row : table) {
    const buffer::slice payload =
        buffer::slice::acquire(pool).subslice(0, static_cast<std::uint32_t>(row.bytes));
    std::fill_n(payload.data(), row.bytes, std::byte{mark});
    ASSERT_TRUE(exchange(row.how, payload)) << row.name;
    constexpr int rounds = 20;
    arrived = 0;
    copied = 0;
    counting = true;
    for (int i = 0; i < rounds; ++i) ASSERT_TRUE(exchange(row.how, payload)) << row.name;
    counting = false;
    ASSERT_EQ(arrived, rounds * row.bytes) << row.name;
    const double each = static_cast<double>(copied.load()) / static_cast<double>(arrived);
    EXPECT_NEAR(each, threads ? row.with_threads : row.without_threads, 0.1) << row.name;
  }
}

INSTANTIATE_TEST_SUITE_P(nodes, copies,
                         testing::Combine(testing::Values("socket", "io_uring"),
                                          testing::Values("inline", "single", "pair", "pipeline",
                                                          "sharded:2")),
                         [](const auto& param_info) {
                           std::string name = std::string(std::get<0>(param_info.param)) + "_" +
                                              std::get<1>(param_info.param);
                           std::replace(name.begin(), name.end(), ':', '_');
                           return name;
                         });

}  // namespace
}  // namespace mdp
