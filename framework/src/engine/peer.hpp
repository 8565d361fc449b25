// One peer: its session, and the parts that serve it wired together. Owned and driven by
// `endpoint`. Sessions and timers are in peer.cpp; the sections below name the sources of the rest.
#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "config.hpp"
#include "event.hpp"
#include "flow.hpp"
#include "flow_control.hpp"
#include "handshake_state.hpp"
#include "mdp/base/endpoint_address.hpp"
#include "mdp/base/random.hpp"
#include "mdp/buffer/datagram.hpp"
#include "path_mtu.hpp"
#include "path_validator.hpp"
#include "peer_info.hpp"
#include "rtt_estimator.hpp"
#include "stats.hpp"
#include "train_builder.hpp"

namespace mdp::engine {

class peer final : private message_sink {
 public:
  peer(const shared_parts& shared, std::uint32_t id);

  // Set-up, by the endpoint.
  void open(time_point now, const endpoint_address& address, bool pinned) noexcept;
  void begin_connecting() noexcept;
  void close() noexcept;  // the slot is free; the next open() has another id
  void begin_session(time_point now, peer_state state, std::uint64_t our_nonce,
                     const wire::hello& theirs) noexcept;
  // The session is gone, or never came about: everything unresolved is reported `unknown`, and
  // peer_down, if anybody was told or waits to be told of the peer.
  void lose_session(time_point now, const char* reason) noexcept;

  // A data packet of the session in force whose CRC matches. False: it changed nothing (counted).
  bool handle_packet(time_point now, const endpoint_address& from,
                     const wire::packet_header& header, const buffer::slice& packet,
                     bool marked) noexcept;
  // The messages that came with the HELLO of the session in force; R-0RTT-*. False: none of them
  // was taken (counted).
  bool take_early(time_point now, const buffer::slice& hello) noexcept;
  // What goes with our HELLO.
  [[nodiscard]] std::span<const std::byte> early_frames() noexcept {
    return flow_ ? flow_->queue.early_frames(shared_.counts) : std::span<const std::byte>();
  }
  // The first packet of the session proved that both sides know it.
  void on_confirmed() noexcept {
    enter(peer_state::established);
    shake.give_up = never;
  }

  [[nodiscard]] result<message_id, refusal> submit(time_point now, const payload_parts& payload,
                                                   const send_options& options) {
    now_ = now;
    return wake().queue.submit(now, payload, options);
  }
  [[nodiscard]] result<void, refusal> cancel(time_point now, message_id id) {
    now_ = now;
    return wake().queue.cancel(id.value, *this);
  }
  [[nodiscard]] bool writable(std::size_t bytes) noexcept { return wake().queue.writable(bytes); }
  [[nodiscard]] message_state state(std::uint64_t id) noexcept {
    return flow_ ? flow_->queue.state(id) : remains_.queue.state(id);
  }
  [[nodiscard]] time_point next_timeout() const noexcept {
    return flow_ ? flow_->queue.next_timeout() : never;
  }
  // visit(id, state) for each message that is not final, oldest first.
  template <class Visit>
  void for_each_unresolved(Visit&& visit) {
    if (flow_) flow_->queue.for_each_unresolved(visit);
  }
  void confirm(std::uint64_t id, wire::outcome_kind kind) { wake().outcomes.add(id, kind); }
  // The application took a message of this many bytes. True: the peer is to be told of the room.
  bool on_released(std::uint64_t bytes) noexcept;

  [[nodiscard]] bool wants_transmit() noexcept;
  // Appends packets while window, credit and batch allow. True: the batch is full, more waits.
  bool transmit(time_point now, buffer::tx_batch& batch) noexcept;
  [[nodiscard]] time_point next_deadline() const noexcept;
  // Runs what is due. False: the peer has been silent for too long.
  [[nodiscard]] bool handle_deadline(time_point now) noexcept;

