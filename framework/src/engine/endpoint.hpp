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
#include <optional>
#include <span>
#include <vector>

#include "address_map.hpp"
#include "config.hpp"
#include "cookie_cache.hpp"
#include "event.hpp"
#include "mdp/base/random.hpp"
#include "mdp/base/siphash.hpp"
#include "peer.hpp"
#include "peer_info.hpp"
#include "stateless.hpp"
#include "stats.hpp"
#include "timer_table.hpp"

namespace mdp::engine {

// A peer's id is its slot (low 20 bits) and the slot's generation, so an old id finds nobody.
inline constexpr std::uint32_t slot_mask = (1u << 20) - 1;

// The memory that an engine works in; all must outlive it.
struct engine_memory {
  buffer::block_pool& blocks;          // message bodies; block_bytes >= max_packet_bytes + 8
  buffer::block_pool& control_blocks;  // the same size; a few hundred
  buffer::sharing sharing = buffer::sharing::one_thread;
  // Packets with messages that the engine may hold at once; 0: as many as there are blocks. Less
  // for engines that share their pools: each keeps a table of so many.
  std::uint32_t bodies_max = 0;
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

  // Begins a session with the node at `to` and pins it: silence does not make it go. The same peer
  // again: its id. Refused: queue_full (max_peers is reached), blacklisted. Ends in peer_up or,
  // when nobody answers within connect_timeout, peer_down.
  [[nodiscard]] result<peer_id, refusal> connect(time_point now, const endpoint_address& to);
  // Takes the pin away. The session goes on; once the peer is silent for peer_timeout and nothing
  // waits for it, it is forgotten. False: no such peer.
  bool disconnect(peer_id id) noexcept;
  // Drops whatever comes from `address` before any other work. A session with it ends: peer_down.
  void blacklist(time_point now, const endpoint_address& address);
  void unblacklist(const endpoint_address& address) noexcept;
  // Every session ends (peer_down), and every peer is forgotten.
  void close(time_point now) noexcept;
  [[nodiscard]] result<message_id, refusal> submit(time_point now, peer_id to,
                                                   const payload_parts& payload,
                                                   const send_options& options) noexcept;
  [[nodiscard]] result<message_id, refusal> submit(time_point now, peer_id to,
                                                   std::span<const std::byte> payload,
                                                   const send_options& options) noexcept {
    return submit(now, to, {{&payload, 1}, payload.size(), nullptr}, options);
  }
  // From now on the peer is sent to by this algorithm, which begins as on a new path; the
  // configuration's choice holds again when the peer is forgotten. False: unknown peer.
  bool set_congestion(peer_id peer, congestion_kind kind);
  // Gives up a message that has not arrived whole yet; its end is reported by an event. Refusals:
  // unknown_peer, unknown_message (also: final already), too_late (the peer has it whole).
  [[nodiscard]] result<void, refusal> cancel(time_point now, peer_id to, message_id id) noexcept;
  // submit() of so many bytes would not be refused with queue_full. False: no such peer.
  [[nodiscard]] bool writable(peer_id to, std::size_t bytes) noexcept {
    peer* p = lookup(to.value);
    if (!p) return false;
    const bool room = p->writable(bytes);
    rearm(*p);
    return room;
  }
  [[nodiscard]] message_state state(peer_id to, message_id id) noexcept;
  // visit(message_id, message_state) for each message to the peer that is not final, oldest first.
  template <class Visit>
  void for_each_unresolved(peer_id to, Visit&& visit) {
    if (peer* p = lookup(to.value))
      p->for_each_unresolved([&](std::uint64_t id, message_state s) { visit(message_id{id}, s); });
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

  [[nodiscard]] std::optional<peer_id> find(const endpoint_address& address) const noexcept;
  // No value: no such peer.
  [[nodiscard]] std::optional<peer_info> info(peer_id id) const noexcept;
  // Appends the peers that `filter` names, by slot.
  void list_peers(peer_filter filter, std::vector<peer_info>& out) const;
  // Appends who became active or inactive since the last call, at most one inactive and one active
  // peer a slot: who came and went between two calls is not in it.
  void peer_changes(std::vector<peer_change>& out);
  [[nodiscard]] std::optional<peer_counts> peer_stats(peer_id id) const noexcept;
  // Sums over the active peers.
  [[nodiscard]] peer_counts active_stats() const noexcept;

  // For tests and the runtime: holds until the next call that may remove a peer.
  [[nodiscard]] const peer* find(peer_id id) const noexcept {
    return const_cast<endpoint*>(this)->lookup(id.value);
  }

 private:
  void answer(peer_id from, message_id id, wire::outcome_kind kind) noexcept;
  [[nodiscard]] peer* lookup(std::uint32_t id) noexcept;
  [[nodiscard]] peer* find_address(const endpoint_address& address) const noexcept;
  [[nodiscard]] peer* add_peer(time_point now, const endpoint_address& address, bool pinned);
  void remove_peer(peer& p) noexcept;
  void note_change(const peer& p);
  void settle_move(time_point now, peer& p) noexcept;
  void mark_ready(peer& p);
  void rearm(peer& p) noexcept;

  // `marked`: it came with a congestion mark.
  void handle_packet(time_point now, const endpoint_address& from, const buffer::slice& packet,
                     bool marked) noexcept;
  void handle_data(time_point now, const endpoint_address& from, const wire::packet_header& header,
                   const buffer::slice& packet, bool marked) noexcept;
  void handle_hello(time_point now, const endpoint_address& from, const wire::hello& theirs,
                    const buffer::slice& packet) noexcept;
  void take_early(time_point now, peer& p, const wire::hello& theirs,
                  const buffer::slice& packet) noexcept;
  [[nodiscard]] peer* accept(time_point now, const endpoint_address& from,
                             const wire::hello& theirs) noexcept;
  void handle_hello_ack(time_point now, const endpoint_address& from,
                        const wire::packet_header& header, const wire::hello& theirs) noexcept;
  void handle_reset(time_point now, const endpoint_address& from, const wire::packet_header& header,
                    const buffer::slice& packet) noexcept;
  void handle_retry(const endpoint_address& from, const wire::packet_header& header,
                    const buffer::slice& packet) noexcept;
  void verify_session(time_point now, peer& p) noexcept;
  void end_session(time_point now, peer& p, const char* reason) noexcept;
  void adopt_next_session(time_point now, peer& p) noexcept;
  void announce(time_point now, peer& p) noexcept;
  void supersede_others(time_point now, const peer& p) noexcept;
  void start_handshake(time_point now, peer& p) noexcept;
  void on_no_answer(time_point now, peer& p) noexcept;
  bool on_deadline(time_point now, peer& p) noexcept;
  [[nodiscard]] wire::hello our_hello(const peer& p) const noexcept;
  bool send_handshake(time_point now, peer& p, buffer::tx_batch& batch) noexcept;
  [[nodiscard]] bool transmit(time_point now, peer& p, buffer::tx_batch& batch) noexcept;

  config settings_;
  random_source& random_;
  std::uint64_t instance_;
  std::uint64_t epoch_ = 0;  // attempts to open a session, with whomever
  stats counts_;
  std::uint32_t half_open_ = 0;
  message_buffers buffers_;  // before everything that may hold a message
  ring<event> events_;
  body_table bodies_;
  shared_parts shared_;
  std::vector<std::unique_ptr<peer>> peers_;  // by slot
  ring<std::uint32_t> free_slots_;
  address_map addresses_;  // to slots
  address_map blacklist_;
  stateless_replies replies_;
  cookie_cache cookies_;
  std::vector<std::uint32_t> reported_;  // by slot: id last reported active by peer_changes(), or 0
  std::vector<bool> changed_;            // by slot: it may differ by now ...
  ring<std::uint32_t> changes_;          // ... and is in this list
  std::size_t used_ = 0;
  timer_table timers_;
  ring<std::uint32_t> ready_;  // slots with something to send
};

}  // namespace mdp::engine
