#include "mdp/runtime/stats.hpp"

namespace mdp {

// Names are identifiers: nothing has to be escaped.
std::string to_json(const messaging::statistics& all) {
  std::string text = "{";
  for (const auto& [name, value] : all) {
    if (text.size() > 1) text += ",";
    text += "\"" + name + "\":" + std::to_string(value);
  }
  return text + "}";
}

std::string to_text(const messaging::statistics& all) {
  std::string text;
  for (const auto& [name, value] : all) {
    if (value == 0) continue;
    if (!text.empty()) text += ",";
    text += name + "=" + std::to_string(value);
  }
  return text;
}

std::uint64_t value_of(const messaging::statistics& all, std::string_view name) noexcept {
  for (const auto& [known, value] : all)
    if (known == name) return value;
  return 0;
}

}  // namespace mdp
