#include "transports/socket/batch_receiver.hpp"

#include <algorithm>
#include <cerrno>

namespace mdp::transport {

batch_receiver::batch_receiver(udp_socket& socket, buffer::block_pool& pool, counters& counts)
    : socket_(socket),
      pool_(pool),
      counts_(counts),
      messages_(batch_max),
      parts_(batch_max),
      addresses_(batch_max),
      controls_(batch_max) {
  for (std::size_t i = 0; i < batch_max; ++i) {
    msghdr& message = messages_[i].msg_hdr;
    message.msg_name = &addresses_[i];
    message.msg_iov = &parts_[i];
    message.msg_iovlen = 1;
    message.msg_control = controls_[i].bytes.data();
  }
}

batch_receiver::~batch_receiver() {
  for (buffer::block* b : blocks_) {
    if (b) pool_.release(*b);
  }
}

std::size_t batch_receiver::ready_blocks(std::size_t wanted) noexcept {
  std::size_t last = batch_max;
  for (std::size_t i = 0; i < wanted; ++i) {
    if (!blocks_[i]) blocks_[i] = pool_.acquire();
    if (!blocks_[i]) {
      // The pool is empty, but a later place may still hold a block from a larger batch.
      while (last > i + 1 && !blocks_[last - 1]) --last;
      if (last <= i + 1) return i;
      std::swap(blocks_[i], blocks_[--last]);
    }
    parts_[i] = {blocks_[i]->data, blocks_[i]->capacity};
    msghdr& message = messages_[i].msg_hdr;
    message.msg_namelen = sizeof(socket_address);
    message.msg_controllen = sizeof(control_buffer);
    message.msg_flags = 0;
  }
  return wanted;
}

bool batch_receiver::deliver(std::size_t index, buffer::rx_datagrams& out) noexcept {
  msghdr& message = messages_[index].msg_hdr;
  const std::uint32_t bytes = messages_[index].msg_len;
  const rx_control control = read_rx_control(message);
  if (control.has_overflow) {
    counts_.rx_kernel_drops += control.overflow - overflow_;
    overflow_ = control.overflow;
  }
  if (message.msg_flags & MSG_TRUNC) {
    ++counts_.rx_truncated;
    return false;
  }
  if (bytes == 0) return false;
  buffer::block& block = *std::exchange(blocks_[index], nullptr);
  out.from = from_socket_address(addresses_[index]);
  out.data = buffer::slice::adopt(block, block.data, bytes);
  out.segment_bytes = control.segment_bytes < bytes ? control.segment_bytes : std::uint16_t{0};
  out.codepoint = control.codepoint;
  counts_.rx_datagrams += datagrams_in(bytes, out.segment_bytes);
  counts_.rx_bytes += bytes;
  return true;
}

batch_receiver::outcome batch_receiver::receive(std::span<buffer::rx_datagrams> out) noexcept {
  outcome result;
  std::size_t budget = out.size();
  while (budget > 0) {
    const std::size_t count = ready_blocks(std::min(budget, batch_max));
    if (count == 0) {
      ++counts_.rx_no_block;
      result.starved = true;
      break;
    }
    ++counts_.rx_calls;
    const int got = ::recvmmsg(socket_.fd(), messages_.data(), static_cast<unsigned>(count),
                               MSG_DONTWAIT, nullptr);
    if (got <= 0) {
      if (got < 0 && is_path_error(errno)) ++counts_.path_errors;
      break;
    }
    result.consumed = true;
    const auto come = static_cast<std::size_t>(got);
    for (std::size_t i = 0; i < come; ++i) {
      if (deliver(i, out[result.filled])) ++result.filled;
    }
    budget -= come;
    if (come < count) break;
  }
  return result;
}

}  // namespace mdp::transport
