// Messages on their way to one peer. A message is framed once, when it is submitted, into the block
// that will go to the wire: small messages side by side in one *body*, a large one as a chain of
// bodies, one for each fragment. A body is sent, and on loss sent again under a new packet number,
// until it is acknowledged. Who goes first: retransmissions, then the lowest priority class, in it
// the message with the least left, but every few turns the oldest.
// Rules: docs/protocol.md R-MSG-*, R-SCHED-*, R-CONF-*, R-ABN-*. One owner, no threads; allocates
// only to grow.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "event.hpp"
#include "flow_control.hpp"
#include "fragment_scheduler.hpp"
#include "id_map.hpp"
#include "id_queue.hpp"
#include "loss_detector.hpp"
#include "mdp/base/result.hpp"
#include "mdp/base/ring.hpp"
#include "mdp/wire/packet.hpp"
#include "message_content.hpp"
#include "message_history.hpp"
#include "message_timers.hpp"
#include "packet_body.hpp"
#include "stats.hpp"

namespace mdp::engine {

struct send_limits {
  std::uint32_t max_message_bytes;
  std::uint32_t max_messages;
  std::uint32_t body_bytes;          // frames of one packet
  std::uint64_t max_bodies = ~0ull;  // held, beyond which nothing more is begun
  credit body_charge{~0ull, ~0ull};  // most that small messages in one packet may cost together
};

// Told what became of messages.
class message_sink {
 public:
  virtual void on_message_event(event_kind kind, std::uint64_t id, std::uint64_t context) = 0;

 protected:
  ~message_sink() = default;
};

class send_queue {
 public:
  static constexpr std::size_t priorities = 8;
  static constexpr std::uint16_t channel_max = 255;
  static constexpr std::uint32_t oldest_share = 8;  // one turn in so many goes to the oldest
  static constexpr std::size_t share_min = 16;      // blocks that a peer may always hold ...
  static constexpr std::size_t share_factor = 8;    // ... beyond, so many for each free one

  // What must not be forgotten of an empty queue.
  struct remains {
    std::uint64_t next_id = 0;
    credit charged;
    std::uint64_t peer_window = ~std::uint64_t{0};
    id_map<std::uint32_t> channel_next;
    message_history ends;
    [[nodiscard]] message_state state(std::uint64_t id) const noexcept {
      return id < next_id ? ends.find(id) : message_state::never;
    }
  };

  send_queue(body_table& bodies, buffer::block_pool& blocks, const send_limits& limits,
             remains&& past)
      : bodies_(bodies),
        blocks_(blocks),
        limits_(limits),
        base_(past.next_id),
        charged_(past.charged),
        peer_window_(past.peer_window),
        channel_next_(std::move(past.channel_next)),
        ends_(std::move(past.ends)) {}

  // `now` is looked at only if the options hold a time-out.
  [[nodiscard]] result<message_id, refusal> submit(time_point now, const payload_parts& payload,
                                                   const send_options& options);
  // Chooses what goes next: something that `allowed` admits. What was begun can always be
  // completed: it is charged already.
  [[nodiscard]] bool ready(const credit& allowed) noexcept;
  // The last ready() said yes, and nothing was taken since.
  [[nodiscard]] bool chosen() const noexcept { return choice_.body != no_index; }
  // Something was never sent: if ready() said no, credit is short.
  [[nodiscard]] bool waiting() const noexcept { return busy_lanes_ != 0; }
  // The body that ready() chose last; it must have been true.
  [[nodiscard]] std::uint32_t take(stats& s) noexcept;
  // Bytes of frames of the body that take() would return.
  [[nodiscard]] std::uint32_t next_length() noexcept { return bodies_[choice_.body].length; }
  // Makes a body that was taken fit set_body_bytes(): what is too much is sent after it, from
  // `spare` (a block as large as the body's). May have to be called again. False: no body is free.
  [[nodiscard]] bool split(std::uint32_t body, buffer::slice spare);
  // Frames that may go with the HELLO: of a body of idempotent messages that is first in its
  // class. The same at each call until end_early(); from the first on they count as sent, and wait
  // to be sent again in the session. Empty: none. docs/protocol.md R-0RTT-*.
  [[nodiscard]] std::span<const std::byte> early_frames(stats& s) noexcept;
  // Messages are framed for packets that may go early (before a session), or not (in it).
  void begin_early() noexcept { may_go_early_ = true; }
  void end_early() noexcept;
  // A packet with this body was lost, or a probe wants it again.
  void resend(std::uint32_t body) noexcept;
  // A packet with this body was acknowledged.
  void on_acked(std::uint32_t body, message_sink& sink);
  // The peer reported what became of messages first .. first + count - 1, all submitted.
  // How many messages an OUTCOME about these ids makes us look at, of kept_messages() in all.
  [[nodiscard]] std::size_t messages_in(std::uint64_t first, std::uint64_t count) const noexcept;
  [[nodiscard]] std::size_t kept_messages() const noexcept {
    return messages_.size() + waiting_.size();
  }
  void on_outcome(wire::outcome_kind kind, std::uint64_t first, std::uint64_t count,
                  message_sink& sink);
  // One packet less carries this body.
  void drop_reference(std::uint32_t body) noexcept;
  // The session is lost: reports `unknown` for all that is unresolved and lets everything go.
  void lose(message_sink& sink);

