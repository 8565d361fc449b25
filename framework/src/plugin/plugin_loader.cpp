#include "mdp/plugin/plugin_loader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string_view>
#include <system_error>

#include "library.hpp"

namespace mdp::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view file_prefix = "mdp_transport_";
constexpr std::string_view file_suffix = ".so";
constexpr std::size_t error_bytes = 512;

std::string or_empty(const char* text) {
  return text ? text : "";
}

plugin_info describe(const std::string& path) {
  const loaded_library& library = load_library(path);
  plugin_info info;
  info.path = path;
  info.abi_version = library.abi_version;
  if (const auto* d = library.descriptor) {
    info.name = d->name;
    info.version = or_empty(d->version);
    info.summary = or_empty(d->summary);
    info.options_schema = or_empty(d->options_schema);
    if (d->unavailable) info.unavailable = or_empty(d->unavailable());
    return info;
  }
  // The descriptor cannot be trusted: the file's name has to do.
  const std::string file = fs::path(path).filename();
  info.name =
      file.starts_with(file_prefix) && file.ends_with(file_suffix)
          ? file.substr(file_prefix.size(), file.size() - file_prefix.size() - file_suffix.size())
          : file;
  info.unavailable = library.refusal;
  return info;
}

std::vector<std::string> plugin_files(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    if (name.size() > file_prefix.size() + file_suffix.size() && name.starts_with(file_prefix) &&
        name.ends_with(file_suffix)) {
      files.push_back(at->path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Edits (insert, delete, replace) that turn one name into the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string not_found(const std::string& name, const std::vector<plugin_info>& found,
                      const std::vector<std::string>& directories) {
  std::vector<std::string> names;
  for (const auto& info : found) names.push_back(info.name);
  std::string hint;
  const auto distance = [&](const std::string& n) { return edit_distance(name, n); };
  const auto nearest = std::min_element(
      names.begin(), names.end(), [&](auto& a, auto& b) { return distance(a) < distance(b); });
  if (nearest != names.end() && distance(*nearest) <= std::max<std::size_t>(2, name.size() / 3))
    hint = fmt::format(", did you mean '{}'?", *nearest);
  return fmt::format(
      "transport plugin '{}' not found{} (found: {}; searched: {}; add a directory with "
      "MDP_PLUGIN_PATH)",
      name, hint, names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")),
      fmt::join(directories, ", "));
}

plugin_info find_plugin(const std::string& name, const std::vector<std::string>& extra) {
  // A path names a file and is not searched for.
  if (name.find('/') != std::string::npos) {
    if (std::error_code error; !fs::is_regular_file(name, error)) {
      throw plugin_error(fmt::format("transport plugin '{}': no such file", name));
    }
    return describe(name);
  }
  const auto found = list_plugins(extra);
  const auto at = std::find_if(found.begin(), found.end(),
                               [&](const plugin_info& i) { return i.name == name; });
  if (at == found.end()) throw plugin_error(not_found(name, found, plugin_search_path(extra)));
  return *at;
}

}  // namespace

std::vector<std::string> plugin_search_path(const std::vector<std::string>& extra_directories) {
  std::vector<std::string> path = extra_directories;
  if (const char* text = std::getenv("MDP_PLUGIN_PATH")) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const auto colon = std::min(rest.find(':'), rest.size());
      if (colon > 0) path.emplace_back(rest.substr(0, colon));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path above = program.parent_path().parent_path();
    path.push_back(above / "lib" / "mdp" / "plugins");
    const fs::path installed = above / MDP_INSTALL_LIBDIR / "mdp" / "plugins";
    if (installed != path.back()) path.push_back(installed);
  }
  return path;
}

std::vector<plugin_info> list_plugins(const std::vector<std::string>& extra_directories) {
  std::vector<plugin_info> found;
  for (const auto& directory : plugin_search_path(extra_directories)) {
    for (const auto& file : plugin_files(directory)) {
      plugin_info info = describe(file);
      const bool known = std::any_of(found.begin(), found.end(),
                                     [&](const plugin_info& i) { return i.name == info.name; });
      if (!known) found.push_back(std::move(info));
    }
  }
  std::sort(found.begin(), found.end(),
            [](const plugin_info& a, const plugin_info& b) { return a.name < b.name; });
  return found;
}

std::string options_refusal(const std::string& name, const std::string& options_json) {
  for (const plugin_info& info : list_plugins()) {
    if (info.name != name || !info.unavailable.empty()) continue;
    const auto* descriptor = load_library(info.path).descriptor;
    std::array<char, error_bytes> error{};
    transport::fabric* made =
        descriptor->create_fabric(options_json.c_str(), error.data(), error_bytes);
    error.back() = '\0';
    if (made == nullptr) return error[0] ? error.data() : "it gave no reason";
    descriptor->destroy_fabric(made);
  }
  return {};
}

std::shared_ptr<transport::fabric> create_fabric(
    const std::string& name, const std::string& options_json,
    const std::vector<std::string>& extra_directories) {
  const plugin_info info = find_plugin(name, extra_directories);
  if (!info.unavailable.empty()) {
    throw plugin_error(fmt::format("transport plugin '{}' cannot be used: {}: {}", info.name,
                                   info.path, info.unavailable));
  }
  const auto* descriptor = load_library(info.path).descriptor;
  std::array<char, error_bytes> error{};
  transport::fabric* made =
      descriptor->create_fabric(options_json.c_str(), error.data(), error_bytes);
  if (!made) {
    error.back() = '\0';
    throw plugin_error(fmt::format("transport plugin '{}' refused to start: {}", info.name,
                                   error[0] ? error.data() : "it gave no reason"));
  }
  // The library outlives every object: load_library() never lets one go.
  return {made, [descriptor](transport::fabric* f) { descriptor->destroy_fabric(f); }};
}

}  // namespace mdp::plugin
