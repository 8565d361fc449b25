// A path that carries less than before: what was framed for larger packets is cut to size when its
// turn to be sent comes. Rules: docs/protocol.md R-PMTU-6.
#include <cstring>

#include "send_queue.hpp"

namespace mdp::engine {
namespace {

// A whole message as the one fragment of it, in place. The block has room for the longer head.
void make_fragment(packet_body& body) noexcept {
  std::byte* const frame = body.block.data() + wire::header_bytes;
  const std::size_t total = wire::load<std::uint16_t>(frame + 2);
  const auto flags = static_cast<std::uint8_t>(frame[1]);
  const auto id = wire::load<std::uint32_t>(frame + 4);
  // With a payload that is held: its channel's head, and the padding behind it.
  std::memmove(frame + wire::fragment_head_bytes, frame + wire::frame_head_bytes,
               body.block_length() - wire::frame_head_bytes);
  std::byte* const at =
      wire::write_frame_head(frame, wire::frame_type::fragment, flags, 8 + total, id);
  wire::store(at, static_cast<std::uint32_t>(total));
  wire::store(at + 4, std::uint32_t{0});
  body.message_count = 0;
  body.length = static_cast<std::uint32_t>(wire::frame_bytes(8 + total));
}

// Moves all but the first `data` bytes of a fragment into `rest`.
void split_fragment(packet_body& body, packet_body& rest, std::size_t data) noexcept {
  std::byte* const frame = body.block.data() + wire::header_bytes;
  std::byte* const rest_frame = rest.block.data() + wire::header_bytes;
  const std::size_t size = wire::load<std::uint16_t>(frame + 2) - std::size_t{8};
  const std::size_t moved = size - data;
  std::memcpy(rest_frame, frame, wire::fragment_head_bytes);
  wire::store(frame + 2, static_cast<std::uint16_t>(8 + data));
  wire::store(rest_frame + 2, static_cast<std::uint16_t>(8 + moved));
  wire::store(rest_frame + 12,
              wire::load<std::uint32_t>(frame + 12) + static_cast<std::uint32_t>(data));
  body.length = static_cast<std::uint32_t>(wire::frame_bytes(8 + data));
  rest.length = static_cast<std::uint32_t>(wire::frame_bytes(8 + moved));
  if (body.held) {
    // The channel's head, which is in the block, stays where it is.
    const auto kept = static_cast<std::uint32_t>(data - (size - body.held.size()));
    rest.held = body.held.subslice(kept, static_cast<std::uint32_t>(moved));
    body.held = body.held.subslice(0, kept);
  }
  const std::size_t padding = rest.held ? wire::fragment_head_bytes : rest.length - 8;
  wire::store(rest_frame + padding, std::uint64_t{0});
  if (!rest.held)
    std::memcpy(rest_frame + wire::fragment_head_bytes, frame + wire::fragment_head_bytes + data,
                moved);
}

}  // namespace

bool send_queue::split(std::uint32_t index, buffer::slice spare) {
  packet_body& body = bodies_[index];
  std::byte* const frames = body.block.data() + wire::header_bytes;
  std::uint32_t kept = 0;
  std::size_t kept_bytes = 0;
  for (; kept < body.message_count; ++kept) {
    const std::size_t size = wire::frame_bytes(wire::load<std::uint16_t>(frames + kept_bytes + 2));
    // A message that is too large even alone is first set apart, then cut as a fragment.
    if (kept_bytes + size > limits_.body_bytes && (kept > 0 || body.message_count == 1)) break;
    kept_bytes += size;
    if (kept_bytes > limits_.body_bytes) {
      ++kept;
      break;
    }
  }
  if (body.message_count == 1) {
    if (frames[0] == static_cast<std::byte>(wire::frame_type::pad)) {  // its message was given up
      wire::store(frames + 2, std::uint16_t{0});
      body.held.reset();
      body.length = static_cast<std::uint32_t>(wire::frame_head_bytes);
      return true;
    }
    make_fragment(body);
  }
  const std::uint32_t added = init_body(std::move(spare));
  if (added == no_index) return false;
  packet_body& rest = bodies_[added];
  if (body.message_count > 0) {
    rest.first_id = body.first_id + kept;
    rest.message_count = body.message_count - kept;
    rest.length = body.length - static_cast<std::uint32_t>(kept_bytes);
    std::memcpy(rest.block.data() + wire::header_bytes, frames + kept_bytes, rest.length);
    body.message_count = kept;
    body.length = static_cast<std::uint32_t>(kept_bytes);
  } else {
    rest.first_id = body.first_id;
    split_fragment(body, rest, fragment_data_bytes(limits_.body_bytes));
    message* m = find(body.first_id);
    if (m && (m->flags & (flag_done | flag_received)) == 0) ++m->bodies_left;
  }
  rest.sent = true;  // as far as counting goes
  rest.queued = true;
  retransmit_.push_back(added);
  return true;
}

}  // namespace mdp::engine
