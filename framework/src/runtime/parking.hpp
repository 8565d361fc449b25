// Where threads sleep until there is something for them: a futex that costs its wakers one atomic
// operation while nobody sleeps.
#pragma once
#include <atomic>
#include <cstdint>

#include "mdp/base/time.hpp"

namespace mdp::runtime {

class parking {
 public:
  // Sleeps until wake_one(), wake_all() or for `longest`; not at all if ready() says that what is
  // waited for is there. Any number of threads. May end early.
  template <class Ready>
  void sleep(duration longest, const Ready& ready) noexcept {
    if (longest <= duration::zero()) return;
    const std::uint32_t seen = signal_.load(std::memory_order_acquire);
    sleepers_.fetch_add(1, std::memory_order_acq_rel);
    if (!ready()) wait(seen, longest);
    sleepers_.fetch_sub(1, std::memory_order_acq_rel);
  }
  // To be called after what the sleepers wait for was published.
  void wake_one() noexcept { wake(1); }
  void wake_all() noexcept { wake(INT32_MAX); }

 private:
  void wake(int count) noexcept {
    // An exchange with sleep()'s: either we see the sleeper, or it sees what was published.
    if (sleepers_.fetch_add(0, std::memory_order_acq_rel) > 0) signal(count);
  }
  void wait(std::uint32_t seen, duration longest) noexcept;
  void signal(int count) noexcept;

  std::atomic<std::uint32_t> signal_{0};
  std::atomic<std::uint32_t> sleepers_{0};
};

}  // namespace mdp::runtime
