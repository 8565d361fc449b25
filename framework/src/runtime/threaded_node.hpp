// A node whose protocol and I/O run on a thread of its own ("single" layout). The caller's side and
// the I/O thread share two bounded lock-free rings: submissions in, events out. Rare calls
// (connect, stats, idle) are carried out on the I/O thread while the caller waits. A payload is
// copied twice here: into the submission, and into its packet.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>

#include "engine/message_buffers.hpp"
#include "inline_node.hpp"
#include "mdp/base/spsc_ring.hpp"

namespace mdp::runtime {

class threaded_node final : public messaging::messenger {
 public:
  explicit threaded_node(const node_options& options);
  ~threaded_node() override;

  [[nodiscard]] time_point now() noexcept override { return node_->now(); }
  [[nodiscard]] endpoint_address local_address() const noexcept override { return local_; }
  [[nodiscard]] std::size_t message_bytes_max() const noexcept override {
    return node_->message_bytes_max();
  }
  [[nodiscard]] bool reliable() const noexcept override { return true; }
  [[nodiscard]] result<peer_id, std::string> connect(const endpoint_address& to) override;
  // The ids of messages number the submissions to a peer, across its sessions.
  [[nodiscard]] result<message_id, messaging::refusal> submit(
      peer_id to, std::span<const std::byte> payload,
      const messaging::send_options& options) noexcept override;
  [[nodiscard]] std::size_t poll(std::span<messaging::event> out,
                                 time_point deadline) noexcept override;
  [[nodiscard]] bool idle() const noexcept override;
  [[nodiscard]] messaging::statistics stats() const override;
  [[nodiscard]] transport::counters transport_counts() const override;

 private:
  struct submission {
    peer_id to;
    messaging::send_options options;
    buffer::slice payload;
    std::uint64_t sequence = 0;
  };
  // What the I/O thread knows of one peer: engine ids begin anew with each session.
  struct numbering {
    std::uint64_t first = 0;  // sequence of the session's message 0
    bool known = false;
  };

  void run();
  bool take_submissions() noexcept;
  bool pass_events() noexcept;
  void run_request() noexcept;
  // Carries `task` out on the I/O thread and waits for it.
  void on_io_thread(const std::function<void()>& task) const;

  std::unique_ptr<engine::message_buffers> payloads_;  // the caller's side acquires
  std::unique_ptr<inline_node> node_;  // used by the I/O thread; now() and wake() by any
  endpoint_address local_;
  duration spin_;
  spsc_ring<submission> submissions_;
  spsc_ring<messaging::event> events_;
  std::vector<messaging::event> held_;  // polled, not yet passed on: the event ring was full
  std::size_t held_first_ = 0;
  std::vector<std::uint64_t> next_sequence_;  // caller's side, by peer slot
  std::vector<numbering> numbering_;          // I/O thread's, by peer slot
  std::atomic<bool> stop_{false};
  std::atomic<bool> caller_sleeps_{false};
  mutable std::counting_semaphore<> wake_caller_{0};

  mutable std::mutex request_mutex_;
  mutable std::condition_variable request_done_;
  mutable const std::function<void()>* request_ = nullptr;
  mutable std::atomic<bool> request_waits_{false};
  std::thread thread_;
};

}  // namespace mdp::runtime
