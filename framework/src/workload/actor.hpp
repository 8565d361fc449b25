// What a workload does with one messenger: reacts to events, submits when it is time.
// An actor belongs to the thread of its messenger.
#pragma once
#include "mdp/messaging/messenger.hpp"

namespace mdp::workload {

// When things happen, on the messenger's clock.
struct phases {
  time_point start{};          // sending begins
  time_point measure_from{};   // warm-up is over
  time_point measure_until{};  // sending ends
  time_point drain_until{};    // what is still unanswered counts as lost in time
};

class actor {
 public:
  virtual ~actor() = default;
  virtual void begin(const phases& p) noexcept = 0;
  virtual void on_event(messaging::event& e) noexcept = 0;
  // Submits what is due; true when it did.
  virtual bool do_work(time_point now) noexcept = 0;
  [[nodiscard]] virtual time_point next_deadline() const noexcept = 0;
  // Nothing more to send and nothing awaited.
  [[nodiscard]] virtual bool done() const noexcept = 0;
  // The run is over: what is still open is counted.
  virtual void finish(time_point now) noexcept = 0;
};

}  // namespace mdp::workload
