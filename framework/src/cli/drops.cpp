#include "drops.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mdp/scenario/json_value.hpp"
#include "output.hpp"

namespace mdp::cli {
namespace {

using scenario::json_value;

constexpr std::size_t columns_max = 100;
constexpr std::string_view list_prefix = "dropped.";

std::string text_at(const json_value& value, std::string_view name) {
  const json_value* found = value.find(name);
  return found == nullptr ? "" : found->text;
}

// "1,2,3" as indented lines of "1 2 3".
std::string wrapped(const std::string& numbers) {
  std::string out;
  std::size_t column = columns_max;
  for (std::size_t begin = 0; begin < numbers.size();) {
    const std::size_t end = std::min(numbers.find(',', begin), numbers.size());
    const std::size_t width = end - begin + 1;
    if (column + width > columns_max) {
      out += out.empty() ? "   " : "\n   ";
      column = 3;
    }
    out += ' ' + numbers.substr(begin, end - begin);
    column += width;
    begin = end + 1;
  }
  return out + '\n';
}

std::string run_text(const json_value& result, const json_value& run, const json_value& facts) {
  std::string out = point_name(result);
  std::uint64_t sum = 0;
  for (const auto& m : facts.members) {
    if (m.name.starts_with("packets_dropped_")) sum += std::stoull(m.value.text);
  }
  out += fmt::format(", run {}, seed {}: {} packets dropped\n", text_at(run, "index"),
                     text_at(facts, "seed"), sum);
  for (const auto& m : facts.members) {
    if (!m.name.starts_with(list_prefix)) continue;
    const std::string link = m.name.substr(list_prefix.size());
    out += link_drops_text(link, text_at(facts, "drops." + link), m.value.text);
  }
  const std::string unlisted = text_at(facts, "links_with_drops_not_listed");
  if (!unlisted.empty()) out += fmt::format("  {} more links dropped packets\n", unlisted);
  return out;
}

}  // namespace

std::string link_drops_text(const std::string& link, const std::string& total,
                            const std::string& numbers) {
  const auto listed = static_cast<std::size_t>(std::count(numbers.begin(), numbers.end(), ',')) + 1;
  const std::string bound =
      std::to_string(listed) == total ? "" : fmt::format(", the first {}", listed);
  return fmt::format("  {} dropped {}{}:\n{}", link, total, bound, wrapped(numbers));
}

std::string drops_text(const std::vector<std::string>& result_texts) {
  std::string out;
  for (const std::string& text : result_texts) {
    const json_value result = parse_result(text, "result");
    const json_value* runs = result.find("runs");
    if (runs == nullptr) continue;
    for (const json_value& run : runs->items) {
      const json_value* facts = run.find("facts");
      if (facts == nullptr || facts->find("virtual_time_ns") == nullptr) continue;
      out += run_text(result, run, *facts);
    }
  }
  return out;
}

}  // namespace mdp::cli
