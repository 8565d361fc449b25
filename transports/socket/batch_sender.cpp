#include "transports/socket/batch_sender.hpp"

#include <cerrno>

namespace mdp::transport {

batch_sender::batch_sender(udp_socket& socket, const capabilities& caps, counters& counts)
    : socket_(socket),
      caps_(caps),
      counts_(counts),
      messages_(batch_max),
      parts_(parts_max),
      addresses_(batch_max),
      controls_(batch_max) {}

bool batch_sender::must_split(const buffer::tx_datagrams& item) const noexcept {
  const std::uint64_t count = datagrams_in(item.bytes, item.segment_bytes);
  return count > 1 && (!socket_.gso() || count > caps_.segments_max ||
                       item.bytes > caps_.train_bytes_max || socket_.refused().contains(item.to));
}

std::size_t batch_sender::prepare(std::span<const buffer::tx_datagrams> items) noexcept {
  std::size_t parts_used = 0;
  std::size_t count = 0;
  for (; count < items.size() && count < batch_max; ++count) {
    const buffer::tx_datagrams& item = items[count];
    if (must_split(item)) break;
    const std::span<iovec> room = std::span(parts_).subspan(parts_used);
    const std::size_t parts = gather(item, 0, item.bytes, room);
    if ((parts == 0 && item.bytes > 0) || parts > parts_per_call_max) break;
    msghdr& message = messages_[count].msg_hdr;
    message.msg_name = &addresses_[count];
    message.msg_namelen = to_socket_address(item.to, addresses_[count]);
    message.msg_iov = room.data();
    message.msg_iovlen = parts;
    message.msg_flags = 0;
    const bool train = item.segment_bytes > 0 && item.bytes > item.segment_bytes;
    write_tx_control(message, controls_[count], train ? item.segment_bytes : std::uint16_t{0},
                     item.codepoint, socket_.ipv6());
    parts_used += parts;
  }
  return count;
}

void batch_sender::count_sent(std::span<const buffer::tx_datagrams> items) noexcept {
  for (const auto& item : items) {
    counts_.tx_datagrams += datagrams_in(item.bytes, item.segment_bytes);
    counts_.tx_bytes += item.bytes;
  }
}

bool batch_sender::settle(const buffer::tx_datagrams& item, int error) noexcept {
  if (is_shortage(error)) {
    ++counts_.tx_blocked;
    return false;
  }
  const std::uint64_t count = datagrams_in(item.bytes, item.segment_bytes);
  if (count > 1 && is_offload_refusal(error)) {
    if (is_route_refusal(error)) socket_.refused().add(item.to);
    send_unsegmented(socket_.fd(), item, counts_);
    return true;
  }
  if (is_path_error(error)) ++counts_.path_errors;
  counts_.tx_rejected += count;
  return true;
}

std::size_t batch_sender::send(std::span<const buffer::tx_datagrams> items) noexcept {
  std::size_t taken = 0;
  bool retried = false;
  while (taken < items.size()) {
    const std::size_t count = prepare(items.subspan(taken));
    if (count == 0) {
      const buffer::tx_datagrams& item = items[taken++];
      socket_.refused().note_train(item.to);
      send_unsegmented(socket_.fd(), item, counts_);
      continue;
    }
    ++counts_.tx_calls;
    const int sent =
        ::sendmmsg(socket_.fd(), messages_.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
    if (sent > 0) {
      count_sent(items.subspan(taken, static_cast<std::size_t>(sent)));
      taken += static_cast<std::size_t>(sent);
      retried = false;
      continue;
    }
    const int error = errno;
    if (error == EINTR) continue;
    // A pending error of an earlier datagram is reported instead of sending this one: try once
    // more.
    if (is_path_error(error) && !retried) {
      ++counts_.path_errors;
      retried = true;
      continue;
    }
    retried = false;
    if (!settle(items[taken], error)) break;
    ++taken;
  }
  return taken;
}

}  // namespace mdp::transport
