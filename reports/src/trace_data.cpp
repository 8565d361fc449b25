// What the plots of a trace show.
#include <fmt/format.h>

#include <algorithm>

#include "figures.hpp"
#include "plot_data.hpp"

namespace mdp::reports {
namespace {

using packet = trace_record::packet;

// Marks of one kind: time and packet number. gnuplot needs a block even where there is no mark.
template <class Time>
std::string marks(const std::vector<packet>& packets, const char* kind, Time&& time) {
  std::string out = fmt::format("# {}\n", kind);
  bool any = false;
  for (const packet& p : packets) {
    const figure at = time(p);
    if (!at) continue;
    out += fmt::format("{:.9g} {:.15g}\n", *at, p.number);
    any = true;
  }
  return out + (any ? "\n\n" : "? ?\n\n\n");
}

std::string packet_marks(const std::vector<packet>& packets) {
  using time = figure;
  return marks(packets, "sent",
               [](const packet& p) { return p.retransmission ? time() : time(p.sent_s); }) +
         marks(packets, "retransmitted",
               [](const packet& p) { return p.retransmission ? time(p.sent_s) : time(); }) +
         marks(packets, "dropped or damaged", [](const packet& p) { return p.harmed_s; }) +
         marks(packets, "confirmed", [](const packet& p) { return p.confirmed_s; });
}

std::string queue_block(const trace_record::queue& q, double& seconds) {
  std::string out = "# " + q.link + "\n";
  for (std::size_t i = 0; i < q.most.size(); ++i) {
    const double at = q.interval_s * static_cast<double>(i);
    if (q.most[i]) out += fmt::format("{:.9g} {:.9g}\n", at, *q.most[i]);
    if (q.most[i]) seconds = std::max(seconds, at + q.interval_s);
  }
  return out + "\n\n";
}

}  // namespace

trace_charts trace_charts_of(const result_document& result) {
  trace_charts out;
  if (result.runs.empty() || !result.runs.front().trace.sent) return out;
  const trace_record& t = result.runs.front().trace;
  out.heading = t.peer + " to " + t.to;
  out.shown = fmt::format("{} of {} packets", number_text(static_cast<double>(t.packets.size())),
                          number_text(t.sent));
  if (!t.packets.empty()) {
    out.packets = packet_marks(t.packets);
    out.from_s = out.until_s = t.packets.front().sent_s;
    for (const packet& p : t.packets)
      out.until_s = std::max({out.until_s, p.sent_s, p.confirmed_s.value_or(0)});
  }
  double seconds = 0;
  for (const trace_record::queue& q : t.queues) {
    out.queues += queue_block(q, seconds);
    out.links.push_back(q.link);
  }
  for (const trace_record::sample& s : t.congestion) {
    const std::string rtt = s.rtt_us ? fmt::format("{:.9g}", *s.rtt_us / 1e3) : "?";
    out.congestion += fmt::format("{:.9g} {:.9g} {:.9g} {}\n", s.time_s, s.window_bytes / 1e3,
                                  s.in_flight_bytes / 1e3, rtt);
    seconds = std::max(seconds, s.time_s);
  }
  if (seconds > 0) out.seconds = seconds;
  return out;
}

}  // namespace mdp::reports
