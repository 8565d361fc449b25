// One io_uring for one polling thread: created anywhere, bound to the thread that first enters it.
//
// Ownership: owns the ring. Threading: after enable() only the enabling thread may enter the kernel
// (SINGLE_ISSUER, DEFER_TASKRUN: completions are made on that thread, inside its own calls).
// Errors: the constructor throws std::system_error with the remedy; enter calls report by value.
#pragma once
#include <liburing.h>

#include <cstdint>
#include <string>

#include "mdp/base/time.hpp"

namespace mdp::transport {

// What a completion belongs to; send slots follow from first_slot on.
enum class ring_tag : std::uint64_t { ignored = 0, receive = 1, wake = 2, first_slot = 16 };

class ring {
 public:
  ring();
  ~ring();
  ring(const ring&) = delete;
  ring& operator=(const ring&) = delete;

  [[nodiscard]] io_uring& raw() noexcept { return ring_; }
  [[nodiscard]] int fd() const noexcept { return ring_.ring_fd; }
  [[nodiscard]] bool enabled() const noexcept { return enabled_; }
  // Binds the ring to this thread.
  void enable() noexcept;

  // A submission entry; nullptr only when the kernel takes none (try after the next flush).
  [[nodiscard]] io_uring_sqe* entry(ring_tag tag) noexcept;
  [[nodiscard]] bool has_pending() const noexcept { return io_uring_sq_ready(&ring_) > 0; }
  // True when entering the kernel would make completions.
  [[nodiscard]] bool has_work() const noexcept;
  // Submits what is pending and makes completions, without waiting. Zero or a negative error.
  int flush() noexcept;
  // Waits for `count` completions, or one after `min_wait`, or `timeout_ns` (negative: no limit).
  int wait(unsigned count, duration min_wait, std::int64_t timeout_ns) noexcept;

 private:
  io_uring ring_{};
  bool enabled_ = false;
  bool has_min_wait_ = false;
};

// Empty when a ring of this kind can be made here; else one sentence why not.
[[nodiscard]] std::string why_no_ring();

}  // namespace mdp::transport
