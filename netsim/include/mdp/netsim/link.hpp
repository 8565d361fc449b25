// One direction of a wire: rate, delay, jitter, loss, a queue, an MTU, and its models.
//
// A packet offered at time t gets the link's next number; its fate is a function of that number. In
// order: carrier, MTU, loss, queue limit; then it waits its turn, is serialised, travels `delay`
// plus the jitter, and is held back if so drawn. Random loss takes no room in the queue and no time
// on the wire (as netem). A queue of the kind CoDel decides when a packet leaves it: such a packet
// waits until settle() says what became of it. One owner, one thread; knows packets by their index
// in the slab. Integers only.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "mdp/netsim/bit_clock.hpp"
#include "mdp/netsim/codel.hpp"
#include "mdp/netsim/digest.hpp"
#include "mdp/netsim/link_models.hpp"
#include "mdp/netsim/link_spec.hpp"
#include "mdp/netsim/packet.hpp"
#include "mdp/netsim/philox.hpp"
#include "mdp/netsim/red.hpp"

namespace mdp::netsim {

struct link_counts {
  std::uint64_t offered = 0;
  std::uint64_t lost = 0;
  std::uint64_t queue_full = 0;
  std::uint64_t too_large = 0;
  std::uint64_t no_carrier = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t marked = 0;  // ECT became CE
};

inline constexpr std::int64_t no_event = INT64_MAX;

class link {
 public:
  // How many dropped packet numbers a link remembers.
  static constexpr std::size_t dropped_listed_max = 1000;

  // `spec` and `script` must outlive the link. Without a script every fate is drawn.
  link(const link_spec& spec, std::uint64_t seed, std::string_view name,
       const fate_script* script = nullptr);

  // Decides the fate of the next packet. When it passes, `p` gets number, depart and arrive and the
  // caller must insert() it; else its number went into dropped(). `parted`: there is no way to its
  // receiver, as if the carrier were down for this packet.
  [[nodiscard]] verdict offer(std::int64_t now, packet& p, packet_slab& slab, bool parted = false);
  // Whether the packet offered last is to be offered once more, as a copy of its own.
  [[nodiscard]] bool duplicates() const noexcept { return models_ != nullptr && copy_due_; }
  // Offers that copy, which has the packet's number: only the queue can refuse it.
  [[nodiscard]] verdict offer_copy(std::int64_t now, packet& p, packet_slab& slab);
  void insert(packet_slab& slab, std::uint32_t index);
  // The packet offered last, at `now`, was told to wait.
  void enqueue(std::int64_t now, packet_slab& slab, std::uint32_t index);
  struct outcome {
    std::uint32_t index = no_packet;
    verdict what = verdict::pass;
  };
  // What became of packets that waited, up to `now`, in order: those that pass are to be inserted,
  // the others are dropped. Valid until the next call. Call it after enqueue() and take().
  [[nodiscard]] std::span<const outcome> settle(std::int64_t now, packet_slab& slab);
  [[nodiscard]] bool manages() const noexcept { return managed_ != nullptr; }
  // When the next packet comes out, or no_event.
  [[nodiscard]] std::int64_t next_arrival(const packet_slab& slab) const noexcept {
    if (overtakes_) return early_ ? early_arrival() : no_event;
    return head_ == no_packet ? no_event : slab[head_].arrive;
  }
  // Removes the packet that next_arrival() announced.
  [[nodiscard]] std::uint32_t take(packet_slab& slab) noexcept;

  // As its changes up to the last packet left it.
  [[nodiscard]] const link_spec& spec() const noexcept { return *spec_; }
  [[nodiscard]] link_counts counts() const noexcept;
  // By how much the packet offered last was held back.
  [[nodiscard]] std::int64_t held_ns() const noexcept { return held_ns_; }
  // Packets that came so far: the number of the next.
  [[nodiscard]] std::uint64_t offered() const noexcept { return offered_; }
  // Fates of the script whose packet has come.
  [[nodiscard]] std::size_t fates_met() const noexcept {
    return models_ == nullptr ? 0 : models_->fates_met();
  }
  // Numbers of the first dropped packets, whatever the reason.
  [[nodiscard]] const std::vector<std::uint64_t>& dropped() const noexcept;
  [[nodiscard]] const event_chain& chain() const noexcept { return chain_; }
  // Packets waiting or being serialised at `now`.
  [[nodiscard]] std::uint32_t queued(std::int64_t now, const packet_slab& slab) noexcept;

 private:
  struct early {
    std::int64_t arrive = 0;
    std::uint64_t number = 0;
    std::uint32_t index = 0;
  };
  // A queue that decides when packets leave.
  struct managed {
    managed_queue waiting;
    std::int64_t wire_free = 0;  // the last bit of whatever left it is gone
    std::vector<std::uint32_t> dropped{};
    std::vector<outcome> settled{};
  };
  // What few links need.
  struct drops {
    link_counts counts;
    std::vector<std::uint64_t> numbers;
  };
  [[nodiscard]] std::int64_t early_arrival() const noexcept;
  [[nodiscard]] bool queue_full(std::uint32_t bytes) const noexcept;
  // How a packet that passes gets to the other end.
  struct travel {
    std::int64_t jitter_ns;
    std::int64_t hold_ns;
    bool early;  // without delay and jitter
  };
  [[nodiscard]] verdict accept(std::int64_t now, packet& p, packet_slab& slab, std::uint64_t number,
                               const travel& t);
  void mark(packet& p);
  [[nodiscard]] bool admits(std::int64_t now, packet& p, std::uint64_t number);
  void note_drop(std::int64_t now, std::uint64_t number, std::uint32_t bytes, verdict v);
  [[nodiscard]] link_counts& rare_counts();
  [[nodiscard]] verdict drop(std::int64_t now, std::uint64_t number, std::uint32_t bytes,
                             verdict v);
  [[nodiscard]] std::int64_t serialise(std::int64_t now, std::uint32_t bytes) noexcept;
  void forget_departed(std::int64_t now, const packet_slab& slab) noexcept;

  const link_spec* spec_;
  philox_key key_;
  event_chain chain_;
  std::uint64_t offered_ = 0;
  bit_clock wire_;
  std::int64_t last_arrival_ = 0;
  std::uint32_t head_ = no_packet;  // in flight, in order of arrival; not used when reordering
  std::uint32_t tail_ = no_packet;
  std::uint32_t queue_head_ = no_packet;  // first that has not departed
  std::uint32_t queue_packets_ = 0;
  std::uint64_t queue_bytes_ = 0;
  std::unique_ptr<std::vector<early>> early_;  // heap of what is in flight, when reordering
  std::unique_ptr<drops> drops_;
  std::unique_ptr<model_process> models_;  // null: none
  std::unique_ptr<managed> managed_;       // null: DropTail or RED
  std::unique_ptr<red_process> red_;
  philox_key queue_key_{};
  std::uint64_t copy_draw_ = 0;
  std::int64_t held_ns_ = 0;
  bool copy_due_ = false;
  bool overtakes_ = false;
};

}  // namespace mdp::netsim
