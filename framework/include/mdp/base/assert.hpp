// MDP_ASSERT: a programmer's error ends the process with file, line and condition, in every build.
// Never used on input from the network, a file or a user.
#pragma once

namespace mdp {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}  // namespace mdp

#define MDP_ASSERT(condition)                        \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::mdp::assertion_failed(#condition, __FILE__, __LINE__))
