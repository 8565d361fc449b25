// Congestion control behind one interface: bytes in flight in, a window out.
// Implementations are told what was sent, acknowledged and lost; they keep no clock and no
// pointers.
#pragma once
#include <cstdint>

#include "mdp/base/time.hpp"

namespace mdp::engine {

class congestion_controller {
 public:
  virtual ~congestion_controller() = default;
  virtual void on_sent(time_point now, std::uint32_t bytes) noexcept = 0;
  virtual void on_acked(time_point now, std::uint32_t bytes, time_point sent) noexcept = 0;
  // Called once for each packet that is declared lost; `sent` lets a controller react once a round.
  virtual void on_lost(time_point now, std::uint32_t bytes, time_point sent) noexcept = 0;
  // Bytes that may be in flight.
  [[nodiscard]] virtual std::uint64_t window_bytes() const noexcept = 0;
};

// A constant window: for networks whose capacity is known, and for measurements.
class fixed_window final : public congestion_controller {
 public:
  explicit fixed_window(std::uint64_t bytes) noexcept : bytes_(bytes) {}
  void on_sent(time_point, std::uint32_t) noexcept override {}
  void on_acked(time_point, std::uint32_t, time_point) noexcept override {}
  void on_lost(time_point, std::uint32_t, time_point) noexcept override {}
  [[nodiscard]] std::uint64_t window_bytes() const noexcept override { return bytes_; }

 private:
  std::uint64_t bytes_;
};

}  // namespace mdp::engine
