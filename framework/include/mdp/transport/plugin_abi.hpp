// What a transport plugin exports: one `extern "C"` const descriptor of scalars and C strings.
// The loader checks size, version and tag before any C++ object crosses; a mismatch is refused.
// Plugins are never unloaded.
#pragma once
#include <cstdint>

#include "mdp/transport/transport.hpp"

namespace mdp::transport {

inline constexpr std::uint32_t plugin_abi_version = 4;
inline constexpr const char* plugin_symbol = "mdp_transport_plugin_v1";

#define MDP_ABI_STR2(x) #x
#define MDP_ABI_STR(x) MDP_ABI_STR2(x)
#if defined(__clang__)
#define MDP_ABI_COMPILER "clang" MDP_ABI_STR(__clang_major__)
#else
#define MDP_ABI_COMPILER "g++" MDP_ABI_STR(__GNUC__)
#endif
#if defined(_GLIBCXX_USE_CXX11_ABI)
#define MDP_ABI_LIBRARY "libstdc++-cxx11abi" MDP_ABI_STR(_GLIBCXX_USE_CXX11_ABI)
#else
#define MDP_ABI_LIBRARY "libc++"
#endif
#if defined(_GLIBCXX_DEBUG)
#define MDP_ABI_DEBUG "-glibcxxdebug"
#else
#define MDP_ABI_DEBUG ""
#endif
#if defined(__SANITIZE_ADDRESS__)
#define MDP_ABI_SANITIZER "-asan"
#elif defined(__SANITIZE_THREAD__)
#define MDP_ABI_SANITIZER "-tsan"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MDP_ABI_SANITIZER "-asan"
#elif __has_feature(thread_sanitizer)
#define MDP_ABI_SANITIZER "-tsan"
#else
#define MDP_ABI_SANITIZER ""
#endif
#else
#define MDP_ABI_SANITIZER ""
#endif
// Everything that decides whether C++ objects of two binaries understand each other.
#define MDP_ABI_TAG \
  MDP_ABI_COMPILER  \
  "-c++" MDP_ABI_STR(__cplusplus) "-" MDP_ABI_LIBRARY MDP_ABI_DEBUG MDP_ABI_SANITIZER

struct plugin_descriptor {
  std::uint32_t struct_bytes;  // sizeof(plugin_descriptor) at the plugin's build
  std::uint32_t abi_version;
  const char* abi_tag;
  const char* kind;     // "transport"
  const char* name;     // "socket"
  const char* version;  // "0.1.0"
  const char* summary;  // one line for `mdp list transports`
  // JSON Schema (an object) of the options that create_fabric takes; properties only, no
  // references.
  const char* options_schema;
  // Null when usable here; else why not (kernel too old, forbidden), in a static string.
  const char* (*unavailable)() noexcept;
  // A new fabric, or nullptr with a reason written to `error` (NUL-terminated, cut to error_bytes).
  // `options_json` was validated against options_schema's property names and types by the host.
  fabric* (*create_fabric)(const char* options_json, char* error,
                           std::uint32_t error_bytes) noexcept;
  void (*destroy_fabric)(fabric* f) noexcept;
};

}  // namespace mdp::transport

#define MDP_PLUGIN_EXPORT extern "C" __attribute__((visibility("default")))
