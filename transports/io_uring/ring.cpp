#include "transports/io_uring/ring.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <system_error>

namespace mdp::transport {
namespace {

constexpr unsigned submission_entries = 256;
constexpr unsigned completion_entries = 4096;
// Kernel 6.12; liburing 2.3 does not name it.
constexpr unsigned feature_min_timeout = 1u << 15;

int make_ring(io_uring& ring, io_uring_params& params) {
  params = {};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE |
                 IORING_SETUP_CLAMP;
  params.cq_entries = completion_entries;
  return io_uring_queue_init_params(submission_entries, &ring, &params);
}

std::string explain(int error) {
  switch (error) {
    case ENOSYS:
      return "this kernel has no io_uring, or a sandbox hides it (allow io_uring_setup, or use "
             "socket)";
    case EINVAL:
      return "this kernel's io_uring lacks DEFER_TASKRUN (Linux 6.1 or later is needed; use "
             "socket)";
    case ENOMEM:
      return "not enough memory may be locked for io_uring (raise `ulimit -l`)";
    case EMFILE:
    case ENFILE:
      return "no file descriptor is left for io_uring (raise `ulimit -n`)";
    case EPERM: {
      std::ifstream file("/proc/sys/kernel/io_uring_disabled");
      int disabled = 0;
      if (file >> disabled && disabled != 0) {
        return "io_uring is forbidden here: sysctl kernel.io_uring_disabled is " +
               std::to_string(disabled) + " (set it to 0, or use socket)";
      }
      return "io_uring is forbidden here by a seccomp filter or security module (use socket)";
    }
    default:
      return std::system_category().message(error);
  }
}

}  // namespace

std::string why_no_ring() {
  io_uring probe{};
  io_uring_params params;
  const int error = make_ring(probe, params);
  if (error < 0) return explain(-error);
  io_uring_queue_exit(&probe);
  return {};
}

ring::ring() {
  io_uring_params params;
  const int error = make_ring(ring_, params);
  if (error < 0) throw std::system_error(-error, std::system_category(), explain(-error));
  has_min_wait_ = params.features & feature_min_timeout;
}

ring::~ring() {
  io_uring_queue_exit(&ring_);
}

void ring::enable() noexcept {
  if (enabled_) return;
  // liburing 2.3 declares io_uring_enable_rings() but its shared library does not export it.
  enabled_ = ::syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr,
                       0) >= 0;
}

io_uring_sqe* ring::entry(ring_tag tag) noexcept {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (!sqe) {
    flush();
    sqe = io_uring_get_sqe(&ring_);
  }
  if (sqe) {
    *sqe = {};
    sqe->user_data = static_cast<std::uint64_t>(tag);
  }
  return sqe;
}

bool ring::has_work() const noexcept {
  return __atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) &
         (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

int ring::flush() noexcept {
  return std::min(io_uring_submit_and_get_events(&ring_), 0);
}

int ring::wait(unsigned count, duration min_wait, std::int64_t timeout_ns) noexcept {
  __kernel_timespec timeout{};
  io_uring_getevents_arg how{};
  how.sigmask_sz = _NSIG / 8;
  if (timeout_ns >= 0) {
    timeout.tv_sec = timeout_ns / 1'000'000'000;
    timeout.tv_nsec = timeout_ns % 1'000'000'000;
    how.ts = reinterpret_cast<std::uintptr_t>(&timeout);
  }
  // Without the kernel's minimum wait a count above one could sleep on a single datagram.
  const bool late = has_min_wait_ && count > 1 && min_wait > duration::zero();
  if (late) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(min_wait).count();
    how.pad = static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 1, 1'000'000));
  }
  return io_uring_enter2(static_cast<unsigned>(ring_.ring_fd), 0, late ? count : 1,
                         IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                         reinterpret_cast<sigset_t*>(&how), sizeof how);
}

}  // namespace mdp::transport