  [[nodiscard]] std::uint32_t id() const noexcept { return id_; }
  // Counts the sessions that were lost; wraps. Message ids belong to one session.
  [[nodiscard]] std::uint16_t session() const noexcept { return session_; }
  [[nodiscard]] std::uint32_t crc_seed() const noexcept { return crc_seed_; }
  [[nodiscard]] peer_state state() const noexcept { return state_; }
  [[nodiscard]] const endpoint_address& address() const noexcept { return address_; }
  // Heard from within peer_timeout, and the application knows it.
  [[nodiscard]] bool active() const noexcept {
    return announced && state_ == peer_state::established;
  }
  // Silence does not make it go: pinned, or something waits for it or for its confirmation.
  [[nodiscard]] bool kept() const noexcept { return pinned || (flow_ && !flow_->queue.idle()); }
  [[nodiscard]] bool silent(time_point now) const noexcept {
    return last_received_ + shared_.settings.peer_timeout <= now;
  }
  // Nothing valid has come for heartbeat_after.
  [[nodiscard]] bool quiet(time_point now) const noexcept {
    return last_received_ + shared_.settings.heartbeat_after <= now;
  }
  // The application is told that the peer is gone or unreachable.
  void report_down(time_point now, const char* reason) noexcept;
  [[nodiscard]] std::uint64_t tag() const noexcept {
    return wire::session_tag(shake.our_nonce, shake.theirs.nonce);
  }
  // A RESET or UNKNOWN about `connection` and `number` may be about a packet that we sent.
  [[nodiscard]] bool may_have_sent(std::uint32_t connection, std::uint64_t number) const noexcept {
    return state_ == peer_state::established && connection == remote_connection_ &&
           number < next_number();
  }
  [[nodiscard]] peer_info info() const noexcept;
  [[nodiscard]] peer_counts counts() const noexcept;
  // The address that was validated since the last call, if any; `none` otherwise.
  [[nodiscard]] endpoint_address take_validated() noexcept;
  // The peer is at this address now.
  void move_to(const endpoint_address& address) noexcept;
  [[nodiscard]] bool idle() const noexcept { return !flow_ || flow_->idle(); }
  void set_congestion(congestion_kind kind) noexcept;
  // What it has while data flows; nullptr: it is at rest.
  [[nodiscard]] const flow* flowing() const noexcept { return flow_.get(); }
  // Bytes of the largest packet that is sent now.
  [[nodiscard]] std::uint32_t packet_bytes() const noexcept { return packet_bytes_; }
  [[nodiscard]] const rtt_estimator& rtt() const noexcept { return rtt_; }

  // Kept here for the endpoint's handshake.
  handshake shake;
  bool pinned = false;
  bool announced = false;  // peer_up was reported, and no peer_down since
  bool was_up = false;     // at any time
  bool in_ready_list = false;

 private:
  void reset_session() noexcept;
  void enter(peer_state state) noexcept;
  void forget_flight(time_point now) noexcept;
  // From rest to work, and back (peer_rest.cpp).
  flow& wake();
  void rest(time_point now) noexcept;
  [[nodiscard]] time_point rest_time() const noexcept;
  [[nodiscard]] congestion::regulator new_regulator() const;
  void set_peer_window(std::uint64_t bytes) noexcept;
  [[nodiscard]] credit body_charge() const noexcept;
  [[nodiscard]] std::uint64_t next_number() const noexcept {
    return flow_ ? flow_->sent.next_number() : remains_.next_number;
  }
  [[nodiscard]] bool sends_messages() const noexcept {
    return (flow_ ? flow_->queue.next_id() : remains_.queue.next_id) > 0;
  }
  void frame_for_anyone() noexcept;
  void on_message_event(event_kind kind, std::uint64_t id, std::uint64_t context) noexcept override;

