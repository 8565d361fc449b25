// The trace of a simulated run that reports draw: the packets of one peer, the queues that they
// met, congestion window and round-trip time. Watching changes nothing: samples are taken after
// turns that the peer has anyway.
#pragma once
#include <memory>
#include <nlohmann/json.hpp>

#include "agent.hpp"
#include "mdp/scenario/runner.hpp"
#include "trace/packet_timeline.hpp"

namespace mdp::scenario {

[[nodiscard]] bool is_traced(const point_spec& point, std::uint32_t repetition) noexcept;

class run_trace final : public run_observer {
 public:
  // `also`: another who watches the same packets, or null.
  run_trace(const point_spec& point, std::unique_ptr<run_observer> also);

  void on_place(std::uint32_t place, std::string_view name) noexcept override;
  void on_packet(const transport::packet_event& event, std::span<const std::byte> first,
                 std::span<const buffer::slice> rest) noexcept override;
  void on_end(const transport::fabric_facts& facts) override;

  void measured(time_point from, time_point until) noexcept;
  void after_turn(agent& a);
  // What was recorded; the trace is over.
  [[nodiscard]] trace_record take();

 private:
  std::unique_ptr<run_observer> also_;
  trace_record record_;
  trace::packet_timeline timeline_;
  std::int64_t next_sample_ns_ = 0;
};

[[nodiscard]] nlohmann::ordered_json trace_json(const trace_record& trace);

}  // namespace mdp::scenario
