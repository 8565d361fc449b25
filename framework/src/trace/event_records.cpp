#include "event_records.hpp"

#include <fmt/format.h>

namespace mdp::trace {
namespace {

using transport::packet_fate;

std::string seconds_text(std::int64_t ns) {
  return fmt::format("{}.{:09} s", ns / 1'000'000'000, ns % 1'000'000'000);
}

}  // namespace

void record_stream::on_place(std::uint32_t place, std::string_view name) noexcept {
  if (place >= places_.size()) places_.resize(place + std::size_t{1});
  places_[place].name = name;
}

void record_stream::announce(std::uint32_t place) noexcept {
  place_state& p = places_[place];
  if (p.announced) return;
  p.announced = true;
  record r{.kind = record_kind::place, .name = p.name};
  r.event.place = place;
  put(r);
}

void record_stream::put_checkpoints() noexcept {
  for (const std::uint32_t place : changed_) {
    record r{.kind = record_kind::checkpoint};
    r.event.time_ns = millisecond_ends_ns_;
    r.event.place = place;
    r.event.chain = places_[place].chain;
    places_[place].changed = false;
    put(r);
  }
  changed_.clear();
}

void record_stream::on_packet(const transport::packet_event& event, std::span<const std::byte>,
                              std::span<const buffer::slice>) noexcept {
  if (event.time_ns >= millisecond_ends_ns_) {
    put_checkpoints();
    millisecond_ends_ns_ = (event.time_ns / checkpoint_interval_ns + 1) * checkpoint_interval_ns;
  }
  announce(event.place);
  place_state& p = places_[event.place];
  p.chain = event.chain;
  if (!p.changed) changed_.push_back(event.place);
  p.changed = true;
  ++events_;
  if (detail_ == detail::events) put({.event = event});
}

void record_stream::finish_records() noexcept {
  put_checkpoints();
  put({.kind = record_kind::end, .events = events_});
}

std::string text_of(const record& r, std::string_view place_name) {
  const transport::packet_event& e = r.event;
  switch (r.kind) {
    case record_kind::place:
      return fmt::format("place {} is {}", e.place, r.name);
    case record_kind::end:
      return fmt::format("the end, after {} events", r.events);
    case record_kind::checkpoint:
      return fmt::format("{} {}: fingerprint {:016x} so far", seconds_text(e.time_ns), place_name,
                         e.chain);
    case record_kind::event:
      break;
  }
  if (e.fate == packet_fate::wake_up) {
    return fmt::format("{} {}: wake_up", seconds_text(e.time_ns), place_name);
  }
  std::string out = fmt::format("{} {} #{}: {}, {} bytes", seconds_text(e.time_ns), place_name,
                                e.number, to_string(e.fate), e.bytes);
  if (e.fate == packet_fate::held) return out + ", by " + seconds_text(e.arrive_ns - e.time_ns);
  if (e.arrive_ns != e.time_ns) out += fmt::format(", out at {}", seconds_text(e.arrive_ns));
  return out;
}

}  // namespace mdp::trace
