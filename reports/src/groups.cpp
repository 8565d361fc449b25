// Which results share an axis.
#include <algorithm>
#include <cstdlib>

#include "figures.hpp"
#include "plots.hpp"

namespace mdp::reports {
namespace {

std::string words_of(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string stem_of(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    out += plain ? c : '-';
  }
  return out.empty() ? "results" : out;
}

// Different names may have one stem: "a b" and "a/b".
std::string unused_stem(const std::vector<result_group>& groups, const std::string& wanted) {
  std::string stem = wanted;
  const auto taken = [&stem](const result_group& g) { return g.file_stem == stem; };
  for (int n = 2; std::any_of(groups.begin(), groups.end(), taken); ++n) {
    stem = wanted + "-" + std::to_string(n);
  }
  return stem;
}

// 1000, 4000, 16000 rather than the order of the files. Only numbers have an order that readers
// expect.
void sort_by_number(result_group& group) {
  const std::vector<std::string> names = varying_names(group.results);
  if (names.size() != 1) return;
  const auto number = [&names](const result_document* r) {
    const std::string text = value_of(r->point, names.front());
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return text.empty() || *end != '\0' ? std::nullopt : figure(value);
  };
  if (!std::all_of(group.results.begin(), group.results.end(), number)) return;
  std::stable_sort(group.results.begin(), group.results.end(),
                   [&number](const auto* a, const auto* b) { return *number(a) < *number(b); });
}

void label(result_group& group) {
  std::vector<std::string> names = varying_names(group.results);
  for (const result_document* r : group.results) {
    std::string text;
    if (names.size() == 1) {
      text = value_of(r->point, names.front());
      // "socket" speaks for itself; "64" does not.
      const bool bare = text.find_first_not_of("0123456789.-+e") == std::string::npos;
      if (bare || text == "true" || text == "false") text.insert(0, names.front() + "=");
    } else if (!names.empty()) {
      text = point_text(*r, names);
    }
    if (text.empty()) text = value_of(r->point, "transport");
    if (text.empty()) text = point_text(*r);
    if (text.empty()) text = group.results.size() == 1 || r->id.empty() ? r->scenario : r->id;
    const auto same = std::count(group.labels.begin(), group.labels.end(), text);
    group.labels.push_back(same > 0 ? text + " (" + r->id + ")" : text);
  }
}

}  // namespace

std::vector<result_group> group_results(const std::vector<result_document>& results) {
  std::vector<result_group> out;
  for (const result_document& r : results) {
    result_group key;
    key.kind = main_kind(r);
    key.name = r.scenario + (r.pattern.empty() ? "" : ", " + words_of(r.pattern));
    const auto found = std::find_if(out.begin(), out.end(), [&key](const result_group& g) {
      // A failed point measured no latency; it belongs with its scenario's others all the same.
      return g.name == key.name && (g.kind == key.kind || g.kind.empty() || key.kind.empty());
    });
    if (found != out.end()) {
      found->results.push_back(&r);
      if (found->kind.empty()) found->kind = key.kind;
      continue;
    }
    key.file_stem =
        unused_stem(out, stem_of(r.scenario + (r.pattern.empty() ? "" : "-" + r.pattern)));
    key.results.push_back(&r);
    out.push_back(std::move(key));
  }
  for (result_group& group : out) {
    sort_by_number(group);
    label(group);
  }
  return out;
}

}  // namespace mdp::reports
