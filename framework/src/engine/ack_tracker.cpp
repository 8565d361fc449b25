#include "ack_tracker.hpp"

#include <algorithm>
#include <new>

#include "mdp/wire/packet.hpp"

namespace mdp::engine {
namespace {

constexpr std::uint64_t field_max = 0xffffffff;
constexpr std::uint32_t late_watch = 256;

std::uint32_t narrow(std::uint64_t n) {
  return static_cast<std::uint32_t>(std::min(n, field_max));
}

}  // namespace

ack_tracker::verdict ack_tracker::classify(std::uint64_t number) const noexcept {
  if (number < cutoff_) return verdict::old;
  const range* const first = runs();
  const range* const end = first + count_;
  if (count_ == 0 || number > end[-1].last) return verdict::fresh;
  const range* const after = std::upper_bound(
      first, end, number, [](std::uint64_t n, const range& r) { return n < r.first; });
  if (after == first) return verdict::fresh;
  return number <= (after - 1)->last ? verdict::duplicate : verdict::fresh;
}

bool ack_tracker::make_room() noexcept {
  if (count_ < capacity_) return true;
  if (capacity_ == ranges_max) return false;
  const std::uint32_t capacity = std::min<std::uint32_t>(capacity_ * 4, ranges_max);
  std::unique_ptr<range[]> more(new (std::nothrow) range[capacity]);
  if (!more) return false;
  std::copy(runs(), runs() + count_, more.get());
  more_ = std::move(more);
  capacity_ = capacity;
  return true;
}

void ack_tracker::insert(std::uint64_t number) noexcept {
  range* r = runs();
  std::size_t i = count_;
  while (i > 0 && r[i - 1].first > number) --i;
  // Run i-1 starts at or below the number, run i above it.
  const bool joins_lower = i > 0 && r[i - 1].last + 1 == number;
  const bool joins_upper = i < count_ && r[i].first == number + 1;
  if (joins_lower && joins_upper) {
    r[i - 1].last = r[i].last;
    std::copy(r + i + 1, r + count_, r + i);
    --count_;
  } else if (joins_lower) {
    r[i - 1].last = number;
  } else if (joins_upper) {
    r[i].first = number;
  } else {
    if (!make_room()) {
      cutoff_ = r[0].last + 1;
      std::copy(r + 1, r + count_, r);
      --count_;
      if (i == 0) return;  // the number itself fell below the new cut-off
      --i;
    }
    r = runs();
    std::copy_backward(r + i, r + count_, r + count_ + 1);
    r[i] = {number, number};
    ++count_;
  }
}

void ack_tracker::on_packet(time_point now, std::uint64_t number, bool eliciting, bool at_once,
                            std::uint32_t frequency, duration delay) noexcept {
  const bool any = count_ > 0;
  const std::uint64_t before = any ? largest() : 0;
  const bool in_order = number == (any ? before + 1 : 0);
  if (!any || number > before) {
    largest_time_ = now;
    largest_stated_ = false;
    if (late_watch_ > 0) --late_watch_;
  } else {
    // The gap that it fills was reordering: the next gaps are probably no loss either.
    late_watch_ = late_watch;
    late_largest_ = before;
    report_floor_ = std::min(report_floor_, number);
  }
  insert(number);
  if (!eliciting) return;
  ++unacked_;
  if (at_once || (!in_order && late_watch_ == 0) || unacked_ >= frequency) {
    ack_due_ = true;
  } else if (deadline_ == never) {
    deadline_ = now + delay;
  }
}

std::size_t ack_tracker::reported_ranges() const noexcept {
  std::size_t reported = 1;
  while (reported < count_ && newest(reported).last >= report_floor_) ++reported;
  return reported;
}

ack_tracker::selection ack_tracker::select(std::size_t room) const noexcept {
  const std::size_t wanted = reported_ranges();
  const std::size_t size = std::min({wanted, room, ranges_sent_max});
  selection all{wanted, size};
  for (std::size_t i = 1; i < size; ++i) {
    const range& upper = newest(all.at(i - 1));
    const range& lower = newest(all.at(i));
    // A clamped run or gap would put everything below it in the wrong place: the list ends there.
    if (upper.last - upper.first >= field_max || upper.first - lower.last - 1 > field_max)
      return {i, i};
  }
  return all;
}

std::size_t ack_tracker::frame_bytes_needed() const noexcept {
  if (count_ == 0) return 0;
  return wire::frame_bytes(wire::ack_body_bytes_min +
                           8 * (std::min(reported_ranges(), ranges_sent_max) - 1));
}

std::size_t ack_tracker::write(time_point now, std::span<std::byte> out) noexcept {
  constexpr std::size_t smallest = wire::frame_bytes(wire::ack_body_bytes_min);
  if (count_ == 0 || out.size() < smallest) return 0;
  const selection runs = select(1 + (out.size() - smallest) / 8);
  const std::size_t body_bytes = wire::ack_body_bytes_min + 8 * (runs.size - 1);
  const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(now - largest_time_);
  const auto delay = std::clamp<std::int64_t>(waited.count(), 0, 0xffffffff);
  std::byte* p = wire::write_frame_head(out.data(), wire::frame_type::ack,
                                        largest_stated_ ? wire::frame_ack_again : 0, body_bytes,
                                        static_cast<std::uint32_t>(delay));
  largest_stated_ = true;
  const range& first = newest(0);
  wire::store(p, first.last);
  wire::store(p + 8, narrow(first.last - first.first));
  wire::store(p + 12, marks_);
  p += wire::ack_body_bytes_min;
  for (std::size_t i = 1; i < runs.size; ++i, p += 8) {
    const range& lower = newest(runs.at(i));
    wire::store(p, narrow(newest(runs.at(i - 1)).first - lower.last - 1));
    wire::store(p + 4, narrow(lower.last - lower.first + 1));
  }
  reported_all_ = runs.size == reported_ranges();
  ack_due_ = false;
  unacked_ = 0;
  deadline_ = never;
  return wire::frame_bytes(body_bytes);
}

}  // namespace mdp::engine
