#include "mdp/base/number.hpp"

#include <version>

#if defined(__cpp_lib_to_chars)
#include <charconv>
#else
#include <locale.h>
#include <stdlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#endif

namespace mdp {

#if defined(__cpp_lib_to_chars)

bool parse_number(std::string_view text, double& out) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

#else

// libc++ 14 has no std::from_chars for floating point.
bool parse_number(std::string_view text, double& out) noexcept {
  static const locale_t c_locale = newlocale(LC_ALL_MASK, "C", nullptr);
  std::array<char, 512> terminated{};
  if (text.empty() || text.size() >= terminated.size()) return false;
  // strtod takes more than from_chars: blanks, a sign + in front, hexadecimal digits.
  if (text[0] == '+' || text.find_first_of(" \t\n\v\f\rxX") != std::string_view::npos) return false;
  std::memcpy(terminated.data(), text.data(), text.size());
  char* end = nullptr;
  errno = 0;
  out = strtod_l(terminated.data(), &end, c_locale);
  return errno == 0 && end == terminated.data() + text.size();
}

#endif

}  // namespace mdp
