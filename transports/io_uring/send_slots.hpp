// Sends in flight: each keeps its message header, its address and its slices until the kernel is
// done.
//
// Ownership: holds a reference to every part of a queued item until complete() or destruction; must
// be destroyed after the ring. Threading: as the transport. Errors: counted, never thrown after
// construction.
#pragma once
#include <vector>

#include "transports/common/udp_socket.hpp"
#include "transports/io_uring/ring.hpp"

namespace mdp::transport {

class send_slots {
 public:
  enum class placed : std::uint8_t { queued, no_room, must_split };

  send_slots(ring& uring, udp_socket& socket, const capabilities& caps, counters& counts);

  // The kernel has none of them.
  [[nodiscard]] bool idle() const noexcept {
    return free_.size() + blocked_.size() == slots_.size();
  }
  // Some were refused for want of room, or of an entry of the ring, and wait for retry_blocked().
  [[nodiscard]] bool blocked() const noexcept { return !blocked_.empty(); }
  // At most once a millisecond, however often it is called.
  void retry_blocked() noexcept;
  // Queues one item. `must_split`: not one send for the kernel; use send_unsegmented().
  [[nodiscard]] placed queue(const buffer::tx_datagrams& item) noexcept;
  // Completion `index` (tag minus first_slot) with its result.
  void complete(std::size_t index, int result) noexcept;
  // Counts a system call when there are sends for it.
  void count_call() noexcept {
    if (queued_) ++counts_.tx_calls;
    queued_ = false;
  }

 private:
  static constexpr std::size_t slot_count = 64;
  // Nothing tells when there is room again. What found none so often is dropped and counted: the
  // protocol has given it up by then.
  static constexpr duration retry_after = std::chrono::milliseconds(1);
  static constexpr std::uint16_t shortages_max = 250;

  struct slot {
    msghdr message{};
    socket_address to;
    control_buffer control;
    std::vector<iovec> parts;
    std::vector<buffer::slice> held;
    std::size_t held_count = 0;
    buffer::tx_datagrams item;
    bool retried = false;
    std::uint16_t shortages = 0;
  };

  [[nodiscard]] bool submit(std::size_t index) noexcept;
  // It waits for retry_blocked().
  void hold_back(std::size_t index) noexcept;
  // True when the slot is done with, false when it is to be tried again.
  [[nodiscard]] bool settle(std::size_t index, int error) noexcept;

  ring& ring_;
  udp_socket& socket_;
  const capabilities& caps_;
  counters& counts_;
  std::vector<slot> slots_;
  std::vector<std::size_t> free_;
  std::vector<std::size_t> blocked_;  // oldest first
  time_point retry_at_{};             // not before, while some are blocked
  bool queued_ = false;
};

}  // namespace mdp::transport
