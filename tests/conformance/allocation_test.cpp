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
  std::array<rx_datagrams, 64> got;
  std::size_t before = allocations.load();
  EXPECT_GT(before, 0u) << "the count does not work";
  constexpr int warm_up = 100;
  for (int i = 0; i < 2000; ++i) {
    if (i == warm_up) before = allocations.load();
    for (int k = 0; k < 8; ++k) {
      batch.add_part(data);
      batch.finish_item(b.address(), train > 1 ? std::uint16_t{100} : std::uint16_t{0});
    }
    while (!batch.empty()) {
      batch.consume(a.link->send(batch.pending()));
      static_cast<void>(a.link->poll(got, {}));
    }
    const std::size_t n = b.link->poll(got, {});
    for (std::size_t k = 0; k < n; ++k) got[k].data.reset();
    a.link->wake();
  }
  EXPECT_EQ(allocations.load(), before);
}

INSTANTIATE_TEST_SUITE_P(plugin, allocation, testing::ValuesIn(plugins_under_test()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace mdp::conformance
