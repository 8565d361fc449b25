// A run in real time within this process: one pinned thread for each group of peers.
#include "repetition.hpp"
#include "share_run.hpp"

namespace mdp::scenario {

void run_real(const point_spec& point, std::uint64_t seed, const run_callbacks& callbacks,
              transport::fabric& fabric, run_record& record) {
  const process_plan plan = plan_processes(point);
  for (const share& s : plan.shares) record.placement[point.peers[s.group].name] = s.cpus;
  no_other_process nobody;
  process_run run(point, seed, plan.shares, fabric, nobody, callbacks.stop_requested);
  run.execute(record);
}

}  // namespace mdp::scenario
