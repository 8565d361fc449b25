#include "mdp/netsim/fault_timeline.hpp"

#include <algorithm>

#include "mdp/netsim/topology.hpp"

namespace mdp::netsim {
namespace {

constexpr std::int64_t million = 1'000'000;

// d * ppm / 10^6, rounded down, without leaving 64 bits.
std::int64_t gained(std::int64_t d, std::int64_t ppm) noexcept {
  const std::int64_t rest = d % million * ppm;
  return d / million * ppm + (rest >= 0 ? rest / million : -((-rest + million - 1) / million));
}

// The network itself lives through it; the end of a process is for those who run the process.
bool of_network(const node_fault& fault) noexcept {
  return fault.kind != fault_kind::crash && fault.kind != fault_kind::restart;
}

}  // namespace

bool befalls(const node_fault& fault, const std::string& node) {
  const std::string group = group_of(node);
  return std::any_of(fault.nodes.begin(), fault.nodes.end(), [&](const std::string& n) {
    return n == node || (!group.empty() && n == group);
  });
}

fault_timeline::fault_timeline(const std::vector<node_fault>& faults)
    : faults_(faults), members_(faults.size()) {
  for (std::uint32_t i = 0; i < faults_.size(); ++i) {
    if (!of_network(faults_[i])) continue;
    moments_.push_back({faults_[i].at_ns, i, true});
    if (faults_[i].until_ns != INT64_MAX) moments_.push_back({faults_[i].until_ns, i, false});
  }
  std::stable_sort(moments_.begin(), moments_.end(),
                   [](const moment& a, const moment& b) { return a.time < b.time; });
  find_next();
}

void fault_timeline::find_next() noexcept {
  next_ = done_ < moments_.size() ? moments_[done_].time : INT64_MAX;
}

// A node that comes late meets what lasts, and the clock of one that was skewed from the start.
void fault_timeline::add_node(const std::string& name, std::int64_t now) {
  if (!any()) return;
  const auto number = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back({.since = now, .shown = now});
  for (std::uint32_t i = 0; i < faults_.size(); ++i) {
    if (befalls(faults_[i], name)) members_[i].push_back(number);
  }
  for (std::size_t m = 0; m < done_; ++m) {
    const std::uint32_t i = moments_[m].fault;
    if (!befalls(faults_[i], name)) continue;
    happen(faults_[i], std::uint64_t{1} << i % partitions_max, moments_[m].begins, nodes_.back());
  }
}

void fault_timeline::set_clock(node_state& node, std::int64_t now, std::int64_t ppm,
                               std::int64_t step_ns) const noexcept {
  if (now > node.since) {
    const std::int64_t passed = now - node.since;
    node.shown += passed + gained(passed, node.ppm);
    node.since = now;
  }
  node.shown += step_ns;
  node.ppm = ppm;
}

void fault_timeline::happen(const node_fault& fault, std::uint64_t bit, bool begins,
                            node_state& node) const {
  const std::int64_t now = begins ? fault.at_ns : fault.until_ns;
  switch (fault.kind) {
    case fault_kind::partition:
      node.sides ^= bit;
      break;
    case fault_kind::pause:
      if (begins) node.paused_until = std::max(node.paused_until, fault.until_ns);
      break;
    case fault_kind::clock_step:
      if (begins) set_clock(node, now, node.ppm, fault.step_ns);
      break;
    case fault_kind::clock_skew:
      set_clock(node, now, begins ? fault.skew_ppm : 0, 0);
      break;
    case fault_kind::rebind:
    case fault_kind::crash:
    case fault_kind::restart:
      break;
  }
}

void fault_timeline::apply(std::vector<std::uint32_t>& touched,
                           std::vector<std::uint32_t>& rebound) {
  const moment& m = moments_[done_++];
  find_next();
  const node_fault& fault = faults_[m.fault];
  for (const std::uint32_t node : members_[m.fault]) {
    happen(fault, std::uint64_t{1} << m.fault % partitions_max, m.begins, nodes_[node]);
    if (fault.kind == fault_kind::rebind) {
      if (m.begins) rebound.push_back(node);
    } else if (fault.kind != fault_kind::partition) {
      touched.push_back(node);
    }
  }
}

std::int64_t fault_timeline::local_time(std::uint32_t node, std::int64_t now) const noexcept {
  const node_state& n = nodes_[node];
  const std::int64_t passed = std::max<std::int64_t>(now - n.since, 0);
  return n.shown + passed + gained(passed, n.ppm);
}

std::int64_t fault_timeline::network_time(std::uint32_t node, std::int64_t local) const noexcept {
  const node_state& n = nodes_[node];
  if (local == INT64_MAX) return local;
  if (local <= n.shown) return n.since;
  // passed + passed * ppm / 10^6 = local - shown; the division errs by a few nanoseconds.
  const std::int64_t left = local - n.shown;
  const std::int64_t rate = million + n.ppm;
  std::int64_t passed = left / rate * million + left % rate * million / rate;
  while (passed + gained(passed, n.ppm) < left) ++passed;
  return n.since + passed;
}

}  // namespace mdp::netsim
