// Loss with memory or by plan: chains of states, periods, exact lists, recorded patterns.
//
// A process is asked once for every packet offered to a link, in order of their numbers, so what
// becomes of packet k depends on the seed, the link's name and k alone. Plain values; nothing
// allocates after the specification was read.
#pragma once
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "mdp/netsim/decimal.hpp"
#include "mdp/netsim/philox.hpp"

namespace mdp::netsim {

// Two states, good at first; a packet meets the state that the one before left. Gilbert: good_loss
// 0 %, bad_loss 100 %.
struct gilbert_elliott {
  probability to_bad;
  probability to_good;
  probability good_loss;
  probability bad_loss;
};

// The chain of four states of Linux netem (`loss state p13 p31 p32 p23 p14`): 1 received in a gap,
// 2 received in a burst, 3 lost in a burst, 4 lost alone in a gap.
struct four_state {
  probability p13, p31, p32, p23, p14;
};

// Packets offset, offset + every, offset + 2 every, ... are lost.
struct periodic_loss {
  std::uint64_t every = 1;
  std::uint64_t offset = 0;
};

// Exactly these packets are lost; ascending.
struct listed_loss {
  std::vector<std::uint64_t> numbers;
};

// Packet k is lost when passes[k mod length] is false.
struct recorded_loss {
  std::vector<bool> passes;
};

using loss_model = std::variant<std::monostate, gilbert_elliott, four_state, periodic_loss,
                                listed_loss, recorded_loss>;

// Where a link is in its loss model.
class loss_process {
 public:
  // The fate of packet `number`, one above that of the call before, from 0; `key` of the purpose
  // loss_model.
  [[nodiscard]] bool loses(const loss_model& model, philox_key key, std::uint64_t number) noexcept;

 private:
  enum class chain_state : std::uint8_t { gap, burst, burst_loss, gap_loss };
  [[nodiscard]] bool step(const gilbert_elliott& m, std::uint64_t turn,
                          std::uint64_t loss) noexcept;
  [[nodiscard]] bool step(const four_state& m, std::uint64_t turn) noexcept;

  bool bad_ = false;
  chain_state state_ = chain_state::gap;
  std::size_t next_listed_ = 0;
};

}  // namespace mdp::netsim
