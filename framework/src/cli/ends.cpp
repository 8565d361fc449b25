#include "ends.hpp"

#include <fmt/format.h>

#include "mdp/scenario/json_value.hpp"
#include "output.hpp"

namespace mdp::cli {
namespace {

using scenario::json_value;

struct count_name {
  const char* key;
  const char* words;
};
constexpr count_name lost_ends[] = {{"expired", "unresolved"},
                                    {"unknown", "unknown"},
                                    {"timed_out", "timed out"},
                                    {"refused", "refused"},
                                    {"orphaned", "orphaned"}};
constexpr count_name peer_ends[] = {{"downs", "peers reported down"},
                                    {"crashes", "processes ended"},
                                    {"restarts", "processes begun anew"}};

std::uint64_t count_at(const json_value& run, const char* section, const char* key) {
  const json_value* found = run.at(section, key);
  return found == nullptr ? 0 : found->as_unsigned().value_or(0);
}

// ", 3 unresolved" for each that is not zero.
std::string messages_text(const json_value& run) {
  std::string out;
  for (const auto& [key, words] : lost_ends) {
    const std::uint64_t count = count_at(run, "messages", key);
    if (count > 0) out += fmt::format(", {} {}", count, words);
  }
  return out;
}

// "; processes ended: 1" for each that is not zero.
std::string peers_text(const json_value& run) {
  std::string out;
  for (const auto& [key, words] : peer_ends) {
    const std::uint64_t count = count_at(run, "peers", key);
    if (count > 0) out += fmt::format("; {}: {}", words, count);
  }
  return out;
}

}  // namespace

std::string ends_text(const std::vector<std::string>& result_texts) {
  std::string out;
  for (const std::string& text : result_texts) {
    const json_value result = parse_result(text, "result");
    const json_value* runs = result.find("runs");
    if (runs == nullptr) continue;
    for (const json_value& run : runs->items) {
      const std::string lost = messages_text(run);
      const std::string peers = peers_text(run);
      if (lost.empty() && peers.empty()) continue;
      const json_value* index = run.find("index");
      out += fmt::format("{}, run {}: of {} messages\n  {} completed{}{}\n", point_name(result),
                         index == nullptr ? "" : index->text, count_at(run, "offered", "messages"),
                         count_at(run, "messages", "completed"), lost, peers);
    }
  }
  return out;
}

}  // namespace mdp::cli
