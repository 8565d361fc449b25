// A node whose protocol and I/O run on a thread of its own ("single" layout). The caller's side and
// the I/O thread share three bounded lock-free rings: submissions and replies in, events out. Rare
// calls (connect, stats, idle, …) are carried out on the I/O thread while the caller waits; that
// thread therefore never waits for the caller. A payload is copied twice here: into the
// submission, and into its packet.
//
// Each ring is bounded, and so is what one peer may have waiting in front of the protocol: a peer
// that takes nothing blocks nobody else. An application that does not poll stops the flow of
// messages (bounded in number and bytes) and nothing else: the sessions live on.
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
#include "mdp/base/ring.hpp"
#include "mdp/base/spsc_ring.hpp"
#include "numbering.hpp"

namespace mdp::runtime {

class threaded_node final : public node {
 public:
  explicit threaded_node(const node_options& options);
  ~threaded_node() override;

  [[nodiscard]] time_point now() noexcept override { return node_->now(); }
  [[nodiscard]] endpoint_address local_address() const noexcept override { return locals_.front(); }
  [[nodiscard]] std::vector<endpoint_address> local_addresses() const override { return locals_; }
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
  [[nodiscard]] result<void, messaging::refusal> answer(peer_id from, message_id id,
                                                        bool accepted) noexcept override;
  [[nodiscard]] result<void, messaging::refusal> wait_writable(
      peer_id to, std::size_t bytes, time_point deadline) noexcept override;
  [[nodiscard]] result<void, messaging::refusal> cancel(peer_id to,
                                                        message_id id) noexcept override;
  std::size_t states(peer_id to, std::span<const message_id> ids,
                     std::span<message_state> out) noexcept override;
  [[nodiscard]] std::vector<message_status> unresolved(peer_id to) override;
  [[nodiscard]] result<void, messaging::refusal> disconnect(peer_id peer) noexcept override;
  [[nodiscard]] result<void, messaging::refusal> set_congestion_control(
      peer_id peer, congestion_control_kind kind) noexcept override;
  void blacklist(const endpoint_address& address) override;
  void unblacklist(const endpoint_address& address) noexcept override;
  [[nodiscard]] std::optional<peer_id> find(const endpoint_address& address) noexcept override;
  [[nodiscard]] std::optional<peer_info> info(peer_id peer) override;
  [[nodiscard]] std::vector<peer_info> peers(peer_filter filter) override;
  [[nodiscard]] std::vector<peer_change> peer_changes() override;
  [[nodiscard]] messaging::statistics peer_stats(peer_id peer) override;
  [[nodiscard]] messaging::statistics active_stats() override;
  [[nodiscard]] bool idle() const noexcept override;
  [[nodiscard]] messaging::statistics stats() const override;
  [[nodiscard]] transport::counters transport_counts() const override;

 private:
  struct waiting_submission {
    peer_id to;
    messaging::send_options options;
    buffer::slice payload;
    std::uint64_t sequence = 0;
    bool cancelled = false;
  };
  // From the caller: it took a message, or answered one.
  struct reply {
    enum class kind : std::uint8_t { taken, confirmed, rejected };
    peer_id from;
    message_id id;
    std::uint32_t bytes = 0;  // taken: payload
    kind what = kind::taken;
  };
  // What the caller's side knows of the peer in one slot.
  struct known_peer {
    peer_id id = no_peer;
    std::uint64_t next_sequence = 0;
  };

  // Caller's side.
  void learn(peer_id peer);
  [[nodiscard]] bool take(messaging::event& from, messaging::event& to) noexcept;
  template <class Ready>
  void sleep_until(time_point deadline, const Ready& ready) noexcept;
  // Carries `task` out on the I/O thread, behind every submission made so far, and waits for it.
  void on_io_thread(const std::function<void()>& task) const;
  // The same; gives back what `task` does.
  template <class Task>
  [[nodiscard]] auto ask(const Task& task) const {
    std::optional<decltype(task())> answer;
    on_io_thread([&] { answer.emplace(task()); });
    return std::move(*answer);
  }
  [[nodiscard]] bool knows(peer_id peer) const noexcept {
    return slot_of(peer) < known_.size() && known_[slot_of(peer)].id == peer;
  }

  // I/O thread.
  void run();
  void run_request() noexcept;
  bool take_replies() noexcept;
  bool take_submissions() noexcept;
  bool take_deferred() noexcept;
  [[nodiscard]] bool offer(waiting_submission& s) noexcept;
  void report(const waiting_submission& s, messaging::event_kind kind);
  [[nodiscard]] waiting_submission* find_deferred(peer_id to, std::uint64_t sequence) noexcept;
  [[nodiscard]] result<void, messaging::refusal> cancel_now(peer_id to, std::uint64_t sequence);
  [[nodiscard]] message_state state_now(peer_id to, std::uint64_t sequence) noexcept;
  void translate(messaging::event& e);
  [[nodiscard]] bool pass(messaging::event& e) noexcept;
  [[nodiscard]] bool pass_events() noexcept;
  void wake_caller() noexcept;

  std::unique_ptr<engine::message_buffers> payloads_;  // the caller's side acquires
  std::unique_ptr<inline_node> node_;  // used by the I/O thread; now() and wake() by any
  std::vector<endpoint_address> locals_;
  duration spin_;
  bool automatic_;
  spsc_ring<waiting_submission> submissions_;
  spsc_ring<reply> replies_;
  spsc_ring<messaging::event> events_;
  // By slot: submissions of one peer that the protocol has not taken.
  std::unique_ptr<std::atomic<std::uint32_t>[]> waiting_;
  std::size_t slots_;

  std::vector<known_peer> known_;  // caller's side, by slot

  // The I/O thread's.
  std::vector<messaging::event> held_;  // polled; passed on from held_first_ to held_count_
  std::size_t held_first_ = 0;
  std::size_t held_count_ = 0;
  ring<messaging::event> made_;                     // events of this layout's own making
  std::uint64_t passed_bytes_ = 0;                  // of messages passed on and not taken
  std::vector<numbering> numbering_;                // by slot
  std::vector<ring<waiting_submission>> deferred_;  // by slot: refused with queue_full
  std::vector<std::size_t> deferred_slots_;

  std::atomic<bool> stop_{false};
  std::atomic<bool> caller_sleeps_{false};
  std::counting_semaphore<> wake_caller_{0};

  mutable std::mutex request_mutex_;
  mutable std::condition_variable request_done_;
  mutable const std::function<void()>* request_ = nullptr;
  mutable std::atomic<bool> request_waits_{false};
  std::thread thread_;
};

}  // namespace mdp::runtime
