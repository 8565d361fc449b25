// The loader's surroundings in tests: fixed, so that messages do not depend on what is built here.
#pragma once
#include "mdp/netsim/fabric.hpp"
#include "mdp/scenario/loader.hpp"

namespace mdp::scenario::testing {

inline load_context fixed_context() {
  load_context context;
  context.plugin_names = [] { return std::vector<std::string>{"io_uring", "netsim", "socket"}; };
  context.plugin_options_schema = [](const std::string& plugin) -> std::optional<std::string> {
    if (plugin == "netsim") return std::nullopt;
    return R"({"type": "object", "properties": {
      "receive_buffer_bytes": {"type": "integer", "minimum": 4096},
      "offload": {"type": "string", "enum": ["auto", "off"]}}})";
  };
  context.protocol_keys = [](const std::string&) {
    return std::vector<protocol_key>{
        {"min_packet_bytes", "bytes", "smallest path", 1200, 65507, 1200, {}},
        {"peer_timeout_ms", "ms", "silence before giving up", 1, 1e6, 8, {}}};
  };
  context.options_refusal = [](const std::string&, const std::string& options) -> std::string {
    try {
      static_cast<void>(netsim::make_fabric(options.c_str()));
    } catch (const netsim::options_error& e) {
      return e.what();
    }
    return {};
  };
  context.memory_bytes = [] { return std::uint64_t{8'000'000'000}; };
  return context;
}

}  // namespace mdp::scenario::testing
