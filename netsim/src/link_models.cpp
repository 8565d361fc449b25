#include "mdp/netsim/link_models.hpp"

#include <algorithm>

namespace mdp::netsim {

model_process::model_process(const link_spec& spec, std::uint64_t seed, std::string_view link_name)
    : current_(spec),
      loss_key_(draw_key(seed, link_name, draw_purpose::loss_model)),
      copy_key_(draw_key(seed, link_name, draw_purpose::duplication)),
      damage_key_(draw_key(seed, link_name, draw_purpose::corruption)),
      hold_key_(draw_key(seed, link_name, draw_purpose::reordering)) {}

void model_process::apply(const link_change& c) noexcept {
  if (c.carrier) carrier_ = *c.carrier;
  if (c.rate_bps) current_.rate_bps = *c.rate_bps;
  if (c.delay_ns) current_.delay_ns = *c.delay_ns;
  if (c.jitter_ns) current_.jitter_ns = *c.jitter_ns;
  if (c.loss) current_.loss = *c.loss;
  if (c.mtu_bytes) current_.mtu_bytes = *c.mtu_bytes;
}

// The generic cell rate algorithm (ITU-T I.371): a packet may go when all but a bucket of what was
// taken, this packet's included, has been refilled.
std::int64_t model_process::shape(std::int64_t now, std::uint32_t bytes) noexcept {
  const link_models& models = *current_.models;
  const std::int64_t full_again = tokens_.send(now, bytes, current_.rate_bps);
  const auto depth_ns =
      static_cast<std::int64_t>(models.burst_bytes * 8'000'000'000 / current_.rate_bps);
  const std::int64_t start = std::max(now, full_again - depth_ns);
  return models.peak_bps == 0 ? start : peak_.send(start, bytes, models.peak_bps);
}

model_process::fate model_process::decide(std::int64_t now, std::uint64_t number) noexcept {
  const link_models& models = *current_.models;
  while (next_change_ < models.changes.size() && models.changes[next_change_].at_ns <= now) {
    apply(models.changes[next_change_++]);
  }
  fate f;
  f.carrier = carrier_;
  f.lost = loss_.loses(models.loss, loss_key_, number);
  if (models.duplicate.possible()) {
    const auto draws = fate_draws(copy_key_, number);
    f.duplicate = models.duplicate.happens(draws[0]);
    f.copy_draw = draws[1];
  }
  if (models.corrupt.possible() && models.corrupt.happens(fate_draws(damage_key_, number)[0])) {
    f.harm = models.corrupt_kind;
  }
  if (models.hold.possible() && models.hold.happens(fate_draws(hold_key_, number)[0])) {
    f.hold_ns = models.hold_ns;
  }
  return f;
}

}  // namespace mdp::netsim
