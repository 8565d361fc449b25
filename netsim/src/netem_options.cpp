#include "netem_options.hpp"

#include <fmt/format.h>

#include "option_reader.hpp"

namespace mdp::netsim {
namespace {

void check_correlation(const probability& r, bool has_meaning, const std::string& pointer,
                       const char* key, const char* of) {
  if (!r.possible() || has_meaning) return;
  refuse(child(pointer, key), fmt::format("has no meaning without {}", of));
}

void check_deliveries(const link_spec& spec, const link_models& m, const std::string& pointer) {
  if (m.deliveries.empty()) return;
  const std::string at = child(pointer, "deliveries_ms");
  if (spec.rate_bps != 0) refuse(at, "the trace is the rate: leave rate_mbps out");
  if (m.burst_bytes != 0) refuse(at, "a link with a trace has no burst_bytes");
  if (m.queue.kind != discipline::drop_tail)
    refuse(at, "a link with a trace has a drop_tail queue");
  for (const link_change& c : m.changes)
    if (c.rate_bps) refuse(at, "a link with a trace has no changes of rate_mbps");
}

}  // namespace

delivery_trace read_deliveries(const option_value& v, const std::string& pointer) {
  expect(v, option_kind::array, pointer);
  if (v.members.empty()) refuse(pointer, "is empty");
  if (v.members.size() > deliveries_max)
    refuse(pointer, fmt::format("has more than {} entries", deliveries_max));
  delivery_trace trace;
  trace.reserve(v.members.size());
  for (std::size_t i = 0; i < v.members.size(); ++i) {
    const std::string at = child(pointer, std::to_string(i));
    const auto ms =
        static_cast<std::uint32_t>(whole_number_of(v.members[i].value, at, 0, delivery_ms_max));
    if (!trace.empty() && ms < trace.back())
      refuse(at, fmt::format("{} is before {}, which stands above", ms, trace.back()));
    trace.push_back(ms);
  }
  if (trace.back() == 0) refuse(pointer, "takes no time: the last entry must be above 0");
  return trace;
}

void check_netem_keys(const link_spec& spec, link_models& m, const std::string& pointer) {
  if (m.early_gap > 1 && !m.early.possible()) m.early.certain = true;
  if (m.early.possible() && m.queue.kind >= discipline::codel)
    refuse(child(pointer, "queue"), "a link with reorder_pct has a queue that is not CoDel's");
  const draw_correlations& r = m.correlation;
  bool loses = spec.loss.possible();
  bool jitters = spec.jitter_ns != 0;
  for (const link_change& c : m.changes) {
    loses = loses || (c.loss && c.loss->possible());
    jitters = jitters || c.jitter_ns.value_or(0) != 0;
  }
  check_correlation(r.loss, loses, pointer, "loss_correlation_pct", "loss_pct");
  check_correlation(r.delay, jitters, pointer, "delay_correlation_pct", "jitter_us");
  check_correlation(r.duplicate, m.duplicate.possible(), pointer, "duplicate_correlation_pct",
                    "duplicate_pct");
  check_correlation(r.corrupt, m.corrupt.possible(), pointer, "corrupt_correlation_pct",
                    "corrupt_pct");
  check_correlation(r.early, m.early.possible(), pointer, "reorder_correlation_pct",
                    "reorder_pct or reorder_gap");
  check_deliveries(spec, m, pointer);
}

}  // namespace mdp::netsim
