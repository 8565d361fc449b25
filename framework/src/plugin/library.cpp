#include "library.hpp"

#include <fmt/format.h>

#include <boost/dll/shared_library.hpp>
#include <map>
#include <string_view>

namespace mdp::plugin {
namespace {

struct kept_library {
  boost::dll::shared_library file;
  loaded_library result;
};

void open_and_check(const std::string& path, kept_library& kept) {
  std::error_code error;
  kept.file.load(path, error, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  if (error || !kept.file.is_loaded()) {
    kept.result.refusal =
        "not a loadable shared object: damaged, unreadable, of another machine type, or a library "
        "it needs is missing (ldd -r tells which); rebuild it";
    return;
  }
  if (!kept.file.has(transport::plugin_symbol)) {
    kept.result.refusal = fmt::format("exports no symbol '{}': not an MDP transport plugin",
                                      transport::plugin_symbol);
    return;
  }
  const auto& d = kept.file.get<const transport::plugin_descriptor>(transport::plugin_symbol);
  kept.result.abi_version = d.abi_version;
  kept.result.refusal = check_descriptor(d);
  if (kept.result.refusal.empty()) kept.result.descriptor = &d;
}

}  // namespace

std::string check_descriptor(const transport::plugin_descriptor& d) {
  if (d.abi_version != transport::plugin_abi_version) {
    return fmt::format("built for plugin ABI {}, this program has {}; rebuild the plugin",
                       d.abi_version, transport::plugin_abi_version);
  }
  if (d.struct_bytes != sizeof(transport::plugin_descriptor)) {
    return fmt::format("its descriptor has {} bytes instead of {}; rebuild the plugin",
                       d.struct_bytes, sizeof(transport::plugin_descriptor));
  }
  if (!d.abi_tag || std::string_view(d.abi_tag) != MDP_ABI_TAG) {
    return fmt::format("built with '{}', this program with '{}'; build both alike",
                       d.abi_tag ? d.abi_tag : "", MDP_ABI_TAG);
  }
  if (!d.kind || std::string_view(d.kind) != "transport") {
    return fmt::format("is a plugin of kind '{}', not 'transport'", d.kind ? d.kind : "");
  }
  if (!d.name || !*d.name || !d.create_fabric || !d.destroy_fabric) {
    return "its descriptor lacks a name or a function; the plugin is faulty";
  }
  return {};
}

const loaded_library& load_library(const std::string& path) {
  // Deliberately never destroyed: objects and code of a plugin may be in use until the very end.
  static auto* const libraries = new std::map<std::string, kept_library>;
  const auto [at, is_new] = libraries->try_emplace(path);
  if (is_new) open_and_check(path, at->second);
  return at->second.result;
}

}  // namespace mdp::plugin
