// What became of messages that the peer sent us: OUTCOME ranges, repeated until acknowledged.
// Rules: docs/protocol.md R-OUT-*.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "mdp/base/ring.hpp"
#include "mdp/wire/packet.hpp"

namespace mdp::engine {

class outcome_tracker {
 public:
  static constexpr std::size_t ranges_max = 32;  // in one frame
  static constexpr std::uint32_t none = 0xffffffffu;

  void add(std::uint64_t id, wire::outcome_kind kind);
  [[nodiscard]] bool pending() const noexcept { return !pending_.empty(); }
  [[nodiscard]] std::size_t frame_bytes_needed() const noexcept;
  // Writes one OUTCOME frame of pending ranges and remembers them under `record`, to be given back
  // to on_acked or on_lost. Returns the bytes written; 0 (and no record) when nothing fits.
  std::size_t write(std::span<std::byte> out, std::uint32_t& record);
  // closed_unread(id) for each message that was reported cancelled: the peer knows now.
  template <class ClosedUnread>
  void on_acked(std::uint32_t record, ClosedUnread&& closed_unread) {
    const record_type& r = records_[record];
    for (std::size_t i = 0; i < r.count; ++i) {
      if (r.ranges[i].kind != wire::outcome_kind::cancelled) break;
      for (std::uint32_t n = 0; n < r.ranges[i].count; ++n) closed_unread(r.ranges[i].first + n);
    }
    unacked_ -= r.count;
    free_.push_back(record);
  }
  void on_lost(std::uint32_t record);
  // Ranges that wait to be written, or acknowledged.
  [[nodiscard]] std::size_t backlog() const noexcept { return pending_.size() + unacked_; }
  [[nodiscard]] bool idle() const noexcept {
    return pending_.empty() && free_.size() == records_.size();
  }

 private:
  struct range {
    std::uint64_t first = 0;
    std::uint32_t count = 0;
    wire::outcome_kind kind = wire::outcome_kind::delivered;
  };
  struct record_type {
    range ranges[ranges_max];
    std::size_t count = 0;
  };
  ring<range> pending_;
  std::vector<record_type> records_;
  std::vector<std::uint32_t> free_;
  std::size_t unacked_ = 0;  // ranges in records
};

}  // namespace mdp::engine
