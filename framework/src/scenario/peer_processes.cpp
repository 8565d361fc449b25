#include "peer_processes.hpp"

#include <stdexcept>

namespace mdp::scenario {

peer_processes::peer_processes(const point_spec& point, std::uint64_t seed,
                               transport::fabric& fabric)
    : point_(point), fabric_(fabric) {
  for (const peer_group& group : point.peers) {
    addresses_.push_back({group.name, {}});
    for (std::uint32_t i = 0; i < group.count; ++i) {
      peers_.push_back({&group, i, splitmix64(seed + peers_.size()), nullptr});
      open(peers_.back());
      addresses_.back().second.push_back(peers_.back().process->messenger().local_address());
    }
  }
  plan_ = fabric.process_changes();
  each([&](agent& a) { a.set_up(addresses_); });
}

void peer_processes::open(seat& p) {
  p.process = std::make_unique<agent>(point_, *p.group, p.index, p.seed, fabric_, p.before);
}

time_point peer_processes::now() {
  for (seat& p : peers_)
    if (p.process) return p.process->messenger().now();
  throw std::runtime_error("/network/faults: no peer is left");
}

std::vector<std::size_t> peer_processes::change(run_record& record) {
  std::vector<std::size_t> begun;
  for (const time_point at = next_change(); at != never && next_change() == at; ++changed_) {
    const auto number = static_cast<std::size_t>(plan_[changed_].endpoint);
    seat& p = peers_[number];
    if (!plan_[changed_].begins) {
      if (measuring_) p.process->snapshot(true);
      p.before = p.process->end_process(record);
      p.process.reset();
      ++record.peers["crashes"];
      continue;
    }
    open(p);
    p.process->set_up(addresses_);
    if (begun_) p.process->begin(phases_);
    ++record.peers["restarts"];
    begun.push_back(number);
  }
  return begun;
}

void peer_processes::begin(const workload::phases& p) {
  phases_ = p;
  begun_ = true;
  each([&](agent& a) { a.begin(p); });
}

void peer_processes::snapshot(bool at_end) noexcept {
  measuring_ = !at_end;
  each([&](agent& a) { a.snapshot(at_end); });
}

void peer_processes::finish(run_record& record) noexcept {
  for (seat& p : peers_) {
    if (p.process) {
      p.process->finish(record);
    } else if (!p.before.sequences.empty()) {
      record.per_sender.push_back(p.before.share);
    }
  }
}

}  // namespace mdp::scenario
