#include "transports/common/sleeper.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <system_error>

namespace mdp::transport {

sleeper::sleeper() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) {
    throw std::system_error(errno, std::system_category(),
                            "cannot create an eventfd (raise the limit of open files)");
  }
}

sleeper::~sleeper() {
  ::close(fd_);
}

void sleeper::drain() noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!::read(fd_, &count, sizeof count));
}

void sleeper::write_event() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(fd_, &one, sizeof one));
}

bool sleeper::sleep(int other_fd, std::int64_t timeout_ns, std::uint64_t& wakeups) noexcept {
  if (!prepare_sleep()) return true;
  pollfd fds[2] = {{fd_, POLLIN, 0}, {other_fd, POLLIN, 0}};
  timespec timeout{};
  if (timeout_ns >= 0) {
    timeout.tv_sec = timeout_ns / 1'000'000'000;
    timeout.tv_nsec = timeout_ns % 1'000'000'000;
  }
  ::ppoll(fds, other_fd >= 0 ? 2 : 1, timeout_ns >= 0 ? &timeout : nullptr, nullptr);
  ++wakeups;
  // The event may be written after a timeout ended this sleep: it then ends the next one early,
  // which is harmless, and is emptied there.
  if (fds[0].revents & POLLIN) drain();
  return end_sleep();
}

}  // namespace mdp::transport
