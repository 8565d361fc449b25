#include "train_builder.hpp"

#include <utility>

namespace mdp::engine {

void train_builder::add(packet_pieces&& packet) noexcept {
  const std::uint32_t size = packet.bytes();
  if (packets_ > 0 && (size > segment_ || packets_ >= shared_.train_segments_max ||
                       batch_.open_bytes() + size > shared_.train_bytes_max))
    finish();
  if (packets_ == 0) segment_ = size;
  if (packet.held) {
    buffer::block& block = *packet.head.owner();
    std::byte* const tail = packet.tail();
    batch_.add_part(std::move(packet.head));
    batch_.add_part(*packet.held);
    if (packet.tail_bytes > 0)
      batch_.add_part(buffer::slice::share(block, tail, packet.tail_bytes));
  } else {
    batch_.add_part(std::move(packet.head));
  }
  ++packets_;
  if (size < segment_) finish();
}

void train_builder::finish() noexcept {
  if (packets_ == 0) return;
  batch_.finish_item(to_, packets_ > 1 ? static_cast<std::uint16_t>(segment_) : std::uint16_t{0},
                     codepoint_);
  packets_ = 0;
  segment_ = 0;
}

}  // namespace mdp::engine
