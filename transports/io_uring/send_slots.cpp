#include "transports/io_uring/send_slots.hpp"

#include <algorithm>
#include <cerrno>

#include "transports/common/clock.hpp"

namespace mdp::transport {

send_slots::send_slots(ring& uring, udp_socket& socket, const capabilities& caps, counters& counts)
    : ring_(uring), socket_(socket), caps_(caps), counts_(counts), slots_(slot_count) {
  free_.reserve(slot_count);
  blocked_.reserve(slot_count);
  for (std::size_t i = slot_count; i-- > 0;) {
    slots_[i].parts.resize(parts_per_call_max);
    slots_[i].held.resize(parts_per_call_max);
    free_.push_back(i);
  }
}

bool send_slots::submit(std::size_t index) noexcept {
  const auto tag = static_cast<ring_tag>(static_cast<std::uint64_t>(ring_tag::first_slot) + index);
  io_uring_sqe* sqe = ring_.entry(tag);
  if (!sqe) return false;
  io_uring_prep_sendmsg(sqe, socket_.fd(), &slots_[index].message, 0);
  sqe->user_data = static_cast<std::uint64_t>(tag);
  queued_ = true;
  return true;
}

send_slots::placed send_slots::queue(const buffer::tx_datagrams& item) noexcept {
  const std::uint64_t count = datagrams_in(item.bytes, item.segment_bytes);
  const bool train = count > 1;
  if (train && (!socket_.gso() || count > caps_.segments_max ||
                item.bytes > caps_.train_bytes_max || socket_.refused().contains(item.to))) {
    return placed::must_split;
  }
  if (item.parts.size() > parts_per_call_max) return placed::must_split;
  if (free_.empty()) return placed::no_room;
  const std::size_t index = free_.back();
  slot& s = slots_[index];
  s.message.msg_name = &s.to;
  s.message.msg_namelen = to_socket_address(item.to, s.to);
  s.message.msg_iov = s.parts.data();
  s.message.msg_iovlen = gather(item, 0, item.bytes, s.parts);
  write_tx_control(s.message, s.control, train ? item.segment_bytes : std::uint16_t{0},
                   item.codepoint, socket_.ipv6());
  s.retried = false;
  s.shortages = 0;
  if (!submit(index)) return placed::no_room;
  free_.pop_back();
  for (const buffer::slice& part : item.parts) s.held[s.held_count++] = part;
  s.item = item;
  s.item.parts = std::span<const buffer::slice>(s.held).first(s.held_count);
  return placed::queued;
}

void send_slots::complete(std::size_t index, int result) noexcept {
  slot& s = slots_[index];
  if (result >= 0) {
    counts_.tx_datagrams += datagrams_in(s.item.bytes, s.item.segment_bytes);
    counts_.tx_bytes += s.item.bytes;
  } else if (!settle(index, -result)) {
    return;
  }
  for (std::size_t i = 0; i < s.held_count; ++i) s.held[i].reset();
  s.held_count = 0;
  free_.push_back(index);
}

void send_slots::hold_back(std::size_t index) noexcept {
  if (blocked_.empty()) retry_at_ = monotonic_now() + retry_after;
  blocked_.push_back(index);
}

void send_slots::retry_blocked() noexcept {
  if (blocked_.empty() || monotonic_now() < retry_at_) return;
  const auto first_left = std::find_if_not(blocked_.begin(), blocked_.end(),
                                           [this](std::size_t index) { return submit(index); });
  blocked_.erase(blocked_.begin(), first_left);
}

bool send_slots::settle(std::size_t index, int error) noexcept {
  slot& s = slots_[index];
  const std::uint64_t count = datagrams_in(s.item.bytes, s.item.segment_bytes);
  if (error == EINTR || is_shortage(error)) {
    ++counts_.tx_blocked;
    if (++s.shortages < shortages_max) {
      hold_back(index);
      return false;
    }
  }
  if (is_path_error(error)) {
    // An earlier datagram's error was reported instead of sending this one: once more.
    ++counts_.path_errors;
    if (!std::exchange(s.retried, true)) {
      if (!submit(index)) hold_back(index);
      return false;
    }
  } else if (count > 1 && is_offload_refusal(error)) {
    if (is_route_refusal(error)) socket_.refused().add(s.item.to);
    send_unsegmented(socket_.fd(), s.item, counts_);
    return true;
  }
  counts_.tx_rejected += count;
  return true;
}

}  // namespace mdp::transport
