# How this project declares a component, a transport plugin and a test.
# Sources are always listed one by one; a lint test fails on a file that no list names.

# mdp_component(<name> SOURCES ... [HEADERS ...] [LINK ...] [PRIVATE_LINK ...])
# A static library mdp_<name>, alias mdp::<name>. HEADERS are public (below framework/include).
function(mdp_component name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;LINK;PRIVATE_LINK" ${ARGN})
  add_library(mdp_${name} STATIC ${ARG_SOURCES})
  add_library(mdp::${name} ALIAS mdp_${name})
  target_sources(mdp_${name} PUBLIC FILE_SET HEADERS
    BASE_DIRS "${PROJECT_SOURCE_DIR}/framework/include" FILES ${ARG_HEADERS})
  target_include_directories(mdp_${name} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(mdp_${name} PUBLIC ${ARG_LINK}
    PRIVATE $<BUILD_INTERFACE:mdp_flags> ${ARG_PRIVATE_LINK})
endfunction()

# mdp_transport_plugin(<name> SOURCES ... [LINK ...])
# A loadable module lib/mdp/plugins/mdp_transport_<name>.so that exports one descriptor.
function(mdp_transport_plugin name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(mdp_transport_${name} MODULE ${ARG_SOURCES})
  set_target_properties(mdp_transport_${name} PROPERTIES
    PREFIX "" LIBRARY_OUTPUT_DIRECTORY "${MDP_PLUGIN_OUTPUT_DIRECTORY}")
  target_link_libraries(mdp_transport_${name} PRIVATE mdp_flags mdp::transport ${ARG_LINK})
  target_link_options(mdp_transport_${name} PRIVATE -Wl,-z,nodelete)
  install(TARGETS mdp_transport_${name}
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/mdp/plugins")
endfunction()

# mdp_test(<kind>.<name> SOURCES ... [LINK ...] [LABELS ...])
# One GoogleTest executable; each of its cases is a CTest test <kind>.<name>/<Suite>.<Case>,
# labelled <kind>.
function(mdp_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  string(REGEX REPLACE "\\..*" "" kind "${name}")
  string(REPLACE "." "_" target "test_${name}")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${target} ${ARG_SOURCES})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE mdp_flags ${ARG_LINK} GTest::gmock_main)
  target_compile_definitions(${target} PRIVATE
    MDP_PLUGIN_DIR="${MDP_PLUGIN_OUTPUT_DIRECTORY}" MDP_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    MDP_BINARY_DIR="${CMAKE_BINARY_DIR}")
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  gtest_discover_tests(${target} TEST_PREFIX "${name}/" DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${kind};${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

# mdp_benchmark(<name> SOURCES ... [LINK ...])
# A Google Benchmark executable bin/<name>_bench; a short run of it is the test bench.<name>.
function(mdp_benchmark name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  find_package(benchmark REQUIRED)
  add_executable(${name}_bench ${ARG_SOURCES})
  target_include_directories(${name}_bench PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name}_bench PRIVATE mdp_flags ${ARG_LINK} benchmark::benchmark)
  add_test(NAME bench.${name} COMMAND ${name}_bench --benchmark_min_time=0.01)
  set_tests_properties(bench.${name} PROPERTIES LABELS bench RUN_SERIAL ON TIMEOUT 120)
endfunction()
