#include "event_log.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace mdp::trace {
namespace {

using transport::packet_fate;

// The first byte of a record: a fate for an event, else one of these.
constexpr unsigned head_place = 32;
constexpr unsigned head_checkpoint = 33;
constexpr unsigned head_end = 34;

constexpr std::string_view events_magic = "mdp-events/1 events ";
constexpr std::string_view checkpoints_magic = "mdp-events/1 checkpoints ";
constexpr std::size_t buffer_bytes = std::size_t{1} << 16;
constexpr std::size_t head_bytes_max = std::size_t{1} << 20;
constexpr std::uint64_t place_max = std::uint64_t{1} << 32;
constexpr std::uint64_t name_bytes_max = 4096;
// Far more places than a network has between two that have events.
constexpr std::uint64_t place_gap_max = std::uint64_t{1} << 24;

void add_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}

void add_fixed64(std::string& out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(value >> 8 * i & 0xff);
}

// Small in either direction: 0, -1, 1, -2, ... become 0, 1, 2, 3, ...
std::uint64_t folded(std::uint64_t difference) {
  const auto d = static_cast<std::int64_t>(difference);
  return static_cast<std::uint64_t>(d) << 1 ^ static_cast<std::uint64_t>(d >> 63);
}
std::uint64_t unfolded(std::uint64_t value) {
  return value >> 1 ^ (std::uint64_t{0} - (value & 1));
}

bool has_journey(packet_fate fate) {
  return fate == packet_fate::sent || fate == packet_fate::duplicated || fate == packet_fate::held;
}

void add_event(std::string& out, const transport::packet_event& e, record_memory& memory) {
  out += static_cast<char>(e.fate);
  add_varint(out, static_cast<std::uint64_t>(e.time_ns - memory.time_ns));
  memory.time_ns = e.time_ns;
  add_varint(out, e.place);
  if (e.fate == packet_fate::wake_up) return;
  std::uint64_t& number = memory.at(e.place).number;
  add_varint(out, folded(e.number - number));
  number = e.number;
  add_varint(out, e.bytes);
  if (!has_journey(e.fate)) return;
  add_varint(out, static_cast<std::uint64_t>(e.arrive_ns - e.time_ns));
  add_varint(out, e.queued);
  add_varint(out, e.from);
  add_varint(out, e.to);
}

}  // namespace

log_writer::log_writer(const std::string& file, const log_head& head)
    : name_(file), file_(std::fopen(file.c_str(), "wbe")) {
  if (!file_) throw std::runtime_error(fmt::format("{}: {}", file, std::strerror(errno)));
  buffer_ = head.what == detail::events ? events_magic : checkpoints_magic;
  buffer_ += head.manifest + '\n';
}

void log_writer::flush() noexcept {
  if (error_ == 0 && std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) < buffer_.size()) {
    error_ = errno;
  }
  buffer_.clear();
}

void log_writer::put(const record& r) noexcept {
  switch (r.kind) {
    case record_kind::event:
      add_event(buffer_, r.event, memory_);
      break;
    case record_kind::place:
      buffer_ += static_cast<char>(head_place);
      add_varint(buffer_, r.event.place);
      add_varint(buffer_, r.name.size());
      buffer_ += r.name;
      break;
    case record_kind::checkpoint:
      buffer_ += static_cast<char>(head_checkpoint);
      add_varint(buffer_, static_cast<std::uint64_t>(r.event.time_ns / checkpoint_interval_ns));
      add_varint(buffer_, r.event.place);
      add_fixed64(buffer_, r.event.chain);
      break;
    case record_kind::end:
      buffer_ += static_cast<char>(head_end);
      add_varint(buffer_, r.events);
      break;
  }
  if (buffer_.size() >= buffer_bytes) flush();
}

void log_writer::close() {
  flush();
  if (std::fclose(file_.release()) != 0 && error_ == 0) error_ = errno;
  if (error_ != 0) {
    throw std::runtime_error(
        fmt::format("{}: {}; is the disk full?", name_, std::strerror(error_)));
  }
}

