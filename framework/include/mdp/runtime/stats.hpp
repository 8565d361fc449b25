// Statistics as text: what a node counts (docs/statistics.md has the names), overall or of one
// peer.
#pragma once
#include <string>

#include "mdp/messaging/messenger.hpp"

namespace mdp {

// {"packets_sent":17,…}: one JSON object, names and order as in `all`.
[[nodiscard]] std::string to_json(const messaging::statistics& all);
// "packets_sent=17,…"; counts of zero are left out.
[[nodiscard]] std::string to_text(const messaging::statistics& all);
// The value of one count, or 0 when it is not there.
[[nodiscard]] std::uint64_t value_of(const messaging::statistics& all,
                                     std::string_view name) noexcept;

}  // namespace mdp
