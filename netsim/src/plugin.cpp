// The loadable module's only export.
#include <algorithm>
#include <cstring>
#include <exception>

#include "mdp/netsim/fabric.hpp"
#include "mdp/transport/plugin_abi.hpp"

namespace {

void report(const char* message, char* error, std::uint32_t error_bytes) noexcept {
  if (error_bytes == 0) return;
  const std::size_t length = std::min<std::size_t>(std::strlen(message), error_bytes - 1);
  std::memcpy(error, message, length);
  error[length] = '\0';
}

mdp::transport::fabric* create_fabric(const char* options_json, char* error,
                                      std::uint32_t error_bytes) noexcept {
  try {
    return mdp::netsim::make_fabric(options_json).release();
  } catch (const std::exception& e) {
    report(e.what(), error, error_bytes);
  }
  return nullptr;
}

void destroy_fabric(mdp::transport::fabric* f) noexcept {
  delete f;
}

const char* unavailable() noexcept {
  return nullptr;
}

}  // namespace

MDP_PLUGIN_EXPORT const mdp::transport::plugin_descriptor mdp_transport_plugin_v1;
const mdp::transport::plugin_descriptor mdp_transport_plugin_v1 = {
    sizeof(mdp::transport::plugin_descriptor),
    mdp::transport::plugin_abi_version,
    MDP_ABI_TAG,
    "transport",
    "netsim",
    "0.1.0",
    "simulated network in virtual time: seeded loss, rate, delay, jitter, queues",
    mdp::netsim::network_options_schema(),
    unavailable,
    create_fabric,
    destroy_fabric,
};
