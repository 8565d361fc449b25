// Text to number, whatever the locale and the C++ library.
#pragma once
#include <string_view>

namespace mdp {

// The whole of `text` is a decimal number, as std::from_chars reads it (no blanks, no sign +, also
// "inf" and "nan"). False: it is not, or does not fit; `out` is then undefined.
[[nodiscard]] bool parse_number(std::string_view text, double& out) noexcept;

}  // namespace mdp
