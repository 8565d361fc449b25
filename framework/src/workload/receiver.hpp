// The receiving side of flows: counts what arrives, and answers requests. One for each messenger.
#pragma once
#include <vector>

#include "flow_metrics.hpp"
#include "mdp/base/ring.hpp"
#include "payload.hpp"

namespace mdp::workload {

// What becomes of the messages of one flow.
struct flow_answer {
  bool replies = false;           // request-response server
  std::uint32_t reply_bytes = 0;  // 0: as the request
};
struct receiver_options {
  messaging::messenger* messenger = nullptr;
  std::vector<flow_answer> answers;  // by flow; those beyond get no reply
};

class receiver final : public actor {
 public:
  explicit receiver(const receiver_options& options);
  void begin(const phases& p) noexcept override;
  void on_event(messaging::event& e) noexcept override;
  bool do_work(time_point now) noexcept override;
  [[nodiscard]] time_point next_deadline() const noexcept override {
    return waiting_.empty() ? never : time_point{};
  }
  [[nodiscard]] bool done() const noexcept override { return waiting_.empty(); }
  void finish(time_point) noexcept override { metrics_.series.finish(); }
  [[nodiscard]] flow_metrics& metrics() noexcept { return metrics_; }

 private:
  // Which sequences of one flow of one sender have come: a window of bits behind the newest.
  struct seen_window {
    peer_id from = no_peer;
    std::uint64_t newest = 0;
    bool any = false;
    std::vector<std::uint64_t> bits;
  };
  struct reply {
    peer_id to = no_peer;
    std::uint32_t bytes = 0;
    payload_stamp stamp;
  };
  [[nodiscard]] bool is_duplicate(peer_id from, const payload_stamp& stamp);
  bool send(const reply& r) noexcept;

  receiver_options options_;
  phases phases_;
  std::vector<std::vector<seen_window>> seen_;  // by flow and peer slot
  std::vector<std::byte> buffer_;
  ring<reply> waiting_;  // the messenger was full
  flow_metrics metrics_;
};

}  // namespace mdp::workload
