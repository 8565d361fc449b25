// After open() a transport allocates nothing: every operator new of the process is counted, also
// those of plugins, which resolve to the definitions below.
#include <cstdlib>
#include <new>

#include "tests/conformance/fixture.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MDP_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MDP_COUNTS_ALLOCATIONS 0
#else
#define MDP_COUNTS_ALLOCATIONS 1
#endif
#else
#define MDP_COUNTS_ALLOCATIONS 1
#endif

namespace {
std::atomic<std::size_t> allocations{0};

#if MDP_COUNTS_ALLOCATIONS
void* counted(std::size_t bytes, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const std::size_t step = alignment > alignof(std::max_align_t) ? alignment : 16;
  void* memory = std::aligned_alloc(step, (bytes + step - 1) / step * step);
  if (!memory) throw std::bad_alloc();
  return memory;
}
#endif
}  // namespace

#if MDP_COUNTS_ALLOCATIONS
void* operator new(std::size_t bytes) {
  return counted(bytes, 0);
}
void* operator new(std::size_t bytes, std::align_val_t a) {
  return counted(bytes, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}
#endif

namespace mdp::conformance {
namespace {

class allocation : public transport_suite {};

TEST_P(allocation, none_in_steady_state) {
  if (!MDP_COUNTS_ALLOCATIONS) GTEST_SKIP() << "SKIPPED: the sanitizer owns operator new";
  if (fabric_->caps().virtual_time) GTEST_SKIP() << "SKIPPED: a simulator may grow its event queue";
  port& a = open();
  port& b = open();
  const auto& caps = a.link->caps();
  const std::uint32_t train = std::min(caps.segments_max, 8u);
  slice data = slice::acquire(*tx_pool_).subslice(0, 100 * train);
  buffer::tx_batch batch;
  const auto discard = [](port& p) {
    std::array<rx_datagrams, 64> got;
    const std::size_t n = p.link->poll(got, {});
    for (std::size_t k = 0; k < n; ++k) got[k].data.reset();
  };
  std::size_t before = allocations.load();
  EXPECT_GT(before, 0u) << "the count does not work";
  constexpr int warm_up = 100;
  for (int i = 0; i < 2000; ++i) {
    if (i == warm_up) before = allocations.load();
    // Both ways by turns: each side's sending and receiving counts.
    port& from = i % 2 == 0 ? a : b;
    port& to = i % 2 == 0 ? b : a;
    for (int k = 0; k < 8; ++k) {
      batch.add_part(data);
      batch.finish_item(to.address(), train > 1 ? std::uint16_t{100} : std::uint16_t{0});
    }
    while (!batch.empty()) {
      batch.consume(from.link->send(batch.pending()));
      discard(from);
    }
    discard(to);
    from.link->wake();
  }
  EXPECT_EQ(allocations.load(), before);
  if (delivers()) {
    EXPECT_GT(a.link->counts().rx_datagrams, 0u);
    EXPECT_GT(b.link->counts().rx_datagrams, 0u);
  }
}

// The kernel's copy is the only one: what poll() hands out lies in a block of the receive pool, and
// a transport that holds slices refers to the sender's block instead of to a copy.
TEST_P(allocation, payloads_are_not_copied) {
  if (!is_real_network()) GTEST_SKIP() << "SKIPPED: not on kernel sockets";
  port& a = open();
  port& b = open();
  for (int turn = 0; turn < 2; ++turn) {
    port& from = turn == 0 ? a : b;
    port& to = turn == 0 ? b : a;
    slice data = slice::acquire(*tx_pool_).subslice(0, 1200);
    std::memset(data.data(), turn + 1, data.size());
    buffer::tx_batch batch;
    batch.add_part(data);
    batch.finish_item(to.address(), 0);
    ASSERT_EQ(from.link->send(batch.pending()), 1u);
    if (from.link->caps().holds_slices) {
      // Not sent before the next poll: a late change of the sender's bytes still shows.
      std::memset(data.data(), turn + 11, data.size());
    }
    batch.consume(1);
    poll_once(from);
    std::array<rx_datagrams, 1> got;
    ASSERT_EQ(to.link->poll(got, {.deadline = to.link->now() + std::chrono::seconds(10)}), 1u);
    const int sent = from.link->caps().holds_slices ? turn + 11 : turn + 1;
    EXPECT_EQ(static_cast<int>(*got[0].data.data()), sent);
    // One block of this pool went out with it and comes back when the slice goes.
    const std::size_t without = to.rx_pool->available();
    got[0].data.reset();
    EXPECT_EQ(to.rx_pool->available(), without + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(plugin, allocation, testing::ValuesIn(plugins_under_test()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace mdp::conformance
