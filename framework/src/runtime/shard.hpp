// The protocol of some peers on a thread of its own: one engine with its transport, and the queues
// between it and the application's threads. A node in layout `single`, `pair` or `pipeline` has one
// shard; `sharded` has several, which share the node's port and own disjoint peers.
//
// Threads: submit(), answer() and waits may be called by any number of threads at once, without a
// lock; rare calls are carried out on the shard's thread while the caller waits (ask()). Everything
// in the second half of the class belongs to the shard's thread.
//
// Ids: inside, a peer is known by its engine's id; outside, the slot is spread over the shards
// (outer()), so that an id tells whose peer it is.
//
// Bounds: what one peer may have waiting in front of the protocol, and the events that the
// application has not taken. A peer that takes nothing blocks nobody else; an application that does
// not poll stops the flow of messages and nothing else: the sessions live on.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "agent.hpp"
#include "inline_node.hpp"
#include "mdp/base/ring.hpp"
#include "numbering.hpp"
#include "outbox.hpp"
#include "shared_buffers.hpp"

namespace mdp::runtime {

// Which of a node's shards this one is.
struct shard_place {
  unsigned index = 0;
  unsigned count = 1;

  [[nodiscard]] peer_id outer(peer_id inner) const noexcept {
    const std::uint32_t slot = static_cast<std::uint32_t>(slot_of(inner));
    return peer_id{inner.value - slot + slot * count + index};
  }
  [[nodiscard]] peer_id inner(peer_id outer) const noexcept {
    const std::uint32_t slot = static_cast<std::uint32_t>(slot_of(outer));
    return peer_id{outer.value - slot + slot / count};
  }
};
[[nodiscard]] constexpr std::size_t shard_of(peer_id outer, std::size_t count) noexcept {
  return slot_of(outer) % count;
}

// A message that the protocol has not taken yet.
struct waiting_message {
  peer_id to;  // inner
  messaging::send_options options;
  buffer::slice payload;
  std::uint64_t sequence = 0;
  bool cancelled = false;
};

class shard final : public agent {
 public:
  // On the thread that will run it. `options` names transport and configuration of this shard.
  shard(const node_options& options, shard_place place, outbox& events);

  void work(duration longest) noexcept override;
  void wake() noexcept override { node_->wake(); }

  // --- Any thread. Peers are inner ids.

  [[nodiscard]] time_point now() noexcept { return node_->now(); }
  [[nodiscard]] const std::vector<endpoint_address>& locals() const noexcept { return locals_; }
  [[nodiscard]] std::size_t message_bytes_max() const noexcept {
    return node_->message_bytes_max();
  }
  [[nodiscard]] shard_place place() const noexcept { return place_; }
  // The ids of messages number the submissions to a peer, across its sessions.
  [[nodiscard]] result<message_id, messaging::refusal> submit(
      peer_id to, const engine::payload_parts& payload,
      const messaging::send_options& options) noexcept;
  [[nodiscard]] result<void, messaging::refusal> answer(peer_id from, message_id id,
                                                        bool accepted) noexcept;
  [[nodiscard]] result<void, messaging::refusal> wait_writable(peer_id to,
                                                               time_point deadline) noexcept;
  // The application took this event of ours. True: there is an answer to be sent.
  [[nodiscard]] bool on_taken(const messaging::event& e) noexcept;
  // No message is taken from now on.
  void close() noexcept { closed_.store(true, std::memory_order_seq_cst); }

  // Carries `task` out on the shard's thread, behind every submission that this thread made, and
  // waits for it.
  void ask_for(const std::function<void(inline_node&)>& task);
  // The same; gives back what `task` does with the node.
  template <class Task>
  [[nodiscard]] auto ask(const Task& task) {
    std::optional<decltype(task(*node_))> answer;
    ask_for([&](inline_node& node) { answer.emplace(task(node)); });
    return std::move(*answer);
  }

  // --- The shard's thread: inside of ask().

