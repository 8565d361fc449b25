#include "workload/flow_metrics.hpp"

#include <algorithm>

namespace mdp::workload {

void time_series::merge(const time_series& other) {
  if (delivered.empty()) {
    *this = other;
    return;
  }
  // One that never began has none.
  for (std::size_t i = 0; i < std::min(delivered.size(), other.delivered.size()); ++i) {
    delivered[i] += other.delivered[i];
    p99_ns[i] = std::max(p99_ns[i], other.p99_ns[i]);
  }
}

void flow_metrics::prefault() noexcept {
  for (metrics::histogram* h : {&response, &service, &received, &delivered, &one_way, &round_trip})
    h->prefault();
  series.prefault();
}

void flow_metrics::merge(const flow_metrics& other) {
  response.merge(other.response);
  service.merge(other.service);
  received.merge(other.received);
  delivered.merge(other.delivered);
  one_way.merge(other.one_way);
  round_trip.merge(other.round_trip);
  offered += other.offered;
  sent += other.sent;
  completed += other.completed;
  expired += other.expired;
  unknown += other.unknown;
  timed_out += other.timed_out;
  refused += other.refused;
  orphaned += other.orphaned;
  arrived += other.arrived;
  arrived_bytes += other.arrived_bytes;
  duplicated += other.duplicated;
  corrupted += other.corrupted;
  series.merge(other.series);
}

}  // namespace mdp::workload
