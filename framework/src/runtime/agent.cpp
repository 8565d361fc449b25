#include "agent.hpp"

#include <pthread.h>

#include <exception>
#include <system_error>

namespace mdp::runtime {
namespace {

// Without anything to do a thread still looks up this often: a lost wake-up would cost no more.
constexpr duration longest_sleep = std::chrono::milliseconds(20);

void settle(const thread_options& options) {
  ::pthread_setname_np(::pthread_self(), options.name.substr(0, 15).c_str());
  if (options.cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (options.cpu < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(options.cpu), &set);
  if (const int error = ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set); error != 0)
    throw std::system_error(error, std::generic_category(),
                            "cpus: cannot run on cpu " + std::to_string(options.cpu) +
                                " (`nproc` and `taskset -p $$` say which there are)");
}

}  // namespace

agent_thread::agent_thread(const thread_options& options, const maker& make) : idle_(options.idle) {
  std::exception_ptr error;
  std::binary_semaphore ready(0);
  thread_ = std::thread([this, &error, &ready, &options, &make] {
    std::unique_ptr<agent> mine;
    try {
      settle(options);
      mine = make();
    } catch (...) {
      error = std::current_exception();
    }
    agent_ = mine.get();
    ready.release();  // what was captured is gone after this
    if (mine) run(*mine);
  });
  ready.acquire();
  if (!error) return;
  thread_.join();
  std::rethrow_exception(error);
}

agent_thread::~agent_thread() {
  stop_.store(true, std::memory_order_release);
  agent_->wake();
  woken_.release();
  thread_.join();
}

void agent_thread::run(agent& a) noexcept {
  const duration longest = idle_ == idle_strategy::park ? longest_sleep : duration::zero();
  while (!stop_.load(std::memory_order_acquire)) {
    a.work(longest);
    if (idle_ == idle_strategy::yield) std::this_thread::yield();
  }
  woken_.acquire();
}

thread_options thread_of(const thread_plan& plan, std::size_t n, const char* name) {
  const int cpu = plan.cpus.empty() ? -1 : plan.cpus[n % plan.cpus.size()];
  return {name, plan.idle, cpu};
}

}  // namespace mdp::runtime
