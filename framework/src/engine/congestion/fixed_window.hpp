// A constant window, unpaced: for networks whose capacity is known, and for measurements.
#pragma once
#include "controller.hpp"

namespace mdp::engine::congestion {

class fixed_window final : public controller {
 public:
  fixed_window(std::uint32_t packet_bytes, std::uint64_t bytes) noexcept
      : controller(packet_bytes), bytes_(bytes) {}
  void on_acked(const ack_event&) noexcept override {}
  void on_loss_event(time_point, std::uint64_t) noexcept override {}
  void on_spurious() noexcept override {}
  void on_persistent_congestion() noexcept override {}
  [[nodiscard]] std::uint64_t window_bytes() const noexcept override { return bytes_; }
  [[nodiscard]] std::uint64_t pacing_rate() const noexcept override { return 0; }

 private:
  std::uint64_t bytes_;
};

}  // namespace mdp::engine::congestion
