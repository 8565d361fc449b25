// A node with threads of its own: one or more shards, and the application's side of them, which any
// number of threads may use at once.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "shard.hpp"

namespace mdp::runtime {

class threaded_node final : public node {
 public:
  // Throws what the transports throw, and when `options.threads` is not possible here.
  explicit threaded_node(const node_options& options);
  ~threaded_node() override;

  [[nodiscard]] time_point now() noexcept override { return shards_.front()->now(); }
  [[nodiscard]] endpoint_address local_address() const noexcept override {
    return shards_.front()->locals().front();
  }
  [[nodiscard]] std::vector<endpoint_address> local_addresses() const override {
    return shards_.front()->locals();
  }
  [[nodiscard]] std::size_t message_bytes_max() const noexcept override {
    return shards_.front()->message_bytes_max();
  }
  [[nodiscard]] bool reliable() const noexcept override { return true; }
  [[nodiscard]] result<peer_id, std::string> connect(const endpoint_address& to) override;
  [[nodiscard]] result<message_id, messaging::refusal> submit(
      peer_id to, std::span<const std::byte> payload,
      const messaging::send_options& options) noexcept override;
  [[nodiscard]] result<message_id, messaging::refusal> submit_zero_copy(
      peer_id to, const buffer::slice& payload,
      const messaging::send_options& options) noexcept override;
  [[nodiscard]] std::size_t submit_batch(std::span<const submission> items,
                                         std::span<submit_result> results) noexcept override;
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
  [[nodiscard]] bool shutdown(time_point deadline) noexcept override;

 private:
  void start(const node_options& options, std::size_t count);
  // Whose peer this is, or would be.
  [[nodiscard]] shard& owner_of(peer_id peer) const noexcept {
    return *shards_[shard_of(peer, shards_.size())];
  }
  [[nodiscard]] shard& owner_of(const endpoint_address& peer) const noexcept;
  // Carries `task(shard, inner id, its core)` out on the thread of the peer's shard.
  template <class Task>
  [[nodiscard]] auto ask(peer_id peer, const Task& task) const {
    shard& owner = owner_of(peer);
    const peer_id inner = owner.place().inner(peer);
    return owner.ask([&](inline_node& core) { return task(owner, inner, core); });
  }

  outbox events_;  // outlives the shards that fill it
  std::vector<shard*> shards_;
  duration spin_;
  // Own the shards.
  std::vector<std::unique_ptr<agent_thread>> threads_;
};

}  // namespace mdp::runtime
