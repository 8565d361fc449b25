// Sends batches of datagrams and trains over one UDP socket with sendmmsg.
// Ownership: refers to the socket and the counters of its transport. Threading: as the transport.
// Errors: never; what the kernel refuses for good is counted, what it has no room for is not taken.
#pragma once
#include <sys/socket.h>

#include <vector>

#include "transports/common/udp_socket.hpp"

namespace mdp::transport {

class batch_sender {
 public:
  batch_sender(udp_socket& socket, const capabilities& caps, counters& counts);
  [[nodiscard]] std::size_t send(std::span<const buffer::tx_datagrams> items) noexcept;

 private:
  static constexpr std::size_t batch_max = 64;
  static constexpr std::size_t parts_max = 4096;

  // Describes the longest prefix of `items` that one call can send; 0: the first needs
  // send_unsegmented.
  [[nodiscard]] std::size_t prepare(std::span<const buffer::tx_datagrams> items) noexcept;
  [[nodiscard]] bool must_split(const buffer::tx_datagrams& item) const noexcept;
  void count_sent(std::span<const buffer::tx_datagrams> items) noexcept;
  // The first item of a call failed with `error`. False: it stays the caller's, for want of room.
  [[nodiscard]] bool settle(const buffer::tx_datagrams& item, int error) noexcept;

  udp_socket& socket_;
  const capabilities& caps_;
  counters& counts_;
  std::vector<mmsghdr> messages_;
  std::vector<iovec> parts_;
  std::vector<socket_address> addresses_;
  std::vector<control_buffer> controls_;
};

}  // namespace mdp::transport
