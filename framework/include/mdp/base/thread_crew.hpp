// A crew with threads of its own, which sleep between two rounds of work.
#pragma once
#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

#include "mdp/base/crew.hpp"

namespace mdp {

class thread_crew final : public crew {
 public:
  // The caller of each() counts: threads - 1 are started. 1 or more.
  explicit thread_crew(unsigned threads) : threads_(threads), round_(threads) {
    for (unsigned i = 1; i < threads; ++i) others_.emplace_back([this] { help(); });
  }
  thread_crew(const thread_crew&) = delete;
  thread_crew& operator=(const thread_crew&) = delete;
  ~thread_crew() override {
    what_ = nullptr;
    round_.arrive_and_wait();
    for (std::thread& t : others_) t.join();
  }

  [[nodiscard]] unsigned threads() const noexcept override { return threads_; }
  void each(std::uint32_t count, work& what) noexcept override {
    count_ = count;
    what_ = &what;
    next_.store(0, std::memory_order_relaxed);
    round_.arrive_and_wait();
    take_pieces();
    round_.arrive_and_wait();
  }

 private:
  void help() noexcept {
    for (;;) {
      round_.arrive_and_wait();
      if (what_ == nullptr) return;
      take_pieces();
      round_.arrive_and_wait();
    }
  }
  void take_pieces() noexcept {
    for (;;) {
      const std::uint32_t number = next_.fetch_add(1, std::memory_order_relaxed);
      if (number >= count_) return;
      what_->piece(number);
    }
  }

  unsigned threads_;
  std::barrier<> round_;  // begins and ends a round
  work* what_ = nullptr;  // null: it is over
  std::uint32_t count_ = 0;
  std::atomic<std::uint32_t> next_{0};
  std::vector<std::thread> others_;
};

}  // namespace mdp
