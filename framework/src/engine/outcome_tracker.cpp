#include "outcome_tracker.hpp"

#include <algorithm>

namespace mdp::engine {

void outcome_tracker::add(std::uint64_t id, wire::outcome_kind kind) {
  if (!pending_.empty()) {
    range& last = pending_.back();
    if (last.kind == kind && last.first + last.count == id) {
      ++last.count;
      return;
    }
  }
  pending_.push_back({id, 1, kind});
}

std::size_t outcome_tracker::frame_bytes_needed() const noexcept {
  return pending_.empty() ? 0 : wire::frame_bytes(8 * std::min(pending_.size(), ranges_max));
}

std::size_t outcome_tracker::write(std::span<std::byte> out, std::uint32_t& record) {
  if (pending_.empty() || out.size() < wire::frame_bytes(8)) return 0;
  const std::size_t room = std::min((out.size() - wire::frame_head_bytes) / 8, ranges_max);
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(records_.size()));
    records_.emplace_back();
    free_.reserve(records_.capacity());
  }
  record = free_.back();
  free_.pop_back();
  record_type& r = records_[record];
  r.count = 0;
  const wire::outcome_kind kind = pending_.front().kind;
  const auto high = static_cast<std::uint32_t>(pending_.front().first >> 32);
  std::byte* p = out.data() + wire::frame_head_bytes;
  while (!pending_.empty() && r.count < room) {
    const range& next = pending_.front();
    if (next.kind != kind || next.first >> 32 != high) break;
    wire::store(p, static_cast<std::uint32_t>(next.first));
    wire::store(p + 4, next.count);
    p += 8;
    r.ranges[r.count++] = next;
    pending_.pop_front();
  }
  unacked_ += r.count;
  wire::write_frame_head(out.data(), wire::frame_type::outcome, static_cast<std::uint8_t>(kind),
                         8 * r.count, high);
  return wire::frame_bytes(8 * r.count);
}

void outcome_tracker::on_lost(std::uint32_t record) {
  const record_type& r = records_[record];
  for (std::size_t i = 0; i < r.count; ++i) pending_.push_back(r.ranges[i]);
  unacked_ -= r.count;
  free_.push_back(record);
}

}  // namespace mdp::engine