  // Admitting a packet (peer_admit.cpp).
  // Every frame may be applied, and there is room for all they bring. False: one may not, and
  // nothing changed (counted).
  [[nodiscard]] bool admit(std::span<const std::byte> frames) noexcept;
  // What the frames of a packet looked at so far come to.
  struct claims {
    credit reserved;        // will be charged
    std::size_t named = 0;  // messages that OUTCOMEs make us look at
  };
  [[nodiscard]] bool admit_frame(const wire::frame_view& frame, claims& all) noexcept;
  [[nodiscard]] bool admit_whole(const wire::frame_view& frame, credit& reserved) noexcept;
  [[nodiscard]] bool admit_message(std::uint64_t id, std::uint64_t bytes,
                                   credit& reserved) noexcept;
  [[nodiscard]] bool admit_fragment(const wire::frame_view& frame, credit& reserved) noexcept;
  [[nodiscard]] bool admit_abandons(const wire::frame_view& frame, credit& reserved) noexcept;
  [[nodiscard]] bool admit_ack(const wire::frame_view& frame) noexcept;
  [[nodiscard]] bool admit_outcome(const wire::frame_view& frame, std::size_t& named) noexcept;
  // Lets go of what these frames reserved.
  void unreserve(std::span<const std::byte> frames) noexcept;

  // Receiving one (peer_receive.cpp).
  // Acts on every frame; true when one of them asks for an acknowledgement.
  bool apply(time_point now, const endpoint_address& from, const buffer::slice& packet) noexcept;
  void on_ack(time_point now, const wire::frame_view& frame) noexcept;
  void on_congestion_marks(time_point now, std::uint32_t reported, time_point newest,
                           std::uint64_t in_flight) noexcept;
  // Our packets say that the network may mark instead of drop (RFC 3168). Three probe time-outs in
  // a row turn it off until the session ends: some networks drop what says so.
  [[nodiscard]] bool marks_packets() const noexcept {
    return shared_.settings.ecn && !ecn_failed_ && congestion_ != congestion_kind::fixed;
  }
  void on_outcome(const wire::frame_view& frame) noexcept;
  void on_message(time_point now, const wire::frame_view& frame,
                  const buffer::slice& packet) noexcept;
  void on_fragment(time_point now, const wire::frame_view& frame) noexcept;
  void on_credit(const wire::frame_view& frame) noexcept;
  void on_abandons(const wire::frame_view& frame) noexcept;
  void on_complete(time_point now, std::uint64_t id, std::uint8_t frame_flags,
                   buffer::slice content) noexcept;
  void deliver(event&& e) noexcept;
  void describe(event& e, time_point now, std::uint64_t id,
                std::uint8_t frame_flags) const noexcept;
  void raise_credit(bool force = false) noexcept;
  [[nodiscard]] buffer::slice payload_of(const wire::frame_view& frame,
                                         const buffer::slice& packet) noexcept;
  void on_lost(time_point now, sent_packet& packet) noexcept;
  void detect_losses(time_point now) noexcept;

  // Where the peer is (peer_path.cpp).
  void note_source(const endpoint_address& from, const wire::packet_header& header) noexcept;
  void on_path_challenge(const endpoint_address& from, const wire::frame_view& frame) noexcept;
  void on_path_response(const wire::frame_view& frame) noexcept;
  [[nodiscard]] bool path_due() const noexcept;
  [[nodiscard]] bool send_path_frames(time_point now, buffer::tx_batch& batch) noexcept;
  [[nodiscard]] bool send_path_frame(time_point now, buffer::tx_batch& batch, wire::frame_type type,
                                     const endpoint_address& to, std::uint64_t data) noexcept;

  // Messages that stay incomplete (peer_stalls.cpp).
  void watch_stalls(time_point now) noexcept;
  void check_stalls(time_point now) noexcept;
  [[nodiscard]] std::size_t write_nack(time_point now, std::span<std::byte> out) noexcept;
  void on_nack(time_point now, const wire::frame_view& frame) noexcept;

