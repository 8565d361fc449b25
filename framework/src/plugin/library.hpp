// One shared object that may be a plugin: opened once, checked, never closed.
//
// Ownership: the process keeps every opened library until it ends. Threading: set-up only.
// Errors: a file that is no usable plugin has no descriptor but a reason fit for a user.
#pragma once
#include <string>

#include "mdp/transport/plugin_abi.hpp"

namespace mdp::plugin {

struct loaded_library {
  const transport::plugin_descriptor* descriptor = nullptr;  // checked; null: see `refusal`
  std::string refusal;
  std::uint32_t abi_version = 0;  // as the file says, 0 when it could not be asked
};

// The same object for the same path, however often it is asked for.
[[nodiscard]] const loaded_library& load_library(const std::string& path);

// Why a descriptor cannot be used here; empty: it can. Reads a member only after those that
// say whether it is where it seems to be.
[[nodiscard]] std::string check_descriptor(const transport::plugin_descriptor& d);

}  // namespace mdp::plugin
