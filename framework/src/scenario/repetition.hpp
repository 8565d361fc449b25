// One repetition of one point: on threads and real time, or in virtual time on one thread.
#pragma once
#include "mdp/scenario/runner.hpp"
#include "run_record.hpp"
#include "run_trace.hpp"

namespace mdp::scenario {

// Never throws: a failure is the record's error.
[[nodiscard]] run_record run_repetition(const point_spec& point, std::uint32_t repetition,
                                        std::uint64_t seed,
                                        const run_callbacks& callbacks) noexcept;

// Both called by run_repetition; they throw std::exception with one sentence.
void run_real(const point_spec& point, std::uint64_t seed, const run_callbacks& callbacks,
              transport::fabric& fabric, run_record& record);
// `trace` may be null.
void run_virtual(const point_spec& point, std::uint64_t seed, const run_callbacks& callbacks,
                 transport::fabric& fabric, run_trace* trace, run_record& record);

// In the processes that callbacks.worker_command starts; the same otherwise.
void run_processes(const point_spec& point, std::uint64_t seed, const run_callbacks& callbacks,
                   run_record& record);

// A simulator's chance follows the repetition's seed, not the scenario's alone.
[[nodiscard]] std::string transport_options(const point_spec& point, std::uint64_t seed);

[[nodiscard]] inline duration seconds(double s) noexcept {
  return duration(static_cast<std::int64_t>(s * 1e9));
}

}  // namespace mdp::scenario
