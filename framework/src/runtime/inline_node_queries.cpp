// Messages of a node that are given up or looked at.
#include "inline_node.hpp"

namespace mdp::runtime {

using messaging::refusal;

result<void, refusal> inline_node::cancel(peer_id to, message_id id) noexcept {
  const engine::peer* peer = engine_.find(to);
  if (!peer) return failure(refusal::unknown_peer);
  const message_number message = message_number::of(id);
  if (message.session != peer->session()) return failure(refusal::unknown_message);
  const auto done = engine_.cancel(transport_->now(), to, message_id{message.number});
  if (!done) return failure(from_engine(done.error()));
  return {};
}

std::size_t inline_node::states(peer_id to, std::span<const message_id> ids,
                                std::span<message_state> out) noexcept {
  const engine::peer* peer = engine_.find(to);
  const std::size_t count = std::min(ids.size(), out.size());
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = message_state::none;
    if (!peer) continue;
    const message_number message = message_number::of(ids[i]);
    const auto ahead = static_cast<std::int16_t>(message.session - peer->session());
    if (ahead == 0) {
      out[i] = from_engine(engine_.state(to, message_id{message.number}));
    } else if (ahead < 0) {
      out[i] = message_state::settled;  // with its session
    }
  }
  return count;
}

std::vector<message_status> inline_node::unresolved(peer_id to) {
  std::vector<message_status> all;
  const engine::peer* peer = engine_.find(to);
  if (!peer) return all;
  engine_.for_each_unresolved(to, [&](message_id id, engine::message_state state) {
    all.push_back({message_number{peer->session(), id.value}.id(), from_engine(state)});
  });
  return all;
}

}  // namespace mdp::runtime
