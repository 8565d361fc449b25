// result<T, E>: a value or a typed refusal, for failures that a caller is expected to handle.
// Exceptions are for set-up (JSON, plugins); network input and limits use result.
#pragma once
#include <tl/expected.hpp>

namespace mdp {

template <class T, class E>
using result = tl::expected<T, E>;

template <class E>
[[nodiscard]] auto failure(E error) {
  return tl::unexpected<E>(static_cast<E&&>(error));
}

}  // namespace mdp
