// Batches of datagrams: what the engine gives to a transport and what it gets from one.
// One item is one datagram, or a *train*: equal-sized datagrams to one address (segmentation
// offload), described by `segment_bytes`; only the last datagram of a train may be shorter.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "mdp/base/endpoint_address.hpp"
#include "mdp/base/time.hpp"
#include "mdp/buffer/slice.hpp"

namespace mdp::buffer {

// Explicit congestion notification codepoints (RFC 3168).
enum class ecn : std::uint8_t { not_ect = 0, ect1 = 1, ect0 = 2, ce = 3 };

struct tx_datagrams {
  endpoint_address to;
  std::span<const slice> parts;     // gather list; parts need not align with segments
  std::uint32_t bytes = 0;          // sum of the parts
  std::uint16_t segment_bytes = 0;  // 0: one datagram; else the size of each but the last
  ecn codepoint = ecn::not_ect;
};

struct rx_datagrams {
  endpoint_address from;
  slice data;                       // one datagram or a train, contiguous
  std::uint16_t segment_bytes = 0;  // 0: one datagram
  ecn codepoint = ecn::not_ect;
};

// Items to send with the slices they are made of: fixed capacity, reused, allocates once.
class tx_batch {
 public:
  static constexpr std::size_t items_max = 64;
  static constexpr std::size_t parts_max = 2048;

  tx_batch() : parts_(parts_max) { items_.reserve(items_max); }

  [[nodiscard]] std::span<const tx_datagrams> pending() const noexcept {
    return std::span(items_).subspan(first_);
  }
  // The first `count` pending items were taken by the transport. Their slices are let go when the
  // batch is empty.
  void consume(std::size_t count) noexcept {
    first_ += count;
    if (first_ == items_.size()) clear();
  }
  [[nodiscard]] bool empty() const noexcept { return first_ == items_.size(); }
  [[nodiscard]] std::size_t parts_free() const noexcept { return parts_max - parts_used_; }
  [[nodiscard]] bool full() const noexcept {
    return items_.size() >= items_max || parts_used_ == parts_max;
  }

  // Appends a part to the item that is being built.
  void add_part(slice part) noexcept {
    open_bytes_ += part.size();
    parts_[parts_used_++] = std::move(part);
  }
  [[nodiscard]] std::uint32_t open_bytes() const noexcept { return open_bytes_; }
  // Ends the item made of the parts since the last one.
  void finish_item(const endpoint_address& to, std::uint16_t segment_bytes,
                   ecn codepoint = ecn::not_ect) {
    items_.push_back({to, std::span(parts_).subspan(open_first_, parts_used_ - open_first_),
                      open_bytes_, segment_bytes, codepoint});
    open_first_ = parts_used_;
    open_bytes_ = 0;
  }
  void clear() noexcept {
    for (std::size_t i = 0; i < parts_used_; ++i) parts_[i].reset();
    items_.clear();
    first_ = parts_used_ = open_first_ = 0;
    open_bytes_ = 0;
  }

 private:
  std::vector<slice> parts_;
  std::vector<tx_datagrams> items_;
  std::size_t first_ = 0;
  std::size_t parts_used_ = 0;
  std::size_t open_first_ = 0;
  std::uint32_t open_bytes_ = 0;
};

}  // namespace mdp::buffer
