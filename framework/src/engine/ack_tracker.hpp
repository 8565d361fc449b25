// Which packets have come: finds duplicates, decides when to acknowledge, writes ACK ranges.
// Bounded: at most `ranges_max` runs are kept, fewer when memory is exhausted; what lies below the
// lowest is "old" and refused.
// Rules: docs/protocol.md R-ACK-*. One owner, no threads.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "mdp/base/time.hpp"

namespace mdp::engine {

class ack_tracker {
 public:
  static constexpr std::size_t ranges_max = 256;       // kept
  static constexpr std::size_t ranges_sent_max = 128;  // in one frame

  enum class verdict : std::uint8_t { fresh, duplicate, old };

  // One run of numbers.
  struct range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
  // What must not be forgotten: the newest run, below which everything is old.
  struct remains {
    range newest;
    std::uint32_t marks = 0;
    bool any = false;
  };
  ack_tracker() = default;
  explicit ack_tracker(const remains& past) noexcept
      : few_{past.newest},
        count_(past.any ? 1 : 0),
        cutoff_(past.newest.first),
        marks_(past.marks) {}
  [[nodiscard]] remains what_remains() const noexcept {
    return {count_ > 0 ? newest(0) : range{}, marks_, count_ > 0};
  }

  // Looks a number up without recording it.
  [[nodiscard]] verdict classify(std::uint64_t number) const noexcept;

  // Records a fresh packet. `eliciting`: it asks for an acknowledgement; `at_once`: without delay.
  void on_packet(time_point now, std::uint64_t number, bool eliciting, bool at_once,
                 std::uint32_t frequency, duration delay) noexcept;
  // A packet came with a congestion mark: its sender is told at once (RFC 9000 section 13.2.1).
  void on_congestion_mark() noexcept {
    ++marks_;
    ack_due_ = true;
  }
  // A duplicate means that our acknowledgement may be lost: repeat it.
  void on_duplicate() noexcept { ack_due_ = true; }

  [[nodiscard]] bool ack_due() const noexcept { return ack_due_; }
  // Something waits for an acknowledgement, at once or delayed.
  [[nodiscard]] bool ack_waiting() const noexcept { return ack_due_ || unacked_ > 0; }
  // When a delayed acknowledgement falls due; `never` when none waits.
  [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
  void on_deadline(time_point now) noexcept {
    if (deadline_ > now) return;
    ack_due_ = true;
    deadline_ = never;
  }

  // Bytes that write() needs now, frame head included; 0 before any packet came.
  [[nodiscard]] std::size_t frame_bytes_needed() const noexcept;
  // Writes an ACK frame of at most out.size() bytes and forgets that one was due. Runs that find no
  // room are left out from the middle: the newest tell of loss, the oldest are about to be settled.
  // Returns the bytes written.
  std::size_t write(time_point now, std::span<std::byte> out) noexcept;
  [[nodiscard]] std::uint64_t largest() const noexcept { return runs()[count_ - 1].last; }

  // The last write() left nothing out.
  [[nodiscard]] bool reported_all() const noexcept { return reported_all_; }

  // The peer has seen an ACK that reported all up to `largest`: lower runs need no repeating,
  // unless something came late since.
  void on_ack_acked(std::uint64_t largest) noexcept {
    if (largest > report_floor_ && largest > late_largest_) report_floor_ = largest;
  }

 private:
  [[nodiscard]] std::size_t reported_ranges() const noexcept;
  struct selection {
    std::size_t from;  // this many runs may be stated ...
    std::size_t size;  // ... and so many are
    // Index of the i-th stated run, from the newest.
    [[nodiscard]] std::size_t at(std::size_t i) const noexcept {
      return i < (size + 1) / 2 ? i : from - size + i;
    }
  };
  // As many runs as fit and as the frame's 32-bit fields can state.
  [[nodiscard]] selection select(std::size_t room) const noexcept;
  [[nodiscard]] const range& newest(std::size_t i) const noexcept { return runs()[count_ - 1 - i]; }
  void insert(std::uint64_t number) noexcept;

  [[nodiscard]] range* runs() noexcept { return more_ ? more_.get() : few_.data(); }
  [[nodiscard]] const range* runs() const noexcept { return more_ ? more_.get() : few_.data(); }
  // Room for one run more; without, the lowest has to go.
  [[nodiscard]] bool make_room() noexcept;

  // Runs, ascending. Nearly always there are few, and an idle peer costs nothing more.
  std::array<range, 2> few_{};
  std::unique_ptr<range[]> more_;  // instead, when it is not null
  std::uint32_t capacity_ = 2;
  std::uint32_t count_ = 0;
  std::uint64_t cutoff_ = 0;        // numbers below are old
  std::uint64_t report_floor_ = 0;  // runs ending below are known to the peer
  std::uint32_t marks_ = 0;         // packets that came with a congestion mark
  std::uint32_t unacked_ = 0;       // ack-eliciting packets since the last ACK
  time_point largest_time_{};
  time_point deadline_ = never;
  bool ack_due_ = false;
  bool reported_all_ = false;
  bool largest_stated_ = false;     // by an ACK
  std::uint32_t late_watch_ = 0;    // packets for which reordering is still expected
  std::uint64_t late_largest_ = 0;  // the largest number when one came late
};

}  // namespace mdp::engine
