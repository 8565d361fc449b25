// What a link may do to packets beyond rate, delay and independent loss, and how it changes over
// time. Links without any of it pay one comparison a packet. Plain values and one process per link;
// integers only; allocates only when a link is made.
#pragma once
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "mdp/netsim/bit_clock.hpp"
#include "mdp/netsim/correlated_draw.hpp"
#include "mdp/netsim/delivery_trace.hpp"
#include "mdp/netsim/fate_script.hpp"
#include "mdp/netsim/link_spec.hpp"
#include "mdp/netsim/loss_model.hpp"
#include "mdp/netsim/queue_discipline.hpp"

namespace mdp::netsim {

// From `at_ns` on, what is given here is so. Packets accepted before keep their times.
struct link_change {
  std::int64_t at_ns = 0;
  std::optional<bool> carrier{};  // false: everything offered is dropped
  std::optional<std::uint64_t> rate_bps{};
  std::optional<std::int64_t> delay_ns{};
  std::optional<std::int64_t> jitter_ns{};
  std::optional<probability> loss{};
  std::optional<std::uint32_t> mtu_bytes{};
};

// How much each draw is like the one before it, see correlated_draw.hpp.
struct draw_correlations {
  probability loss{};  // of the independent loss
  probability delay{};
  probability duplicate{};
  probability corrupt{};
  probability early{};
};

struct link_models {
  loss_model loss{};
  probability duplicate{};  // the packet goes twice; each has its own place and jitter
  probability corrupt{};
  damage corrupt_kind = damage::bit;
  probability hold{};  // the packet is held back `hold_ns` more: younger ones overtake it
  std::int64_t hold_ns = 0;
  probability early{};          // the packet goes without delay: it overtakes older ones
  std::uint32_t early_gap = 1;  // asked of every so-manieth packet only (netem's gap)
  draw_correlations correlation{};
  delivery_trace deliveries{};    // instead of a rate; empty: none
  std::uint64_t burst_bytes = 0;  // a token bucket so deep, filled at the link's rate; 0: none
  std::uint64_t peak_bps = 0;     // how fast a burst goes out; 0: at once
  queue_spec queue{};
  std::vector<link_change> changes{};  // by time
};

// One link's models under way.
class model_process {
 public:
  struct fate {
    bool carrier = true;
    bool lost = false;
    bool spared = false;  // from the link's independent loss
    bool duplicate = false;
    bool early = false;
    damage harm = damage::none;
    std::int64_t hold_ns = 0;
    std::uint64_t copy_draw = 0;  // decides the jitter of the copy
  };

  // `spec` has models, or there is a `script`; both outlive the process.
  model_process(const link_spec& spec, std::uint64_t seed, std::string_view link_name,
                const fate_script* script);
  // Decides packet `number`, one above that of the call before.
  [[nodiscard]] fate decide(std::int64_t now, std::uint64_t number) noexcept;
  // The draws of packet `number` for independent loss and, where it is delayed, for its jitter, as
  // its link's correlations make them of fresh ones.
  [[nodiscard]] std::uint64_t loss_draw(std::uint64_t fresh) noexcept {
    return loss_draws_.next(fresh, current_.models->correlation.loss);
  }
  [[nodiscard]] std::uint64_t delay_draw(std::uint64_t fresh) noexcept {
    return delay_draws_.next(fresh, current_.models->correlation.delay);
  }
  [[nodiscard]] bool shapes() const noexcept {
    return current_.models->burst_bytes != 0 || !current_.models->deliveries.empty();
  }
  // Takes tokens or opportunities for a packet: when its last bit leaves.
  [[nodiscard]] std::int64_t shape(std::int64_t now, std::uint32_t bytes) noexcept;
  // The specification as the changes up to now left it.
  [[nodiscard]] const link_spec& current() const noexcept { return current_; }
  // Scripted fates whose packet has come.
  [[nodiscard]] std::size_t fates_met() const noexcept { return next_fate_; }

 private:
  void apply(const link_change& c) noexcept;
  void apply(const scripted_fate& s, fate& f) const noexcept;
  [[nodiscard]] fate drawn(std::uint64_t number) noexcept;
  [[nodiscard]] bool goes_early(std::uint64_t fresh) noexcept;

  link_spec current_;
  loss_process loss_;
  bit_clock tokens_;  // the bucket is full again when it is idle
  bit_clock peak_;
  delivery_process deliveries_;
  correlated_draw loss_draws_, delay_draws_, copy_draws_, damage_draws_, early_draws_;
  std::uint32_t since_early_ = 0;  // packets
  const fate_script* script_;
  std::size_t next_fate_ = 0;
  std::size_t next_change_ = 0;
  bool carrier_ = true;
  philox_key loss_key_;
  philox_key copy_key_;
  philox_key damage_key_;
  philox_key hold_key_;
};

}  // namespace mdp::netsim
