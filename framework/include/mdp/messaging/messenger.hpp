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

struct send_options {
  confirm want = confirm::none;
  std::uint64_t context = 0;  // handed back in the events of this message
};

enum class refusal : std::uint8_t { queue_full, too_large, unknown_peer, not_supported, closed };
[[nodiscard]] const char* to_string(refusal r) noexcept;

enum class event_kind : std::uint8_t {
  message,    // a whole message from `peer`: id, payload
  received,   // our message `id`: the peer's stack has every packet of it
  delivered,  // our message `id`: the peer's application took it
  unknown,    // our message `id`: the session was lost, its fate cannot be known
  peer_up,    // session established
  peer_down,  // session lost or never established; `reason` says why
};

struct event {
  event_kind kind = event_kind::message;
  peer_id peer = no_peer;
  message_id id{};
  std::uint64_t context = 0;     // received, delivered, unknown: as given at submit
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
  // virtual time it never waits), and fills `out`. A `message` event is confirmed as delivered when
  // it is returned here.
  [[nodiscard]] virtual std::size_t poll(std::span<event> out, time_point deadline) noexcept = 0;
  // No message queued, in flight or awaiting a confirmation.
  [[nodiscard]] virtual bool idle() const noexcept = 0;
  [[nodiscard]] virtual statistics stats() const = 0;
  [[nodiscard]] virtual transport::counters transport_counts() const = 0;
};

}  // namespace mdp::messaging
