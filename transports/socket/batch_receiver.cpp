#include "transports/socket/batch_receiver.hpp"

#include <algorithm>
#include <bit>
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

std::uint64_t batch_receiver::first(std::size_t count) noexcept {
  return count == batch_max ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

bool batch_receiver::find_block(std::size_t index) noexcept {
  if (!blocks_[index]) blocks_[index] = pool_.acquire();
  if (blocks_[index]) return true;
  // The pool is empty, but a later place may still hold a block from a larger batch.
  const std::uint64_t later = ready_ & ~first(index + 1);
  if (later == 0) return false;
  const auto last = static_cast<std::size_t>(std::bit_width(later)) - 1;
  std::swap(blocks_[index], blocks_[last]);
  ready_ &= first(last);
  return true;
}

std::size_t batch_receiver::ready_blocks(std::size_t wanted) noexcept {
  for (std::uint64_t stale = ~ready_ & first(wanted); stale != 0; stale = ~ready_ & first(wanted)) {
    const auto i = static_cast<std::size_t>(std::countr_zero(stale));
    if (!find_block(i)) return i;
    parts_[i] = {blocks_[i]->data, blocks_[i]->capacity};
    msghdr& message = messages_[i].msg_hdr;
    message.msg_namelen = sizeof(socket_address);
    message.msg_controllen = sizeof(control_buffer);
    message.msg_flags = 0;
    ready_ |= std::uint64_t{1} << i;
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
  for (std::size_t budget = out.size(); budget > 0;) {
    const std::size_t count = ready_blocks(std::min(budget, at_once_));
    if (count == 0) {
      ++counts_.rx_no_block;
      result.starved = true;
      break;
    }
    ++counts_.rx_calls;
    const int got = ::recvmmsg(socket_.fd(), messages_.data(), static_cast<unsigned>(count),
                               MSG_DONTWAIT, nullptr);
    const std::size_t come = got > 0 ? static_cast<std::size_t>(got) : 0;
    at_once_ = come == count ? batch_max : 1;
    if (come == 0) {
      if (got < 0 && is_path_error(errno)) ++counts_.path_errors;
      break;
    }
    result.consumed = true;
    ready_ &= ~first(come);
    for (std::size_t i = 0; i < come; ++i) {
      if (deliver(i, out[result.filled])) ++result.filled;
    }
    budget -= come;
    if (come < batch_max) break;
  }
  return result;
}

}  // namespace mdp::transport
