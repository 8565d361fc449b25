// Who watches the packets of a simulated network: recorders, comparers, exporters.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "mdp/buffer/slice.hpp"

namespace mdp::transport {

// What happened. Values are written to event logs: they never change their meaning.
enum class packet_fate : std::uint8_t {
  sent = 1,        // a link accepted the packet
  lost = 2,        // a link's random or planned loss
  queue_full = 3,  // the link's queue had no room
  too_large = 4,   // above the link's MTU
  no_carrier = 5,  // the link was down
  closed = 6,      // its sender or its receiver had closed
  duplicated = 7,  // a link accepted a copy of the packet that it accepted just before
  damaged = 8,     // the packet that the link accepted just before will be handed over damaged
  delivered = 9,   // the packet reached its node
  wake_up = 10,    // no packet: the node's own deadline came
  held = 11,       // the packet that the link accepted just before was held back by so much
};

// "sent", "lost", ...; "unknown" for a value that is none.
[[nodiscard]] constexpr const char* to_string(packet_fate fate) noexcept {
  constexpr const char* names[] = {"unknown",   "sent",       "lost",    "queue_full",
                                   "too_large", "no_carrier", "closed",  "duplicated",
                                   "damaged",   "delivered",  "wake_up", "held"};
  const auto i = static_cast<std::size_t>(fate);
  return i < std::size(names) ? names[i] : names[0];
}

struct packet_event {
  std::int64_t time_ns = 0;  // of the event, virtual
  // sent, duplicated: when it comes out of the link; held: time_ns and by how much; else time_ns
  std::int64_t arrive_ns = 0;
  std::uint64_t number = 0;  // on that link, from 0; delivered: on the link it was last on
  std::uint64_t chain = 0;   // fingerprint of all events of this place so far, this one included
  std::uint32_t place = 0;   // the link or node, as announced by on_place()
  std::uint32_t from = 0;    // nodes, numbered in order of fabric::open()
  std::uint32_t to = 0;
  std::uint32_t bytes = 0;   // of the datagram
  std::uint32_t queued = 0;  // packets in that link's queue or being serialised, this one included
  packet_fate fate = packet_fate::sent;
};

// Called on the thread that drives the fabric, in the order of events, which is the same in every
// run of the same seed. Must not use the fabric; errors are kept for later, nothing is thrown.
class packet_observer {
 public:
  virtual ~packet_observer() = default;
  // Before the first event there: `name` is "<node>/up", "<node>/down", "<router>-><router>", or a
  // node's.
  virtual void on_place(std::uint32_t place, std::string_view name) noexcept = 0;
  // The datagram is `first`, then `rest`; both empty for wake_up and for packets of nodes that
  // closed. Valid during the call only.
  virtual void on_packet(const packet_event& event, std::span<const std::byte> first,
                         std::span<const buffer::slice> rest) noexcept = 0;
};

}  // namespace mdp::transport
