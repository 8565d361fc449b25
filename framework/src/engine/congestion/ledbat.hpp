// LEDBAT++ (draft-irtf-iccrg-ledbat-plus-plus): a background flow that yields to others by keeping
// the queue at a target delay, measured by round trips, with pauses that let it see the empty path.
#pragma once
#include "controller.hpp"
#include "windowed_min.hpp"

namespace mdp::engine::congestion {

class ledbat final : public controller {
 public:
  ledbat(std::uint32_t packet_bytes, std::uint32_t initial_packets) noexcept;
  void on_acked(const ack_event& e) noexcept override;
  void on_loss_event(time_point now, std::uint64_t in_flight) noexcept override;
  void on_spurious() noexcept override;
  void on_persistent_congestion() noexcept override;
  [[nodiscard]] std::uint64_t window_bytes() const noexcept override;
  [[nodiscard]] std::uint64_t pacing_rate() const noexcept override;

 private:
  [[nodiscard]] std::uint64_t gain_divisor() const noexcept;
  void run_slowdown(time_point now) noexcept;
  void leave_slow_start(time_point now) noexcept;
  void adjust(const ack_event& e) noexcept;

  std::uint64_t window_;
  std::uint64_t threshold_ = UINT64_MAX;
  std::uint64_t undo_ = 0;
  std::uint64_t carry_ = 0;  // what whole bytes left over
  windowed_min base_;
  windowed_min current_;  // the least of the last round trips filters noise
  duration smoothed_{};
  time_point next_slowdown_ = never;
  time_point slowdown_start_ = never;
  time_point slowdown_end_ = never;  // of the pause at two packets
  bool slow_start_ = true;
  bool first_slow_start_ = true;
};

}  // namespace mdp::engine::congestion
