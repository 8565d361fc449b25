// The protocol engine of one node: a pure machine. Bytes and the time go in, datagrams, events and
// the next deadline come out. It reads no clock, does no I/O, starts no thread and has no global.
//
// Call order: handle_datagrams() and handle_deadline() with a time that never goes back, then
// poll_transmit() until it adds nothing, then poll_events(); spurious calls are harmless. submit()
// and confirm() may come at any time between. Everything on one thread. Errors: bad input is
// counted in stats() and changes nothing else; refusals are values.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "config.hpp"
#include "event.hpp"
#include "mdp/base/random.hpp"
#include "mdp/base/siphash.hpp"
#include "peer.hpp"
#include "stats.hpp"
#include "timer_table.hpp"

namespace mdp::engine {

// The memory that an engine works in; all must outlive it.
struct engine_memory {
  buffer::block_pool& blocks;          // message bodies; block_bytes >= max_packet_bytes + 8
  buffer::block_pool& control_blocks;  // the same size; a few hundred
  buffer::sharing sharing = buffer::sharing::one_thread;
};

// How trains are cut for the transport.
struct train_limits {
  std::uint32_t segments_max = 1;
  std::uint32_t bytes_max = 65507;
};

class endpoint {
 public:
  endpoint(const config& settings, const engine_memory& memory, const train_limits& trains,
           random_source& random);
  endpoint(const endpoint&) = delete;
  endpoint& operator=(const endpoint&) = delete;

  // Begins a session with the node at `to` and keeps it (pinned); the same peer again: its id.
  [[nodiscard]] result<peer_id, refusal> connect(time_point now, const endpoint_address& to);
  [[nodiscard]] result<message_id, refusal> submit(time_point now, peer_id to,
                                                   std::span<const std::byte> payload,
                                                   const send_options& options) noexcept;
  // From now on the peer is sent to by this algorithm, which begins as on a new path; the
  // configuration's choice holds again when the peer is forgotten. False: unknown peer.
  bool set_congestion(peer_id peer, congestion_kind kind);
  // Gives up a message that has not arrived whole yet; its end is reported by an event. Refusals:
  // unknown_peer, unknown_message (also: final already), too_late (the peer has it whole).
  [[nodiscard]] result<void, refusal> cancel(time_point now, peer_id to, message_id id) noexcept;
  [[nodiscard]] message_state state(peer_id to, message_id id) noexcept;
  // visit(message_id, message_state) for each message to the peer that is not final, oldest first.
  template <class Visit>
  void for_each_unresolved(peer_id to, Visit&& visit) {
    if (peer* p = lookup(to.value))
      p->messages().for_each_unresolved(
          [&](std::uint64_t id, message_state s) { visit(message_id{id}, s); });
  }
  // The application took message `id` of `from`, or refuses it: tells its sender, if he asked.
  void confirm(peer_id from, message_id id) noexcept {
    answer(from, id, wire::outcome_kind::delivered);
  }
  void reject(peer_id from, message_id id) noexcept {
    answer(from, id, wire::outcome_kind::rejected);
  }

  void handle_datagrams(time_point now, std::span<buffer::rx_datagrams> batch) noexcept;
  void poll_transmit(time_point now, buffer::tx_batch& batch) noexcept;
  // Moves events out, oldest first; returns how many. Messages count as taken by the application.
  [[nodiscard]] std::size_t poll_events(std::span<event> out) noexcept;
  [[nodiscard]] std::size_t events_pending() const noexcept { return events_.size(); }
  [[nodiscard]] time_point next_deadline() const noexcept { return timers_.next(); }
  void handle_deadline(time_point now) noexcept;

  // No message waits, is in flight or awaits a confirmation, with any peer.
  [[nodiscard]] bool idle() const noexcept;
  [[nodiscard]] const stats& counts() const noexcept { return counts_; }
  [[nodiscard]] std::size_t peer_count() const noexcept { return used_; }
  [[nodiscard]] const peer* find(peer_id id) const noexcept {
    return const_cast<endpoint*>(this)->lookup(id.value);
  }

 private:
  void answer(peer_id from, message_id id, wire::outcome_kind kind) noexcept;
  [[nodiscard]] peer* lookup(std::uint32_t id) noexcept;
  [[nodiscard]] peer* find_address(const endpoint_address& address) noexcept;
  [[nodiscard]] peer* add_peer(time_point now, const endpoint_address& address, bool pinned);
  void remove_peer(peer& p) noexcept;
  void mark_ready(peer& p);
  void rearm(peer& p) noexcept;

  void handle_packet(time_point now, const endpoint_address& from,
                     const buffer::slice& packet) noexcept;
  void handle_data(time_point now, const endpoint_address& from, const wire::packet_header& header,
                   const buffer::slice& packet) noexcept;
  void handle_hello(time_point now, const endpoint_address& from,
                    const wire::hello& theirs) noexcept;
  void handle_hello_ack(time_point now, const endpoint_address& from,
                        const wire::packet_header& header, const wire::hello& theirs) noexcept;
  void adopt_next_session(time_point now, peer& p) noexcept;
  void announce(time_point now, peer& p) noexcept;
  void start_handshake(time_point now, peer& p) noexcept;
  void on_silence(time_point now, peer& p) noexcept;
  bool send_handshake(time_point now, peer& p, buffer::tx_batch& batch) noexcept;
  [[nodiscard]] bool transmit(time_point now, peer& p, buffer::tx_batch& batch) noexcept;

  config settings_;
  random_source& random_;
  std::uint64_t instance_;
  siphash_key key_;
  stats counts_;
  message_buffers buffers_;  // before everything that may hold a message
  ring<event> events_;
  body_table bodies_;
  shared_parts shared_;
  std::vector<std::unique_ptr<peer>> peers_;  // by slot
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> addresses_;  // open addressing: slot + 1
  std::size_t used_ = 0;
  timer_table timers_;
  ring<std::uint32_t> ready_;  // slots with something to send
};

}  // namespace mdp::engine
