// Random early detection (Floyd and Jacobson 1993), gentle (Floyd 2000), in integers: drops or
// marks at arrival, with a probability that follows the average length of the queue. One owner.
#pragma once
#include <cstdint>

#include "mdp/netsim/queue_discipline.hpp"

namespace mdp::netsim {

class red_process {
 public:
  enum class answer : std::uint8_t { take, signal, drop };  // signal: mark, or drop what cannot be

  explicit red_process(const queue_spec& spec) noexcept : spec_(spec) {}
  // A packet comes to a queue of so many, `draw` is its draw. `idle_packets`: how many packets the
  // wire could have sent since the queue was empty.
  [[nodiscard]] answer on_arrival(std::uint32_t queued, std::uint64_t idle_packets,
                                  std::uint64_t draw) noexcept;
  // The average in packets, with 16 bits of fraction.
  [[nodiscard]] std::uint64_t average() const noexcept { return average_; }

 private:
  static constexpr unsigned fraction_bits = 16;
  void decay(std::uint64_t packets) noexcept;

  queue_spec spec_;
  std::uint64_t average_ = 0;
  std::uint64_t since_ = 0;  // packets since the last signal
};

}  // namespace mdp::netsim
