#include "replay_check.hpp"

#include <algorithm>
#include <stdexcept>

namespace mdp::trace {
namespace {

using transport::packet_event;
using transport::packet_fate;

bool same_event(const packet_event& a, const packet_event& b) {
  if (a.fate != b.fate || a.time_ns != b.time_ns || a.place != b.place) return false;
  if (a.fate == packet_fate::wake_up) return true;
  if (a.number != b.number || a.bytes != b.bytes || a.arrive_ns != b.arrive_ns) return false;
  const bool journey = a.fate == packet_fate::sent || a.fate == packet_fate::duplicated ||
                       a.fate == packet_fate::held;
  return !journey || (a.queued == b.queued && a.from == b.from && a.to == b.to);
}

bool same_record(const record& a, const record& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case record_kind::event:
      return same_event(a.event, b.event);
    case record_kind::place:
      return true;  // names are compared with what happens there
    case record_kind::checkpoint:
      return a.event.time_ns == b.event.time_ns && a.event.place == b.event.place &&
             a.event.chain == b.event.chain;
    case record_kind::end:
      return a.events == b.events;
  }
  return false;
}

}  // namespace

replay_check::replay_check(log_reader&& log)
    : record_stream(log.head().what), log_(std::move(log)) {}

replay_check::replay_check(const std::string& log_file) : replay_check(log_reader(log_file)) {}

std::string replay_check::own_name(std::uint32_t place) const {
  return place < names_.size() ? names_[place] : "?";
}

void replay_check::put(const record& now) noexcept {
  if (now.kind == record_kind::place) {
    names_.resize(std::max(names_.size(), now.event.place + std::size_t{1}));
    names_[now.event.place] = now.name;
    return;
  }
  if (difference_ || !error_.empty()) return;
  try {
    compare(now);
  } catch (const std::exception& e) {
    error_ = e.what();
  }
}

void replay_check::compare(const record& now) {
  record recorded;
  do {
    if (!log_.next(recorded)) throw std::runtime_error("the log ended before this run");
  } while (recorded.kind == record_kind::place);
  const std::string recorded_name = log_.name_of(recorded.event.place);
  if (same_record(recorded, now) && recorded_name == own_name(now.event.place)) {
    if (now.kind == record_kind::event || now.kind == record_kind::checkpoint) {
      last_[same_++ % before_max] = now;
    }
    return;
  }
  difference d{
      same_ + 1, text_of(recorded, recorded_name), text_of(now, own_name(now.event.place)), {}};
  for (std::uint64_t n = same_ - std::min<std::uint64_t>(same_, before_max); n < same_; ++n) {
    const record& r = last_[n % before_max];
    d.before.push_back(text_of(r, own_name(r.event.place)));
  }
  difference_ = std::move(d);
}

void replay_check::close() {
  finish_records();
  if (!error_.empty()) throw std::runtime_error(error_);
}

}  // namespace mdp::trace
