#include "mdp/netsim/loss_model.hpp"

namespace mdp::netsim {
namespace {

// One draw against two exclusive events, the first of probability p, the second of q.
enum class outcome : std::uint8_t { first, second, neither };
outcome choose(std::uint64_t draw, const probability& p, const probability& q) {
  if (p.happens(draw)) return outcome::first;
  return q.happens(draw - p.threshold) ? outcome::second : outcome::neither;
}

}  // namespace

bool loss_process::step(const gilbert_elliott& m, std::uint64_t turn, std::uint64_t loss) noexcept {
  const bool lost = (bad_ ? m.bad_loss : m.good_loss).happens(loss);
  if ((bad_ ? m.to_good : m.to_bad).happens(turn)) bad_ = !bad_;
  return lost;
}

bool loss_process::step(const four_state& m, std::uint64_t turn) noexcept {
  switch (state_) {
    case chain_state::gap: {
      const outcome o = choose(turn, m.p14, m.p13);
      if (o == outcome::first) state_ = chain_state::gap_loss;
      if (o == outcome::second) state_ = chain_state::burst_loss;
      return o != outcome::neither;
    }
    case chain_state::burst:
      if (!m.p23.happens(turn)) return false;
      state_ = chain_state::burst_loss;
      return true;
    case chain_state::burst_loss: {
      const outcome o = choose(turn, m.p32, m.p31);
      if (o == outcome::first) state_ = chain_state::burst;
      if (o == outcome::second) state_ = chain_state::gap;
      return o == outcome::neither;
    }
    case chain_state::gap_loss:
      break;
  }
  state_ = chain_state::gap;
  return false;
}

bool loss_process::loses(const loss_model& model, philox_key key, std::uint64_t number) noexcept {
  if (const auto* m = std::get_if<gilbert_elliott>(&model)) {
    const auto draws = fate_draws(key, number);
    return step(*m, draws[0], draws[1]);
  }
  if (const auto* m = std::get_if<four_state>(&model)) return step(*m, fate_draws(key, number)[0]);
  if (const auto* m = std::get_if<periodic_loss>(&model)) {
    return number >= m->offset && (number - m->offset) % m->every == 0;
  }
  if (const auto* m = std::get_if<listed_loss>(&model)) {
    if (next_listed_ == m->numbers.size() || m->numbers[next_listed_] != number) return false;
    ++next_listed_;
    return true;
  }
  if (const auto* m = std::get_if<recorded_loss>(&model))
    return !m->passes[number % m->passes.size()];
  return false;
}

}  // namespace mdp::netsim
