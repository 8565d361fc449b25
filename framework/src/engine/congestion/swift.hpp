// A delay target in the manner of Swift (Kumar et al., SIGCOMM 2020): for networks whose queues are
// short and whose losses are congestion. One packet more each round trip while the queueing delay
// is below the target; above it, a cut in proportion to the excess, once a round trip.
#pragma once
#include "controller.hpp"
#include "windowed_min.hpp"

namespace mdp::engine::congestion {

class swift final : public controller {
 public:
  // `target`: queueing delay beyond the least round trip seen.
  swift(std::uint32_t packet_bytes, std::uint32_t initial_packets, duration target) noexcept;
  void on_acked(const ack_event& e) noexcept override;
  void on_loss_event(time_point now, std::uint64_t in_flight) noexcept override;
  void on_spurious() noexcept override;
  void on_persistent_congestion() noexcept override;
  [[nodiscard]] std::uint64_t window_bytes() const noexcept override { return window_; }
  [[nodiscard]] std::uint64_t pacing_rate() const noexcept override;

 private:
  // The longest round trip that is no congestion.
  [[nodiscard]] duration limit() const noexcept;
  void grow(const ack_event& e) noexcept;
  void shrink(time_point now, std::uint64_t percent_kept) noexcept;

  duration target_;
  std::uint64_t window_;
  std::uint64_t carry_ = 0;  // what whole bytes left over
  std::uint64_t undo_ = 0;
  windowed_min base_;
  duration smoothed_{};
  time_point last_cut_{};
  bool slow_start_ = true;
};

}  // namespace mdp::engine::congestion
