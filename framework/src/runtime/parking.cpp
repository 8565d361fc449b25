#include "parking.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace mdp::runtime {

void parking::wait(std::uint32_t seen, duration longest) noexcept {
  constexpr std::int64_t second = 1'000'000'000;
  const timespec timeout{longest.count() / second, longest.count() % second};
  ::syscall(SYS_futex, &signal_, FUTEX_WAIT_PRIVATE, seen, &timeout, nullptr, 0);
}

void parking::signal(int count) noexcept {
  signal_.fetch_add(1, std::memory_order_acq_rel);
  ::syscall(SYS_futex, &signal_, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace mdp::runtime
