// Multishot receive into blocks of the pool: one request, a ring of provided buffers, no calls per
// datagram.
//
// Ownership: holds up to 128 blocks of the pool and the memory of the buffer ring; the kernel
// writes into those blocks until the ring is gone, so this object must be destroyed after it.
// Threading: as the transport. Errors: the constructor throws; afterwards everything is counted.
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "transports/common/udp_socket.hpp"
#include "transports/io_uring/ring.hpp"

namespace mdp::transport {

// In front of each payload: the kernel's header, the sender's address, control messages.
inline constexpr std::uint32_t ring_prefix_bytes = 256;
inline constexpr std::uint32_t ring_block_bytes = gro_block_bytes + ring_prefix_bytes;

class receive_ring {
 public:
  receive_ring(ring& uring, int fd, buffer::block_pool& pool, counters& counts);
  ~receive_ring();
  receive_ring(const receive_ring&) = delete;
  receive_ring& operator=(const receive_ring&) = delete;

  // Gives fresh blocks to the kernel and starts the receive if it ended. Queues only.
  void prepare() noexcept;
  [[nodiscard]] bool armed() const noexcept { return armed_; }
  [[nodiscard]] bool starved() const noexcept { return in_kernel_ == 0; }
  // One completion. True when `out` was filled.
  [[nodiscard]] bool complete(const io_uring_cqe& cqe, buffer::rx_datagrams& out) noexcept;

 private:
  static constexpr unsigned buffers = 64;  // a power of two
  static constexpr std::uint16_t group = 1;

  struct aligned_free {
    void operator()(io_uring_buf_ring* p) const noexcept;
  };

  void give(std::uint16_t id, buffer::block& block) noexcept;
  [[nodiscard]] bool deliver(buffer::block& block, std::uint32_t bytes,
                             buffer::rx_datagrams& out) noexcept;

  ring& ring_;
  int fd_;
  buffer::block_pool& pool_;
  counters& counts_;
  std::unique_ptr<io_uring_buf_ring, aligned_free> shared_;
  msghdr layout_{};
  std::array<buffer::block*, buffers> blocks_{};  // by buffer id; null: with nobody
  std::vector<std::uint16_t> free_ids_;
  unsigned in_kernel_ = 0;
  std::uint32_t overflow_ = 0;
  bool armed_ = false;
};

}  // namespace mdp::transport
