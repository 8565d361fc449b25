// The sending side of a flow: a request-response client or a stream's source, in open or closed
// loop. Latency is taken from the *intended* time of sending (response) and from the actual one
// (service), so a stall is charged to every message that it delayed (no coordinated omission).
#pragma once
#include <vector>

#include "flow_metrics.hpp"
#include "mdp/base/ring.hpp"
#include "schedule.hpp"

namespace mdp::workload {

struct sender_options {
  messaging::messenger* messenger = nullptr;
  std::vector<peer_id> targets;                         // taken in turn
  std::vector<std::pair<std::uint32_t, double>> sizes;  // bytes (>= 16), weight
  bool expects_reply = false;                           // request-response
  messaging::confirm want = messaging::confirm::none;   // stream: completes with the last asked for
  duration timeout{};  // until received and until delivered, as far as asked for; 0: none
  bool open_loop = false;
  arrival_plan arrivals;  // open loop
  std::uint32_t in_flight = 1;
  std::uint8_t flow = 0;             // number within the scenario; its replies and events name it
  std::uint64_t first_sequence = 0;  // what a process before this one sent has lower ones
  std::uint64_t seed = 1;
};

class sender final : public actor {
 public:
  explicit sender(sender_options options);
  void begin(const phases& p) noexcept override;
  void on_event(messaging::event& e) noexcept override;
  bool do_work(time_point now) noexcept override;
  [[nodiscard]] time_point next_deadline() const noexcept override;
  [[nodiscard]] bool done() const noexcept override { return stopped_ && open_ == 0; }
  void finish(time_point now) noexcept override;
  // After begin(), in a process that began later than the load: what was due before is nobody's.
  void skip_to(time_point now) noexcept;
  // The process ends, and nobody will be told what becomes of what is open. Instead of finish().
  void end_process() noexcept;
  [[nodiscard]] std::uint64_t next_sequence() const noexcept { return next_; }
  [[nodiscard]] flow_metrics& metrics() noexcept { return metrics_; }

 private:
  enum state : std::uint8_t { waiting, settled };
  struct outstanding {
    time_point intended{};
    time_point submitted{};
    state is = waiting;
    bool measured = false;
  };
  [[nodiscard]] bool tracks() const noexcept {
    return options_.expects_reply || options_.want != messaging::confirm::none;
  }
  [[nodiscard]] bool delivered_wanted() const noexcept {
    return options_.want == messaging::confirm::delivered ||
           options_.want == messaging::confirm::both;
  }
  bool submit_one(time_point intended, time_point now) noexcept;
  void count_refusal(bool measured) noexcept;
  void settle_lost(std::uint64_t sequence, std::uint64_t& count) noexcept;
  void complete(std::uint64_t sequence, time_point at) noexcept;
  [[nodiscard]] outstanding* find(std::uint64_t sequence) noexcept;
  [[nodiscard]] std::uint32_t next_size() noexcept;

  sender_options options_;
  phases phases_;
  schedule schedule_;
  seeded_random sizes_random_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> size_limits_;  // cumulative weight of 2^32
  std::vector<std::byte> buffer_;
  std::uint32_t size_ = 0;    // of the next message, drawn once
  ring<outstanding> window_;  // by sequence, from base_
  std::uint64_t base_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t open_ = 0;
  std::size_t turn_ = 0;
  bool blocked_ = false;
  bool stopped_ = false;
  flow_metrics metrics_;
};

}  // namespace mdp::workload
