// A plugin with one fault, chosen by macros; without any it is sound, but refuses to create a
// fabric.
#include <cstdio>

#include "mdp/transport/plugin_abi.hpp"

#ifndef MDP_BAD_ABI_VERSION
#define MDP_BAD_ABI_VERSION mdp::transport::plugin_abi_version
#endif
#ifndef MDP_BAD_ABI_TAG
#define MDP_BAD_ABI_TAG MDP_ABI_TAG
#endif
#ifndef MDP_BAD_STRUCT_BYTES
#define MDP_BAD_STRUCT_BYTES sizeof(mdp::transport::plugin_descriptor)
#endif
#ifndef MDP_BAD_KIND
#define MDP_BAD_KIND "transport"
#endif

#ifndef MDP_BAD_NO_SYMBOL
namespace {

#ifdef MDP_BAD_UNAVAILABLE
const char* unavailable() noexcept {
  return "the moon is full";
}
constexpr auto unavailable_function = &unavailable;
#else
constexpr const char* (*unavailable_function)() noexcept = nullptr;
#endif

mdp::transport::fabric* create(const char* options, char* error,
                               std::uint32_t error_bytes) noexcept {
  std::snprintf(error, error_bytes, "not today: %s", options);
  return nullptr;
}
void destroy(mdp::transport::fabric*) noexcept {}

}  // namespace

MDP_PLUGIN_EXPORT const mdp::transport::plugin_descriptor mdp_transport_plugin_v1;
const mdp::transport::plugin_descriptor mdp_transport_plugin_v1 = {
    .struct_bytes = MDP_BAD_STRUCT_BYTES,
    .abi_version = MDP_BAD_ABI_VERSION,
    .abi_tag = MDP_BAD_ABI_TAG,
    .kind = MDP_BAD_KIND,
    .name = "refusing",
    .version = "1",
    .summary = "has a fault",
    .options_schema = "{}",
    .unavailable = unavailable_function,
    .create_fabric = create,
    .destroy_fabric = destroy};
#endif