log_reader::log_reader(const std::string& file)
    : name_(file), file_(std::fopen(file.c_str(), "rbe")) {
  if (!file_) throw std::runtime_error(fmt::format("{}: {}", file, std::strerror(errno)));
  std::string line;
  for (;;) {
    const int c = std::fgetc(file_.get());
    if (c == '\n') break;
    if (c == EOF || line.size() == head_bytes_max) fail("not an event log (schema mdp-events/1)");
    line += static_cast<char>(c);
  }
  offset_ = line.size() + 1;
  if (line.starts_with(events_magic)) {
    head_ = {detail::events, line.substr(events_magic.size())};
  } else if (line.starts_with(checkpoints_magic)) {
    head_ = {detail::checkpoints, line.substr(checkpoints_magic.size())};
  } else {
    fail("not an event log (schema mdp-events/1)");
  }
}

void log_reader::fail(const char* what) const {
  throw std::runtime_error(fmt::format("{}: at byte {}: {}", name_, offset_, what));
}

std::uint8_t log_reader::byte() {
  const int c = std::fgetc(file_.get());
  if (c == EOF) fail("the log ends early; was the run interrupted?");
  ++offset_;
  return static_cast<std::uint8_t>(c);
}

std::uint64_t log_reader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t b = byte();
    value |= std::uint64_t{b & 0x7fu} << shift;
    if (b < 0x80) return value;
  }
  fail("a number has more than 64 bits: the log is damaged");
}

std::uint64_t log_reader::fixed64() {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value |= std::uint64_t{byte()} << 8 * i;
  return value;
}

std::uint32_t log_reader::place_number() {
  const std::uint64_t place = varint();
  if (place >= place_max) fail("a place has more than 32 bits: the log is damaged");
  if (memory_.count() <= place || memory_.at(static_cast<std::uint32_t>(place)).name.empty()) {
    fail("an event is at a place without a name: the log is damaged");
  }
  return static_cast<std::uint32_t>(place);
}

std::string log_reader::name_of(std::uint32_t place) {
  if (place >= memory_.count() || memory_.at(place).name.empty()) return "?";
  return memory_.at(place).name;
}

void log_reader::read_event(record& r, unsigned head) {
  transport::packet_event& e = r.event;
  e.fate = static_cast<packet_fate>(head);
  memory_.time_ns += static_cast<std::int64_t>(varint());
  e.time_ns = e.arrive_ns = memory_.time_ns;
  e.place = place_number();
  if (e.fate == packet_fate::wake_up) return;
  std::uint64_t& number = memory_.at(e.place).number;
  number += unfolded(varint());
  e.number = number;
  e.bytes = static_cast<std::uint32_t>(varint());
  if (!has_journey(e.fate)) return;
  e.arrive_ns += static_cast<std::int64_t>(varint());
  e.queued = static_cast<std::uint32_t>(varint());
  e.from = static_cast<std::uint32_t>(varint());
  e.to = static_cast<std::uint32_t>(varint());
}

void log_reader::read_place(record& r) {
  const std::uint64_t place = varint();
  // A damaged number must not ask for memory without end.
  if (place > memory_.count() + place_gap_max) fail("a place is numbered too high");
  const std::uint64_t bytes = varint();
  if (bytes == 0 || bytes > name_bytes_max) fail("a place has no good name");
  for (std::uint64_t i = 0; i < bytes; ++i) r.name += static_cast<char>(byte());
  r.kind = record_kind::place;
  r.event.place = static_cast<std::uint32_t>(place);
  memory_.at(r.event.place).name = r.name;
}

bool log_reader::next(record& r) {
  if (ended_) return false;
  r = {};
  const unsigned head = byte();
  if (head >= static_cast<unsigned>(packet_fate::sent) &&
      head <= static_cast<unsigned>(packet_fate::held)) {
    read_event(r, head);
  } else if (head == head_place) {
    read_place(r);
  } else if (head == head_checkpoint) {
    r.kind = record_kind::checkpoint;
    r.event.time_ns = static_cast<std::int64_t>(varint()) * checkpoint_interval_ns;
    r.event.place = place_number();
    r.event.chain = fixed64();
  } else if (head == head_end) {
    r.kind = record_kind::end;
    r.events = varint();
    ended_ = true;
  } else {
    fail("no record begins like this: the log is damaged");
  }
  return true;
}

}  // namespace mdp::trace
