# Options, and the compiler settings that hold for every target.
include(GNUInstallDirs)

option(MDP_BUILD_TESTS "Build the tests" ON)
option(MDP_BUILD_BENCHMARKS "Build the benchmarks" ON)
option(MDP_BUILD_FUZZERS "Build libFuzzer targets (clang only)" OFF)
option(MDP_WERROR "Treat warnings as errors" ON)
set(MDP_SANITIZE "" CACHE STRING "Sanitizers: empty, 'address,undefined' or 'thread'")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(MDP_PLUGIN_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib/mdp/plugins")

find_program(MDP_CCACHE ccache)
if(MDP_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${MDP_CCACHE}")
endif()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)

# Every target links this: warnings, sanitizers, C++20.
add_library(mdp_flags INTERFACE)
target_compile_options(mdp_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast $<$<BOOL:${MDP_WERROR}>:-Werror>)
if(MDP_SANITIZE)
  target_compile_options(mdp_flags INTERFACE -fsanitize=${MDP_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all
    # GCC 12 loses track of std::function inside std::regex under sanitizers (GCC bug 105562).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  if(MDP_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # For the queues between threads (framework/src/runtime/shared_queue.hpp).
    target_compile_options(mdp_flags INTERFACE -Wno-tsan -Wno-invalid-memory-model)
  endif()
  target_link_options(mdp_flags INTERFACE -fsanitize=${MDP_SANITIZE})
endif()