  // Sending (peer_send.cpp).
  [[nodiscard]] bool window_open() const noexcept;
  [[nodiscard]] bool work_due(bool body_ready) noexcept;
  [[nodiscard]] bool control_due() noexcept;
  [[nodiscard]] bool control_fits(std::size_t body_bytes) noexcept;
  bool send_control(time_point now, train_builder& train) noexcept;
  bool send_body(time_point now, train_builder& train) noexcept;
  [[nodiscard]] std::size_t write_control(time_point now, std::span<std::byte> out,
                                          sent_packet& record) noexcept;
  // The packet of `bytes` with this body, whose payload is held and whose own bytes are in `block`.
  [[nodiscard]] static packet_pieces pieces_of(const packet_body& body, const buffer::slice& block,
                                               std::uint32_t bytes) noexcept;
  void seal(const packet_pieces& packet, const wire::packet_header& header) const noexcept;
  void finish_packet(time_point now, packet_pieces packet, std::uint8_t flags, sent_packet& record,
                     train_builder& train) noexcept;
  [[nodiscard]] buffer::slice sendable(packet_body& body) noexcept;
  [[nodiscard]] duration ack_delay() const noexcept;
  [[nodiscard]] duration loss_delay() const noexcept;
  [[nodiscard]] bool needs_pruning() const noexcept;
  [[nodiscard]] bool heartbeats() const noexcept;
  [[nodiscard]] bool may_send_body(time_point now) noexcept;
  void note_app_limited() noexcept;
  [[nodiscard]] bool asks_for_ack() noexcept;

  // Path MTU discovery (peer_mtu.cpp).
  [[nodiscard]] static std::uint32_t body_bytes_of(std::uint32_t packet_bytes) noexcept {
    return (packet_bytes - static_cast<std::uint32_t>(wire::header_bytes)) / 8 * 8;
  }
  void start_path_mtu() noexcept;
  void follow_path_mtu() noexcept;
  [[nodiscard]] std::uint32_t mtu_probe_due() const noexcept;
  bool send_mtu_probe(time_point now, train_builder& train) noexcept;
  void on_mtu_probe_acked(time_point now, const sent_packet& packet) noexcept;
  void end_mtu_round(time_point now) noexcept;
  [[nodiscard]] bool cut_to_path_mtu(std::uint32_t body) noexcept;

  [[nodiscard]] time_point flow_deadline() const noexcept;
  void handle_flow_deadline(time_point now) noexcept;
  void probe(time_point now) noexcept;

  const shared_parts& shared_;
  std::uint32_t id_;
  peer_state state_ = peer_state::free;
  std::uint16_t session_ = 0;
  endpoint_address address_;
  std::uint32_t remote_connection_ = 0;
  std::uint32_t crc_seed_ = 0;
  std::uint32_t packet_bytes_ = 0;
  peer_totals counts_;

  path_mtu mtu_;
  rtt_estimator rtt_;
  congestion_kind congestion_;
  std::unique_ptr<flow> flow_;  // nullptr: at rest, with ...
  flow::remains remains_;       // ... this left of the last
  receive_credit credit_;
  credit allowed_;                    // by the peer
  std::uint32_t marks_reported_ = 0;  // congestion marks that the peer has counted
  bool ecn_failed_ = false;
  bool credit_due_ = false;  // our limits rose
  bool ping_due_ = false;
  bool asked_for_credit_ = false;         // a PING told the peer that we are blocked
  bool peer_blocked_ = false;             // the peer's PING has not been answered with credit yet
  time_point now_{};                      // of the call that runs
  time_point resume_ = never;             // what could not be sent is tried again then
  std::uint64_t newest_ = 0;              // one more than the highest packet number that came
  std::unique_ptr<path_validator> path_;  // made when an address changes for the first time
  time_point last_received_{};
  time_point last_heartbeat_{};
};

}  // namespace mdp::engine
