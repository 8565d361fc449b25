// CUBIC (RFC 9438) with HyStart++ (RFC 9406), in bytes. Grows by a cubic of the time since the last
// loss, or as a Reno flow would where that is faster.
#pragma once
#include "controller.hpp"
#include "hystart.hpp"

namespace mdp::engine::congestion {

// The largest r with r * r * r <= n.
[[nodiscard]] std::uint64_t cube_root(std::uint64_t n) noexcept;

class cubic final : public controller {
 public:
  cubic(std::uint32_t packet_bytes, std::uint32_t initial_packets) noexcept;
  void on_acked(const ack_event& e) noexcept override;
  void on_loss_event(time_point now, std::uint64_t in_flight) noexcept override;
  void on_spurious() noexcept override;
  void on_persistent_congestion() noexcept override;
  [[nodiscard]] std::uint64_t window_bytes() const noexcept override { return state_.window; }
  [[nodiscard]] std::uint64_t pacing_rate() const noexcept override;

 private:
  struct state {
    std::uint64_t window = 0;              // cwnd
    std::uint64_t threshold = UINT64_MAX;  // ssthresh
    std::uint64_t before_loss = 0;         // cwnd_prior
    std::uint64_t plateau = 0;             // W_max
  };
  [[nodiscard]] bool slow_start() const noexcept { return state_.window < state_.threshold; }
  void grow_slowly(const ack_event& e) noexcept;
  void begin_epoch(time_point now) noexcept;
  [[nodiscard]] std::uint64_t cubic_window(duration since_epoch) const noexcept;
  void avoid_congestion(const ack_event& e) noexcept;

  state state_;
  state undo_;  // before the last loss event
  hystart hystart_;
  bool in_epoch_ = false;
  time_point epoch_{};
  time_point limited_since_ = never;  // the application was the limit: the epoch stands still
  duration to_plateau_{};             // K
  std::uint64_t reno_ = 0;            // W_est
  std::uint64_t reno_carry_ = 0;      // what whole bytes left over
  std::uint64_t window_carry_ = 0;
  duration smoothed_{};
};

}  // namespace mdp::engine::congestion
