// What an observer of packets is told, as a stream of records: the same simulation always gives the
// same stream, which is what is written to event logs and compared by a replay.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mdp/transport/packet_observer.hpp"

namespace mdp::trace {

enum class record_kind : std::uint8_t {
  event,       // one packet_event
  place,       // names a place ahead of its first event
  checkpoint,  // the fingerprint of one place at the end of a millisecond in which it had events
  end,         // how many events there were
};

// Which records a stream has besides places and the end.
enum class detail : std::uint8_t {
  events,       // events and checkpoints
  checkpoints,  // checkpoints only: a third of the size
};

struct record {
  record_kind kind = record_kind::event;
  transport::packet_event event{};  // event; checkpoint: time_ns, place and chain
  std::string name{};               // place
  std::uint64_t events = 0;         // end
};

inline constexpr std::int64_t checkpoint_interval_ns = 1'000'000;

// Turns observations into records. Memory: one entry for each place.
class record_stream : public transport::packet_observer {
 public:
  explicit record_stream(detail d) : detail_(d) {}
  void on_place(std::uint32_t place, std::string_view name) noexcept final;
  void on_packet(const transport::packet_event& event, std::span<const std::byte> first,
                 std::span<const buffer::slice> rest) noexcept final;

 protected:
  // The last checkpoints and the end. Call it once, after the last event.
  void finish_records() noexcept;
  virtual void put(const record& r) noexcept = 0;

 private:
  struct place_state {
    std::string name;
    std::uint64_t chain = 0;
    bool announced = false;
    bool changed = false;  // since the last checkpoint
  };
  void announce(std::uint32_t place) noexcept;
  void put_checkpoints() noexcept;

  detail detail_;
  std::vector<place_state> places_;
  std::vector<std::uint32_t> changed_;  // places, in the order of their first event since
  std::int64_t millisecond_ends_ns_ = checkpoint_interval_ns;
  std::uint64_t events_ = 0;
};

// "1.234567891 s client-0/up #17: sent, 1224 bytes, out at 1.259567891 s".
[[nodiscard]] std::string text_of(const record& r, std::string_view place_name);

}  // namespace mdp::trace
