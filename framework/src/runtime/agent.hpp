// A unit of work, and the thread that runs one. An agent does not know its thread: the same agents
// make up every layout.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>

#include "mdp/base/thread_plan.hpp"
#include "mdp/base/time.hpp"

namespace mdp::runtime {

class agent {
 public:
  virtual ~agent() = default;
  // Does what there is to do. With nothing to do it may sleep, for `longest` at most: until wake(),
  // or until more has come.
  virtual void work(duration longest) noexcept = 0;
  // Ends such a sleep, from any thread.
  virtual void wake() noexcept = 0;
};

// How one thread of a node runs.
struct thread_options {
  std::string name;  // at most 15 characters are shown by the system
  idle_strategy idle = idle_strategy::park;
  int cpu = -1;  // < 0: any
};

class agent_thread {
 public:
  using maker = std::function<std::unique_ptr<agent>()>;

  // Starts a thread, which makes its agent, runs it and destroys it: some belong to one thread from
  // first to last. Throws what `make` throws; std::system_error when `cpu` cannot be used.
  agent_thread(const thread_options& options, const maker& make);
  // The agent's turn is finished first.
  ~agent_thread();
  agent_thread(const agent_thread&) = delete;
  agent_thread& operator=(const agent_thread&) = delete;

 private:
  void run(agent& a) noexcept;

  idle_strategy idle_;
  std::atomic<bool> stop_{false};
  agent* agent_ = nullptr;          // the thread's
  std::binary_semaphore woken_{0};  // for the last time: the agent may go
  std::thread thread_;
};

// The n-th thread of a node by this plan.
[[nodiscard]] thread_options thread_of(const thread_plan& plan, std::size_t n, const char* name);

}  // namespace mdp::runtime