  // From now on submit() takes messages to this peer.
  void learn(peer_id peer) noexcept;
  [[nodiscard]] result<void, messaging::refusal> cancel(peer_id to, std::uint64_t sequence);
  [[nodiscard]] message_state state(peer_id to, std::uint64_t sequence) noexcept;
  [[nodiscard]] std::vector<message_status> unresolved(peer_id to);
  [[nodiscard]] bool idle() const noexcept;
  // Ends all sessions; messages that have no end yet are reported as unknown. True: there were
  // none. After close().
  [[nodiscard]] bool finish() noexcept;
  // Nothing more is put into the outbox: what lies in it is about to be dropped.
  void fall_silent() noexcept { silent_ = true; }

 private:
  // What any thread may know of the peer in one slot.
  struct place_of_peer {
    std::atomic<std::uint32_t> id{no_peer.value};
    std::atomic<std::uint32_t> waiting{0};  // submissions that the protocol has not taken
    std::atomic<std::uint64_t> next_sequence{0};
  };
  // What only this thread knows of it.
  struct lane {
    numbering numbers;
    std::uint64_t expected = 0;     // the sequence to be offered next
    ring<waiting_message> waiting;  // by sequence: too early, or refused with queue_full
  };
  struct reply {
    peer_id from;
    message_id id;
    bool accepted = true;
  };

  [[nodiscard]] place_of_peer* place_of(peer_id peer) const noexcept;
  [[nodiscard]] lane& lane_of(peer_id peer);
  void put_reply(const reply& r) noexcept;
  // No block: the bound is reached.
  [[nodiscard]] buffer::slice copy_of(const engine::payload_parts& payload) noexcept;

  void run_request() noexcept;
  bool take_replies() noexcept;
  bool take_submissions() noexcept;
  bool offer_waiting() noexcept;
  void queue_up(waiting_message&& m);
  [[nodiscard]] bool offer(lane& l, waiting_message& m) noexcept;
  [[nodiscard]] bool drain(lane& l) noexcept;
  [[nodiscard]] waiting_message* find_waiting(peer_id to, std::uint64_t sequence) noexcept;
  void report(const waiting_message& m, messaging::event_kind kind);
  void translate(messaging::event& e);
  [[nodiscard]] bool pass(messaging::event& e) noexcept;
  [[nodiscard]] bool pass_events() noexcept;

  shard_place place_;
  outbox& outbox_;
  shared_buffers payloads_;
  std::unique_ptr<transport::fabric> staged_;  // of layouts with threads below this one
  std::unique_ptr<inline_node> node_;          // now() and wake() by any thread
  std::vector<endpoint_address> locals_;
  bool automatic_;
  std::size_t slots_;
  std::unique_ptr<place_of_peer[]> places_;
  std::atomic<bool> closed_{false};

  shared_queue<waiting_message> submissions_;
  shared_queue<reply> replies_;
  std::atomic<std::uint32_t> replies_waiting_{0};
  parking writers_;  // wait_writable()
  // Of events passed on; the application adds to the second of each pair.
  std::uint64_t passed_ = 0;
  std::uint64_t passed_bytes_ = 0;
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> taken_bytes_{0};

  outbox::token token_;
  std::vector<waiting_message> submitted_;  // taken out of the queue at one stroke
  std::vector<messaging::event> held_;      // polled; passed on from held_first_ to held_count_
  std::size_t held_first_ = 0;
  std::size_t held_count_ = 0;
  ring<messaging::event> made_;       // events of this shard's own making
  std::vector<lane> lanes_;           // by slot
  std::vector<std::size_t> stalled_;  // slots whose lanes have something waiting
  bool finished_ = false;
  bool silent_ = false;

  std::mutex asking_;  // one request at a time
  std::mutex request_mutex_;
  std::condition_variable request_done_;
  const std::function<void(inline_node&)>* request_ = nullptr;
  std::atomic<bool> request_waits_{false};
};

}  // namespace mdp::runtime
