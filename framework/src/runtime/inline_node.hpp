// A node whose protocol and I/O run inside poll(). Binds the engine to one transport.
#pragma once
#include <array>
#include <memory>

#include "engine/endpoint.hpp"
#include "engine/id_map.hpp"
#include "mdp/runtime/node.hpp"
#include "translation.hpp"

namespace mdp::runtime {

using id_set = engine::id_map<bool>;

// Which of the nodes that share one port this is.
struct port_share {
  std::uint32_t index = 0;
  std::uint32_t count = 1;
};

class inline_node final : public node {
 public:
  // `sharing`: many_threads when slices leave the thread that polls.
  inline_node(const node_options& options, buffer::sharing sharing, port_share share = {});

  [[nodiscard]] time_point now() noexcept override { return transport_->now(); }
  [[nodiscard]] endpoint_address local_address() const noexcept override {
    return transport_->local_address();
  }
  [[nodiscard]] std::vector<endpoint_address> local_addresses() const override { return locals_; }
  [[nodiscard]] std::size_t message_bytes_max() const noexcept override {
    return settings_.max_message_bytes;
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
  [[nodiscard]] bool idle() const noexcept override { return engine_.idle() && batch_.empty(); }
  [[nodiscard]] messaging::statistics stats() const override;
  [[nodiscard]] transport::counters transport_counts() const override {
    return transport_->counts();
  }
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
  [[nodiscard]] bool shutdown(time_point deadline) noexcept override;
  // Ends a poll() that sleeps, from any thread.
  void wake() noexcept { transport_->wake(); }

 private:
  [[nodiscard]] result<message_id, messaging::refusal> submit_parts(
      peer_id to, const engine::payload_parts& payload,
      const messaging::send_options& options) noexcept;
  // Messages of a peer that its application was given and has not answered, by their ids here.
  [[nodiscard]] id_set& unanswered(peer_id from);
  void forget_unanswered(peer_id from) noexcept;
  void take_message(const engine::event& e, message_id id) noexcept;
  void tell(peer_id from, message_id number, bool accepted) noexcept;
  void transmit(time_point now) noexcept;
  // Runs the timers, sends, waits until `deadline` at most for datagrams and takes them; does not
  // wait when there is something that it `reports`. Returns how many came (trains count once).
  std::size_t turn(time_point deadline, bool reports) noexcept;
  // Drops what came to us although another sharer of the port is in charge of its sender: before
  // all of them were open. Returns how many are left.
  std::size_t keep_ours(std::size_t count) noexcept;
  // `to`, to be reached through a port of its family.
  [[nodiscard]] endpoint_address through_port(endpoint_address to) const noexcept;
  std::size_t take_events(std::span<messaging::event> out) noexcept;

  std::unique_ptr<random_source> random_;
  engine::config settings_;
  buffer::block_pool blocks_;
  buffer::block_pool control_blocks_;
  buffer::block_pool rx_pool_;
  std::unique_ptr<transport::transport> transport_;
  std::vector<endpoint_address> locals_;  // of every port
  engine::endpoint engine_;
  buffer::tx_batch batch_;
  std::array<buffer::rx_datagrams, 64> received_;
  std::array<engine::event, 64>
      chunk_;          // between engine and caller; kept: 64 are dear to construct
  time_point turn_{};  // when poll() last looked at the clock
  duration spin_;
  port_share share_;
  confirm_mode confirm_;
  std::vector<id_set> unanswered_;  // by slot; used with confirm_mode::on_request only
  bool blocked_ = false;            // the transport took less than it was offered
  bool closing_ = false;            // takes no more messages
  bool over_ = false;               // shutdown() is done: only events are left
};

}  // namespace mdp::runtime
