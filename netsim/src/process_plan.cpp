#include "mdp/netsim/process_plan.hpp"

#include <algorithm>

namespace mdp::netsim {
namespace {

struct absence {
  std::int64_t from = 0;
  std::int64_t until = 0;  // INT64_MAX: for good
};

// In order of time, none overlapping the next.
std::vector<absence> absences_of(const std::vector<node_fault>& faults, const std::string& node) {
  std::vector<absence> all;
  for (const node_fault& fault : faults) {
    const bool ends = fault.kind == fault_kind::crash || fault.kind == fault_kind::restart;
    if (ends && befalls(fault, node)) all.push_back({fault.at_ns, fault.until_ns});
  }
  std::sort(all.begin(), all.end(),
            [](const absence& a, const absence& b) { return a.from < b.from; });
  std::vector<absence> apart;
  for (const absence& a : all) {
    if (apart.empty() || apart.back().until < a.from) {
      apart.push_back(a);
    } else {
      apart.back().until = std::max(apart.back().until, a.until);
    }
  }
  return apart;
}

}  // namespace

std::vector<transport::process_change> process_plan(const std::vector<node_fault>& faults,
                                                    const std::vector<std::string>& nodes) {
  std::vector<transport::process_change> plan;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const absence& a : absences_of(faults, nodes[i])) {
      const auto endpoint = static_cast<std::int64_t>(i);
      plan.push_back({at_ns(a.from), endpoint, false});
      if (a.until != INT64_MAX) plan.push_back({at_ns(a.until), endpoint, true});
    }
  }
  std::stable_sort(plan.begin(), plan.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  return plan;
}

}  // namespace mdp::netsim
