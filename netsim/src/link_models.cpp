#include "mdp/netsim/link_models.hpp"

#include <algorithm>

namespace mdp::netsim {

namespace {

const std::shared_ptr<const link_models>& no_models() {
  static const auto none = std::make_shared<const link_models>();
  return none;
}

}  // namespace

model_process::model_process(const link_spec& spec, std::uint64_t seed, std::string_view link_name,
                             const fate_script* script)
    : current_(spec),
      script_(script),
      loss_key_(draw_key(seed, link_name, draw_purpose::loss_model)),
      copy_key_(draw_key(seed, link_name, draw_purpose::duplication)),
      damage_key_(draw_key(seed, link_name, draw_purpose::corruption)),
      hold_key_(draw_key(seed, link_name, draw_purpose::reordering)) {
  if (current_.models == nullptr) current_.models = no_models();
}

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
  if (!models.deliveries.empty()) return deliveries_.send(models.deliveries, now, bytes);
  const std::int64_t full_again = tokens_.send(now, bytes, current_.rate_bps);
  const auto depth_ns =
      static_cast<std::int64_t>(models.burst_bytes * 8'000'000'000 / current_.rate_bps);
  const std::int64_t start = std::max(now, full_again - depth_ns);
  return models.peak_bps == 0 ? start : peak_.send(start, bytes, models.peak_bps);
}

void model_process::apply(const scripted_fate& s, fate& f) const noexcept {
  switch (s.action) {
    case scripted_action::pass:
      f.lost = f.duplicate = f.early = false;
      f.harm = damage::none;
      f.hold_ns = 0;
      f.spared = true;
      break;
    case scripted_action::drop:
      f.lost = true;
      break;
    case scripted_action::duplicate:
      f.duplicate = true;
      f.copy_draw = fate_draws(copy_key_, s.packet)[1];
      break;
    case scripted_action::damage:
      f.harm = current_.models->corrupt_kind;
      break;
    case scripted_action::hold:
      f.hold_ns = s.hold_ns;
      break;
  }
}

model_process::fate model_process::decide(std::int64_t now, std::uint64_t number) noexcept {
  const link_models& models = *current_.models;
  while (next_change_ < models.changes.size() && models.changes[next_change_].at_ns <= now) {
    apply(models.changes[next_change_++]);
  }
  fate f;
  if (script_ == nullptr || !script_->only) f = drawn(number);
  f.carrier = carrier_;
  if (script_ == nullptr) return f;
  f.spared = script_->only;
  const std::vector<scripted_fate>& fates = script_->fates;
  while (next_fate_ < fates.size() && fates[next_fate_].packet == number) {
    apply(fates[next_fate_++], f);
  }
  return f;
}

model_process::fate model_process::drawn(std::uint64_t number) noexcept {
  const link_models& models = *current_.models;
  fate f;
  f.lost = loss_.loses(models.loss, loss_key_, number);
  if (models.duplicate.possible()) {
    const auto draws = fate_draws(copy_key_, number);
    f.duplicate =
        models.duplicate.happens(copy_draws_.next(draws[0], models.correlation.duplicate));
    f.copy_draw = draws[1];
  }
  if (models.corrupt.possible()) {
    const std::uint64_t fresh = fate_draws(damage_key_, number)[0];
    if (models.corrupt.happens(damage_draws_.next(fresh, models.correlation.corrupt)))
      f.harm = models.corrupt_kind;
  }
  if (models.hold.possible() || models.early.possible()) {
    const auto draws = fate_draws(hold_key_, number);
    if (models.hold.happens(draws[0])) f.hold_ns = models.hold_ns;
    f.early = models.early.possible() && goes_early(draws[1]);
  }
  return f;
}

bool model_process::goes_early(std::uint64_t fresh) noexcept {
  const link_models& models = *current_.models;
  const bool asked = ++since_early_ >= models.early_gap;
  if (!asked || !models.early.happens(early_draws_.next(fresh, models.correlation.early)))
    return false;
  since_early_ = 0;
  return true;
}

}  // namespace mdp::netsim
