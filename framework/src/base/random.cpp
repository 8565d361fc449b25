#include "mdp/base/random.hpp"

#include <sys/random.h>

#include "mdp/base/assert.hpp"

namespace mdp {

std::uint64_t system_random::next() noexcept {
  std::uint64_t value = 0;
  MDP_ASSERT(getrandom(&value, sizeof value, 0) == sizeof value);
  return value;
}

}  // namespace mdp
