// Lets one thread sleep and any other end that sleep, with a system call only when it really
// sleeps.
//
// Ownership: owns an eventfd. Threading: prepare_sleep(), end_sleep() and take_notice() belong to
// the polling thread; wake() to any. Errors: the constructor throws std::system_error.
//
// Why no wake-up is lost: one atomic word carries everything, and all accesses to it are
// read-modify-write, so they have one total order that both threads agree on. wake() exchanges
// `notified` in. Either that comes before the poller's running -> sleeping, which then fails and
// the poller does not sleep; or after it, and the exchange returns `sleeping`, and the waker writes
// the eventfd, which the poller waits for. Each exchange by wake() releases, each one by the poller
// acquires: what was handed over before wake() is seen after the sleep, also when several wakers
// were first.
#pragma once
#include <atomic>
#include <cstdint>

namespace mdp::transport {

class sleeper {
 public:
  sleeper();
  ~sleeper();
  sleeper(const sleeper&) = delete;
  sleeper& operator=(const sleeper&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }

  // True: publishes that the poller sleeps; it must wait on fd() and then call end_sleep().
  // False: somebody called wake() since the last sleep, do not sleep (the notice is used up).
  [[nodiscard]] bool prepare_sleep() noexcept {
    std::uint32_t expected = running;
    if (state_.compare_exchange_strong(expected, sleeping, std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
      return true;
    }
    state_.exchange(running, std::memory_order_acq_rel);
    return false;
  }
  // True when the sleep ended, or was about to end, because of wake().
  bool end_sleep() noexcept {
    return state_.exchange(running, std::memory_order_acq_rel) == notified;
  }
  // While spinning: uses up a notice.
  [[nodiscard]] bool take_notice() noexcept {
    return state_.load(std::memory_order_relaxed) == notified && end_sleep();
  }
  // Empties the eventfd; does not block.
  void drain() noexcept;
  void wake() noexcept {
    if (state_.exchange(notified, std::memory_order_acq_rel) == sleeping) write_event();
  }

  // Sleeps on fd() and, if not negative, on `other_fd` (readable), for `timeout_ns` (negative: for
  // ever). A notice ends it at once. Counts as one sleep in `wakeups`. True when wake() ended it.
  bool sleep(int other_fd, std::int64_t timeout_ns, std::uint64_t& wakeups) noexcept;

 private:
  static constexpr std::uint32_t running = 0;
  static constexpr std::uint32_t sleeping = 1;
  static constexpr std::uint32_t notified = 2;

  void write_event() noexcept;

  int fd_ = -1;
  std::atomic<std::uint32_t> state_{running};
};

}  // namespace mdp::transport
