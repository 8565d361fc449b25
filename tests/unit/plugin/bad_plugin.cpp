// A plugin with one fault, chosen by macros; without any it is sound, but refuses to create a
// fabric.
#include <cstdio>

#include "mdp/transport/plugin_abi.hpp"

#ifndef BAD_ABI_VERSION
#define BAD_ABI_VERSION mdp::transport::plugin_abi_version
#endif
#ifndef BAD_ABI_TAG
#define BAD_ABI_TAG MDP_ABI_TAG
#endif
#ifndef BAD_STRUCT_BYTES
#define BAD_STRUCT_BYTES sizeof(mdp::transport::plugin_descriptor)
#endif
#ifndef BAD_KIND
#define BAD_KIND "transport"
#endif

#ifndef BAD_NO_SYMBOL
namespace {

#ifdef BAD_UNAVAILABLE
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
    .struct_bytes = BAD_STRUCT_BYTES,
    .abi_version = BAD_ABI_VERSION,
    .abi_tag = BAD_ABI_TAG,
    .kind = BAD_KIND,
    .name = "refusing",
    .version = "1",
    .summary = "has a fault",
    .options_schema = "{}",
    .unavailable = unavailable_function,
    .create_fabric = create,
    .destroy_fabric = destroy};
#endif
