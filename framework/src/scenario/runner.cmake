# Runs scenarios: threads or virtual time, and the result documents.
find_package(nlohmann_json REQUIRED)
mdp_component(runner
  HEADERS ${MDP_INCLUDE}/scenario/runner.hpp ${MDP_INCLUDE}/scenario/worker.hpp
  SOURCES agent.cpp agent.hpp frames.cpp frames.hpp gate.hpp host_info.cpp host_info.hpp
    peer_processes.cpp peer_processes.hpp
    process_plan.cpp process_plan.hpp record_text.cpp record_text.hpp repetition.cpp repetition.hpp
    result_writer.cpp result_writer.hpp run_json.cpp run_json.hpp
    run_processes.cpp run_real.cpp run_record.hpp run_trace.cpp run_trace.hpp
    run_virtual.cpp runner.cpp serve_worker.cpp share_run.cpp share_run.hpp
    statistics.hpp steady_state.cpp steady_state.hpp worker_process.cpp worker_process.hpp
  LINK mdp::transport
  PRIVATE_LINK mdp::trace mdp::workload mdp::runtime mdp::messaging_raw mdp::plugin
    mdp::scenario fmt::fmt nlohmann_json::nlohmann_json Threads::Threads)
target_compile_definitions(mdp_runner PRIVATE MDP_VERSION="${PROJECT_VERSION}"
  MDP_BUILD_FLAGS="${CMAKE_BUILD_TYPE}")
