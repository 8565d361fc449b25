// What became of each packet that one node of a simulation sent to another: sent, lost,
// retransmitted, confirmed, and how full the queues were that it met. For people to look at: the
// lists are bounded, the totals are not.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mdp/transport/packet_observer.hpp"

namespace mdp::trace {

struct timeline_options {
  std::string node;                      // whose packets: as simulations name it, "client-0"
  std::int64_t from_ns = 0;              // virtual time from which on packets are listed
  std::size_t packets_max = 0;           // listed so many; the rest is only counted
  std::int64_t interval_ns = 1'000'000;  // of the queues' series
  std::size_t intervals_max = 4096;
};

struct traced_packet {
  std::uint64_t number = 0;  // MDP's packet number; of other protocols the link's
  std::int64_t sent_ns = 0;
  std::int64_t harmed_ns = -1;     // when a link dropped or damaged it
  std::int64_t confirmed_ns = -1;  // when an acknowledgement of it arrived
  std::uint32_t bytes = 0;         // of the datagram
  transport::packet_fate fate = transport::packet_fate::sent;  // harmed: what happened
  bool retransmission = false;  // has content of messages that a packet before it had
};

struct timeline_totals {
  std::uint64_t sent = 0, retransmissions = 0, dropped = 0, damaged = 0, confirmed = 0;
};

// Packets in a link's queue, the one in service included: the most that a packet which came found,
// itself included, in each interval; -1: none came.
struct queue_series {
  std::string link;
  std::vector<std::int64_t> most;
};

// Watches the packets of `node` to the node that it sends to first. Reads MDP's frames
// (docs/protocol.md, section 4). One thread: the simulation's.
class packet_timeline final : public transport::packet_observer {
 public:
  explicit packet_timeline(timeline_options options);

  void on_place(std::uint32_t place, std::string_view name) noexcept override;
  void on_packet(const transport::packet_event& event, std::span<const std::byte> first,
                 std::span<const buffer::slice> rest) noexcept override;

  // In the order in which they were sent.
  [[nodiscard]] const std::vector<traced_packet>& packets() const noexcept { return packets_; }
  [[nodiscard]] const timeline_totals& totals() const noexcept { return totals_; }
  [[nodiscard]] std::vector<queue_series> queues() const;
  // Node that the packets go to; empty: none arrived.
  [[nodiscard]] const std::string& to() const noexcept { return to_name_; }

 private:
  using content = std::pair<std::uint32_t, std::uint32_t>;  // low half of message id, offset
  struct outstanding {
    std::size_t at;  // in packets_; `nowhere`: not listed
    std::vector<content> holds;
  };
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
  static constexpr std::uint32_t nobody = static_cast<std::uint32_t>(-1);
  enum class place_kind : std::uint8_t { link, first_link, node };
  struct place {
    std::string name;
    place_kind kind = place_kind::link;
    std::vector<std::int64_t> most;
  };

  void on_sent(const transport::packet_event& event, std::span<const std::byte> packet);
  void on_harm(const transport::packet_event& event, std::span<const std::byte> packet);
  void on_answer(const transport::packet_event& event, std::span<const std::byte> packet);
  void confirm(std::uint64_t first, std::uint64_t last, std::int64_t now_ns);
  void note_queue(place& at, const transport::packet_event& event);
  [[nodiscard]] std::span<const std::byte> flat(std::span<const std::byte> first,
                                                std::span<const buffer::slice> rest);

  timeline_options options_;
  std::map<std::uint32_t, place> places_;
  std::uint32_t node_ = nobody, to_ = nobody;
  std::string to_name_;
  std::vector<traced_packet> packets_;
  timeline_totals totals_;
  std::uint32_t connection_ = 0;  // of the session whose packets are outstanding
  std::map<std::uint64_t, outstanding> outstanding_;
  std::set<content> seen_;  // sent and not confirmed
  std::vector<std::byte> joined_;
};

}  // namespace mdp::trace
