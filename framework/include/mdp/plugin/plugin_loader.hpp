// Finds and loads transport plugins with Boost.DLL.
//
// Searched, in order: explicit directories, $MDP_PLUGIN_PATH (colon-separated), the build's or the
// install's own directory relative to the executable (../lib/mdp/plugins, ../<libdir>/mdp/plugins).
// Nowhere else. Plugins stay loaded until the process ends. Not thread-safe: load at set-up.
#pragma once
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "mdp/transport/plugin_abi.hpp"

namespace mdp::plugin {

// what() is one line: which plugin, which file or searched directories, why, and what to do.
class plugin_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct plugin_info {
  std::string name;
  std::string path;  // of the shared object
  std::string version;
  std::string summary;
  std::string options_schema;  // JSON text
  std::uint32_t abi_version = 0;
  std::string
      unavailable;  // empty: usable; else why not (also: refused by the ABI check, damaged file)
};

[[nodiscard]] std::vector<std::string> plugin_search_path(
    const std::vector<std::string>& extra_directories = {});

// Every file mdp_transport_*.so on the search path, usable or not; of two with one name the first
// found wins. Sorted by name. Never throws for a bad plugin: it is listed with its reason.
[[nodiscard]] std::vector<plugin_info> list_plugins(
    const std::vector<std::string>& extra_directories = {});

// A fabric of the named plugin. The pointer's deleter keeps the library alive.
// Throws plugin_error: not found (lists what was found and where it looked), ABI mismatch,
// unavailable, or refused by create_fabric.
[[nodiscard]] std::shared_ptr<transport::fabric> create_fabric(
    const std::string& name, const std::string& options_json = "{}",
    const std::vector<std::string>& extra_directories = {});

// Why the named plugin refuses these options; empty: it takes them, or it cannot be asked here (not
// found, unavailable). Makes a fabric and drops it: meant for simulators, which hold nothing.
[[nodiscard]] std::string options_refusal(const std::string& name, const std::string& options_json);

}  // namespace mdp::plugin
