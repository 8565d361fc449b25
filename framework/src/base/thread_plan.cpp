#include "mdp/base/thread_plan.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace mdp {
namespace {

constexpr std::array layout_names{"inline", "single", "pair", "pipeline", "sharded"};
constexpr std::array idle_names{"park", "yield", "spin"};
constexpr std::string_view sharded_prefix = "sharded:";

template <class Names>
std::size_t position(const Names& names, std::string_view word) noexcept {
  std::size_t i = 0;
  while (i < names.size() && word != names[i]) ++i;
  return i;
}

}  // namespace

result<thread_plan, std::string> parse_thread_plan(std::string_view text) {
  thread_plan plan;
  if (text.starts_with(sharded_prefix)) {
    const std::string_view digits = text.substr(sharded_prefix.size());
    const char* const end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, plan.shards);
    if (error != std::errc() || at != end || plan.shards < 1 || plan.shards > shards_max)
      return failure(fmt::format("threads: '{}': sharded takes 1 .. {} threads, as in sharded:2",
                                 text, shards_max));
    plan.layout = thread_layout::sharded;
    return plan;
  }
  const std::size_t i = position(layout_names, text);
  if (i >= static_cast<std::size_t>(thread_layout::sharded))
    return failure(
        fmt::format("threads: '{}' is not one of inline, single, pair, pipeline, sharded:N", text));
  plan.layout = static_cast<thread_layout>(i);
  return plan;
}

std::string to_string(const thread_plan& plan) {
  if (plan.layout == thread_layout::sharded)
    return std::string(sharded_prefix) + std::to_string(plan.shards);
  return layout_names[static_cast<std::size_t>(plan.layout)];
}

result<idle_strategy, std::string> parse_idle_strategy(std::string_view text) {
  const std::size_t i = position(idle_names, text);
  if (i == idle_names.size())
    return failure(fmt::format("idle: '{}' is not one of park, yield, spin", text));
  return static_cast<idle_strategy>(i);
}

const char* to_string(idle_strategy s) noexcept {
  return idle_names[static_cast<std::size_t>(s)];
}

}  // namespace mdp
