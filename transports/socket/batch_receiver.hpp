// Receives batches of datagrams and trains from one UDP socket with recvmmsg, straight into blocks.
// Ownership: holds up to 64 blocks of the pool for the next call. Threading: as the transport.
// Errors: never; what cannot be delivered is counted and its block used again.
#pragma once
#include <sys/socket.h>

#include <array>
#include <vector>

#include "transports/common/udp_socket.hpp"

namespace mdp::transport {

class batch_receiver {
 public:
  struct outcome {
    std::size_t filled = 0;  // entries of `out`
    bool consumed = false;   // something came, though perhaps nothing to deliver
    bool starved = false;    // the pool is empty: nothing can be received
  };

  batch_receiver(udp_socket& socket, buffer::block_pool& pool, counters& counts);
  ~batch_receiver();
  batch_receiver(const batch_receiver&) = delete;
  batch_receiver& operator=(const batch_receiver&) = delete;

  // Takes what is there, without waiting.
  [[nodiscard]] outcome receive(std::span<buffer::rx_datagrams> out) noexcept;

 private:
  static constexpr std::size_t batch_max = 64;

  // The lowest `count` bits.
  [[nodiscard]] static std::uint64_t first(std::size_t count) noexcept;
  [[nodiscard]] bool find_block(std::size_t index) noexcept;
  // Readies the first `wanted` messages; returns how many of them have a block. What an empty
  // socket left as it was costs nothing: a spinning caller asks a million times a second.
  [[nodiscard]] std::size_t ready_blocks(std::size_t wanted) noexcept;
  [[nodiscard]] bool deliver(std::size_t index, buffer::rx_datagrams& out) noexcept;

  udp_socket& socket_;
  buffer::block_pool& pool_;
  counters& counts_;
  // Datagrams asked for in one call. Asking for one more than there is costs as much as half a
  // receive: one, until it was not enough.
  std::size_t at_once_ = 1;
  std::uint32_t overflow_ = 0;
  std::uint64_t ready_ = 0;  // bit i: message i has a block, and its header is as recvmmsg wants it
  std::array<buffer::block*, batch_max> blocks_{};
  std::vector<mmsghdr> messages_;
  std::vector<iovec> parts_;
  std::vector<socket_address> addresses_;
  std::vector<control_buffer> controls_;
};

}  // namespace mdp::transport
