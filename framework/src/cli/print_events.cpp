// events: an event log, as a table for other programs.
#include <fmt/format.h>

#include "commands.hpp"
#include "trace/event_log.hpp"

namespace mdp::cli {
namespace {

std::string csv_line(const trace::record& r, const std::string& place) {
  const transport::packet_event& e = r.event;
  if (r.kind == trace::record_kind::checkpoint) {
    return fmt::format("{},{},checkpoint,,,,,,,{:016x}\n", e.time_ns, place, e.chain);
  }
  using enum transport::packet_fate;
  if (e.fate == wake_up) return fmt::format("{},{},wake_up,,,,,,,\n", e.time_ns, place);
  const std::string start =
      fmt::format("{},{},{},{},{}", e.time_ns, place, to_string(e.fate), e.number, e.bytes);
  if (e.fate != sent && e.fate != duplicated && e.fate != held) return start + ",,,,,\n";
  return start + fmt::format(",{},{},{},{},\n", e.arrive_ns, e.queued, e.from, e.to);
}

}  // namespace

int print_events(const std::string& file) {
  trace::log_reader log(file);
  fmt::print("time_ns,place,event,packet,bytes,arrive_ns,queued,from,to,fingerprint\n");
  for (trace::record r; log.next(r);) {
    const bool shown =
        r.kind == trace::record_kind::event || r.kind == trace::record_kind::checkpoint;
    if (shown) fmt::print("{}", csv_line(r, log.name_of(r.event.place)));
  }
  return exit_pass;
}

}  // namespace mdp::cli
