#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "expand.hpp"

namespace mdp::scenario {
namespace {

constexpr std::size_t bases_max = 16;

// RFC 7396: objects are merged, null removes, all else replaces.
void merge(json_value& target, const json_value& patch) {
  if (!target.is(json_kind::object)) target = make_object();
  target.where = patch.where;
  for (const json_member& m : patch.members) {
    if (m.value.is(json_kind::null)) {
      target.erase(m.name);
      continue;
    }
    json_value* old = target.find(m.name);
    if (m.value.is(json_kind::object)) {
      json_value merged = old != nullptr ? *old : make_object();
      merge(merged, m.value);
      if (old != nullptr) {
        *old = std::move(merged);
      } else {
        target.members.push_back({m.name, m.where, std::move(merged)});
      }
    } else if (old != nullptr) {
      *old = m.value;
    } else {
      target.members.push_back(m);
    }
  }
}

json_value read_one(const std::string& path, std::vector<std::string>& chain) {
  json_value own = parse_json_file(path);
  if (!own.is(json_kind::object)) {
    fail(own, "/", fmt::format("a scenario is an object, not {}", to_string(own.kind)));
  }
  const json_value* extends = own.find("extends");
  if (extends == nullptr) return own;
  if (!extends->is(json_kind::string) || extends->text.empty()) {
    fail(*extends, "/extends", "must be the name of a file");
  }
  namespace fs = std::filesystem;
  const fs::path folder = path == "-" ? fs::path(".") : fs::path(path).parent_path();
  const std::string base_path = (folder / extends->text).lexically_normal().string();
  std::error_code ignored;
  const std::string identity = fs::weakly_canonical(base_path, ignored).string();
  if (std::find(chain.begin(), chain.end(), identity) != chain.end()) {
    fail(*extends, "/extends",
         fmt::format("the files extend each other in a circle: {}", base_path));
  }
  if (chain.size() >= bases_max) {
    fail(*extends, "/extends", fmt::format("more than {} files extend each other", bases_max));
  }
  if (!fs::is_regular_file(base_path, ignored)) {
    fail(*extends, "/extends", fmt::format("there is no file {}", base_path));
  }
  chain.push_back(identity);
  json_value merged = read_one(base_path, chain);
  own.erase("extends");
  merge(merged, own);
  return merged;
}

// Splits "run.measure_s" or "/run/measure_s".
std::vector<std::string> split_path(std::string_view path) {
  const bool is_pointer = path.starts_with('/');
  if (is_pointer) path.remove_prefix(1);
  std::vector<std::string> parts(1);
  for (const char c : path) {
    if (c == (is_pointer ? '/' : '.')) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

bool parse_index(const std::string& part, std::size_t& index) {
  if (part.empty() || part.size() > 6) return false;
  index = 0;
  for (const char c : part) {
    if (c < '0' || c > '9') return false;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return true;
}

void place(json_value& document, const std::vector<std::string>& parts, const json_value& value) {
  json_value* at = &document;
  std::string pointer;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    pointer += "/" + parts[i];
    const bool last = i + 1 == parts.size();
    if (at->is(json_kind::array)) {
      std::size_t index = 0;
      if (!parse_index(parts[i], index) || index >= at->items.size()) {
        fail(value, pointer, fmt::format("the list has items 0 to {}", at->items.size() - 1));
      }
      at = &at->items[index];
      if (last) *at = value;
      continue;
    }
    if (!at->is(json_kind::object)) {
      fail(value, pointer, fmt::format("cannot be set inside {}", to_string(at->kind)));
    }
    if (last) {
      at->set(parts[i], value);
      return;
    }
    json_value* next = at->find(parts[i]);
    if (next == nullptr) {
      json_value fresh = make_object();
      fresh.where = value.where;
      next = &at->set(parts[i], std::move(fresh));
    }
    at = next;
  }
}

void mark(json_value& value, const source_position& where) {
  value.where = where;
  for (json_value& v : value.items) mark(v, where);
  for (json_member& m : value.members) {
    m.where = where;
    mark(m.value, where);
  }
}

}  // namespace

json_value read_with_bases(const std::string& path_or_dash) {
  std::vector<std::string> chain;
  if (path_or_dash != "-") {
    std::error_code ignored;
    chain.push_back(std::filesystem::weakly_canonical(path_or_dash, ignored).string());
  }
  return read_one(path_or_dash, chain);
}

void apply_setting(json_value& document, const std::string& setting) {
  const auto equals = setting.find('=');
  const std::string path = setting.substr(0, equals);
  const std::vector<std::string> parts = split_path(path);
  const bool empty_part =
      std::any_of(parts.begin(), parts.end(), [](auto& p) { return p.empty(); });
  if (equals == std::string::npos || empty_part || parts.size() > 16) {
    throw scenario_error(
        fmt::format("--set {}: write path=value, for example --set run.measure_s=0.5", setting));
  }
  const std::string text = setting.substr(equals + 1);
  json_value value;
  try {
    value = parse_json(text, "--set");
  } catch (const scenario_error&) {
    value = make_string(text);  // a bare word is a string
  }
  mark(value, {std::make_shared<const std::string>("--set " + setting), 0, 0});
  place(document, parts, value);
  if (parts.size() == 2 && parts[0] == "vars") {
    if (json_value* sweep = document.find("sweep"); sweep != nullptr) sweep->erase(parts[1]);
  }
}

void choose_transports(json_value& document, const std::vector<std::string>& names) {
  if (names.empty()) return;
  const source_position where{std::make_shared<const std::string>("--transport"), 0, 0};
  json_value list = make_array();
  for (const std::string& n : names) list.items.push_back(make_string(n));
  mark(list, where);
  place(document, {"vars", "transport"}, list.items.front());
  const json_value* plugin = document.at("transports", "default", "plugin");
  if (plugin == nullptr || plugin->text.find("${transport}") == std::string::npos) {
    json_value reference = make_string("${transport}");
    mark(reference, where);
    place(document, {"transports", "default", "plugin"}, reference);
  }
  json_value* sweep = document.find("sweep");
  if (names.size() > 1) {
    place(document, {"sweep", "transport"}, list);
  } else if (sweep != nullptr) {
    sweep->erase("transport");
  }
  // Nothing is left to compare with when the baseline is not among them.
  const json_value* compared = document.at("compare", "var");
  const json_value* baseline = document.at("compare", "baseline");
  if (compared != nullptr && compared->text == "transport" && baseline != nullptr &&
      (names.size() == 1 || std::find(names.begin(), names.end(), baseline->text) == names.end())) {
    document.erase("compare");
  }
}

}  // namespace mdp::scenario