  // submit() would have room for a message of `bytes`.
  [[nodiscard]] bool writable(std::size_t bytes) noexcept;

  // The sender no longer wants the message to arrive: R-ABN-1. Refusals: unknown_message (never
  // submitted, or final already), too_late (the peer has it whole).
  [[nodiscard]] result<void, refusal> cancel(std::uint64_t id, message_sink& sink);
  // Runs the time-outs that are due.
  void on_timeouts(time_point now, message_sink& sink);
  [[nodiscard]] time_point next_timeout() const noexcept { return timers_.next(); }
  // ABANDON entries that have not been written since they fell due, or since a loss.
  [[nodiscard]] bool abandons_pending() noexcept {
    while (abandon_next_ < abandoned_.size() && !awaits_closing(abandoned_[abandon_next_]))
      ++abandon_next_;
    return abandon_next_ < abandoned_.size();
  }
  // Writes one ABANDON frame of pending entries; returns its bytes, 0 when nothing fits or is left.
  std::size_t write_abandons(std::span<std::byte> out) noexcept;
  void on_abandons_lost() noexcept { abandon_next_ = 0; }

  [[nodiscard]] message_state state(std::uint64_t id) noexcept;
  // visit(id, state) for each message that is not final, in the order of submission.
  template <class Visit>
  void for_each_unresolved(Visit&& visit) {
    waiting_.visit(0, base_, [&](std::uint64_t id, const message&) {
      visit(id, state(id));
      return true;
    });
    for (std::uint64_t id = base_; id < next_id(); ++id)
      if ((find(id)->flags & (flag_done | flag_reported)) == 0) visit(id, state(id));
  }
  // No message waits, is in flight or awaits a confirmation.
  // Ids that the peer has yet to close, of messages whose end was reported, do not count.
  [[nodiscard]] bool idle() const noexcept { return unresolved_ == 0; }
  // Lets go of what still waits of messages that have ended; only when idle().
  void drop_ended() noexcept;
  // Nothing is left but what remains().
  [[nodiscard]] bool empty() const noexcept {
    return messages_.empty() && waiting_.empty() && retransmit_.empty() && busy_lanes_ == 0 &&
           held_ == 0;
  }
  // Of an empty queue, which is of no further use.
  [[nodiscard]] remains take_remains() noexcept {
    return {base_, charged_, peer_window_, std::move(channel_next_), std::move(ends_)};
  }
  [[nodiscard]] std::uint64_t next_id() const noexcept { return base_ + messages_.size(); }
  void set_body_bytes(std::uint32_t bytes) noexcept { limits_.body_bytes = bytes; }
  // What the peer, at the least, allows at one time: no packet costs more.
  void set_body_charge(const credit& most) noexcept { limits_.body_charge = most; }
  // The peer never admits more than this in one message: larger ones are refused from now on, and
  // those that wait already end as rejected.
  void set_peer_window(std::uint64_t bytes, message_sink& sink);

