// The seam that workloads are written against: submit messages, poll events.
// Implementations: `mdp` (a node of this library) and `raw` (bare datagrams, unreliable: the limit
// of a transport). A messenger belongs to one thread.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mdp/base/endpoint_address.hpp"
#include "mdp/base/ids.hpp"
#include "mdp/base/result.hpp"
#include "mdp/base/time.hpp"
#include "mdp/buffer/slice.hpp"
#include "mdp/transport/transport.hpp"

namespace mdp::messaging {

// Which confirmations the sender asks for (bits).
enum class confirm : std::uint8_t { none = 0, received = 1, delivered = 2, both = 3 };

inline constexpr std::uint8_t default_priority = 4;

// How one message is to be sent. The defaults ask for nothing but reliable delivery.
struct send_options {
  confirm want = confirm::none;
  std::uint64_t context = 0;                 // handed back in the events of this message
  std::uint8_t priority = default_priority;  // class 0 (first) .. 7
  std::uint16_t channel = 0;  // 0: unordered; else delivered in order within this channel
  // May reach the application more than once without harm. It may then go with the first packet to
  // a peer, a round trip earlier, if that peer takes it (zero_rtt) and it is small (1,072 bytes).
  bool idempotent = false;
  duration lifetime{};           // 0: none; not received by then: given up, reported `expired`
  duration received_timeout{};   // 0: none; the same, reported `timed_out_received`
  duration delivered_timeout{};  // 0: none; needs confirm::delivered; `timed_out_delivered`
};

enum class refusal : std::uint8_t {
  queue_full,       // backpressure: poll() or node::wait_writable(), then again
  too_large,        // more than message_bytes_max()
  unknown_peer,     // never known, or forgotten since
  unknown_message,  // no such message, or it is settled already
  too_late,         // to cancel: the peer has the message whole
  bad_option,       // a priority above 7, a negative time, delivered_timeout without `delivered`
  blacklisted,
  not_supported,  // by this implementation
  closed,
};
[[nodiscard]] const char* to_string(refusal r) noexcept;

enum class event_kind : std::uint8_t {
  message,              // a whole message from `peer`: id, payload
  received,             // our message `id`: the peer's stack has every packet of it
  delivered,            // our message `id`: the peer's application took it
  rejected,             // our message `id`: the peer's application refused it
  cancelled,            // our message `id`: by node::cancel(); the peer never had it whole
  expired,              // our message `id`: its lifetime ended; the peer never had it whole
  timed_out_received,   // our message `id`: received_timeout ended; the peer never had it whole
  timed_out_delivered,  // our message `id`: delivered_timeout ended; its fate is not reported
  unknown,              // our message `id`: the session was lost, its fate cannot be known
  peer_up,              // session established
  peer_down,            // session lost or never established; `reason` says why
  peer_moved,           // the peer's address changed and was validated; the session goes on
};
[[nodiscard]] const char* to_string(event_kind k) noexcept;

struct event {
  event_kind kind = event_kind::message;
  bool confirm = false;  // message: its sender asked for `delivered`; see node_options::confirm
  std::uint16_t channel = 0;  // message: its ordered channel, 0: none
  peer_id peer = no_peer;
  message_id id{};               // never repeated within 65,536 sessions with this peer
  std::uint64_t context = 0;     // of our message: as given at submit
  time_point time{};             // message: arrival of its last packet; else when it became known
  buffer::slice payload;         // message only
  const char* reason = nullptr;  // peer_down: static string
};

// Names and values, stable, for results: "packets_sent", "packets_retransmitted", …; a name that an
// implementation cannot know is absent.
using statistics = std::vector<std::pair<std::string, std::uint64_t>>;

class messenger {
 public:
  virtual ~messenger() = default;
  [[nodiscard]] virtual time_point now() noexcept = 0;
  [[nodiscard]] virtual endpoint_address local_address() const noexcept = 0;
  // Largest message that submit() takes.
  [[nodiscard]] virtual std::size_t message_bytes_max() const noexcept = 0;
  // True when messages are retransmitted and confirmations exist.
  [[nodiscard]] virtual bool reliable() const noexcept = 0;
  // Pins the peer and starts a session; messages may be submitted at once. peer_up or peer_down
  // follows.
  [[nodiscard]] virtual result<peer_id, std::string> connect(const endpoint_address& to) = 0;
  // Copies the payload once. `queue_full` is backpressure: poll() and try again.
  [[nodiscard]] virtual result<message_id, refusal> submit(
      peer_id to, std::span<const std::byte> payload, const send_options& options) noexcept = 0;
  // Runs the protocol and the transport, waits until `deadline` at most for something to report (in
  // virtual time it never waits), and fills `out`. A `message` event that asks for it is confirmed
  // as delivered when it is returned here, unless the implementation was told to leave that to the
  // application.
  [[nodiscard]] virtual std::size_t poll(std::span<event> out, time_point deadline) noexcept = 0;
  // No message queued, in flight or awaiting a confirmation.
  [[nodiscard]] virtual bool idle() const noexcept = 0;
  [[nodiscard]] virtual statistics stats() const = 0;
  // Of one peer; empty: no such peer, or the implementation keeps none.
  [[nodiscard]] virtual statistics peer_stats(peer_id) { return {}; }
  [[nodiscard]] virtual transport::counters transport_counts() const = 0;
};

}  // namespace mdp::messaging