 private:
  enum flag : std::uint16_t {
    wants_bits = 3,
    flag_received = 4,
    flag_done = 8,
    flag_delayed = 16,
    flag_sent = 32,
    flag_abandoned = 64,  // the peer is asked to close it unread
    flag_reported = 128,  // abandoned before anything of it was sent: its end is told already
    cause_shift = 8,      // event_kind of the abandonment in the upper byte
  };
  struct message {
    std::uint64_t context = 0;
    std::uint32_t bodies_left = 0;
    std::uint32_t bytes = 0;  // content: the payload and, with a channel, its head
    std::uint32_t sequence = 0;
    std::uint16_t channel = 0;
    std::uint16_t flags = 0;
  };
  // What waits in one priority class.
  struct lane {
    ring<std::uint32_t> small;      // bodies of whole messages, never sent, complete
    std::uint32_t open = no_index;  // never sent, may take more small messages
    fragment_scheduler fresh;       // messages in fragments, nothing of which was sent
    fragment_scheduler begun;       // ... something of which was
    std::uint32_t turns = 0;
    [[nodiscard]] bool empty() const noexcept {
      return small.empty() && open == no_index && fresh.empty() && begun.empty();
    }
  };
  struct choice {
    enum class source : std::uint8_t { none, retransmission, small, fresh, begun };
    source from = source::none;
    fragment_scheduler::order by = fragment_scheduler::order::shortest;
    std::uint8_t priority = 0;
    std::uint32_t body = no_index;
  };
  [[nodiscard]] message* find(std::uint64_t id) noexcept {
    if (id >= base_)
      return id < next_id() ? &messages_[static_cast<std::size_t>(id - base_)] : nullptr;
    return waiting_.find(id);
  }
  using content = message_content;
  [[nodiscard]] bool make_room() noexcept;
  [[nodiscard]] lane& lane_of(std::uint8_t priority) {
    if (!lanes_) lanes_ = std::make_unique<std::array<std::unique_ptr<lane>, priorities>>();
    std::unique_ptr<lane>& l = (*lanes_)[priority];
    if (!l) l = std::make_unique<lane>();
    return *l;
  }
  [[nodiscard]] static bool well_formed(const send_options& o) noexcept;
  [[nodiscard]] std::uint32_t& next_sequence(std::uint16_t channel);
  void start_timers(time_point now, std::uint64_t id, const send_options& options);
  // The open body takes one more frame of `size` bytes.
  [[nodiscard]] bool takes(const packet_body& open, const content& what, std::size_t size) noexcept;
  void take_early(stats& s) noexcept;
  [[nodiscard]] bool append_small(lane& to, content& what);
  [[nodiscard]] bool append_fragments(lane& to, content& what);
  // Its packet refers to the payload, if that is held, instead of holding it.
  [[nodiscard]] bool shares_no_packet(const content& what) const noexcept;
  // The pool, shared with the other peers, has so many blocks for this one.
  [[nodiscard]] bool may_hold(std::size_t more) const noexcept;
  [[nodiscard]] std::uint32_t new_body() noexcept;
  [[nodiscard]] std::uint32_t init_body(buffer::slice block) noexcept;
  [[nodiscard]] static std::size_t fragment_data_bytes(std::uint32_t body_bytes) noexcept {
    return (body_bytes - wire::fragment_head_bytes) / wire::fragment_unit_bytes *
           wire::fragment_unit_bytes;
  }
  static void close_open(lane& l) noexcept;
  void forget_done() noexcept;
  void on_message_acked(std::uint64_t id, message_sink& sink);

  [[nodiscard]] static fragment_scheduler::order order_of(const lane& l) noexcept;
  [[nodiscard]] choice choose(const credit& allowed) noexcept;
  [[nodiscard]] choice choose_in(std::uint8_t priority) noexcept;
  void pop(const choice& c) noexcept;
  void note_lane(std::uint8_t priority) noexcept;
  void count_first_transmission(const packet_body& body, stats& s) noexcept;
  void count_retransmission(packet_body& body, stats& s) noexcept;

  void abandon(std::uint64_t id, message& m, event_kind cause, message_sink& sink);
  [[nodiscard]] bool awaits_closing(std::uint64_t id) noexcept {
    const message* m = find(id);
    return m && (m->flags & (flag_done | flag_abandoned)) == flag_abandoned;
  }
  void sweep_abandoned() noexcept;
  void on_timeout(const message_timers::timer& due, message_sink& sink);
  [[nodiscard]] bool is_dead(std::uint64_t id) noexcept;
  [[nodiscard]] bool body_is_dead(std::uint32_t index) noexcept;
  void blank_dead_messages(packet_body& body) noexcept;
  void drop_dead_heads() noexcept;
  void drop_dead_heads(lane& l) noexcept;
  void drop_dead_heads(fragment_scheduler& large, fragment_scheduler::order by) noexcept;
  void drop_chain(std::uint32_t first) noexcept;
  void finish(std::uint64_t id, message& m, event_kind how) noexcept;
  void resolve(wire::outcome_kind kind, std::uint64_t id, message& m, message_sink& sink);
  void on_closed_unread(std::uint64_t id, message& m, message_sink& sink);
  void on_came_too_late(std::uint64_t id, message& m, message_sink& sink);

  body_table& bodies_;
  buffer::block_pool& blocks_;
  send_limits limits_;
  std::size_t held_ = 0;    // bodies of this peer
  ring<message> messages_;  // ids base_ ..
  std::uint64_t base_ = 0;
  id_queue<message> waiting_;  // received, still unconfirmed, below base_
  ring<std::uint32_t> retransmit_;
  std::unique_ptr<std::array<std::unique_ptr<lane>, priorities>> lanes_;  // made as they are used
  std::uint32_t busy_lanes_ = 0;   // bit p: class p has something that was never sent
  std::uint32_t begun_lanes_ = 0;  // bit p: ... of a message that was begun
  choice choice_;                  // by the last ready()
  credit charged_;                 // of all that was sent
  std::uint64_t peer_window_ = ~std::uint64_t{0};
  message_timers timers_;
  std::vector<std::uint64_t> abandoned_;  // ids whose ABANDON the peer has not answered, and some
                                          // that are final meanwhile
  std::size_t abandon_next_ = 0;          // first that is to be written
  std::size_t abandoned_left_ = 0;
  std::size_t unresolved_ = 0;  // messages whose end was neither reached nor reported
  bool dead_queued_ = false;    // something that waits may be dead
  bool may_go_early_ = false;
  std::uint32_t early_ = no_index;  // the body that goes with the HELLO
  id_map<std::uint32_t> channel_next_;
  message_history ends_;
};

}  // namespace mdp::engine
