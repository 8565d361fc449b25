// Threads wait for each other between phases; when one fails, all are let through.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

namespace mdp::scenario {

class gate {
 public:
  explicit gate(std::size_t threads) : threads_(threads) {}
  // False: somebody has failed.
  bool arrive() {
    std::unique_lock lock(mutex_);
    const std::uint64_t round = round_;
    if (++waiting_ == threads_) {
      waiting_ = 0;
      ++round_;
      moved_.notify_all();
    } else {
      moved_.wait(lock, [&] { return round_ != round || failed_; });
    }
    return !failed_;
  }
  // The first reason stays.
  void fail(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (!failed_) error_ = why;
    failed_ = true;
    moved_.notify_all();
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  // To be read when the threads have ended.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  std::size_t threads_;
  std::size_t waiting_ = 0;
  std::uint64_t round_ = 0;
  std::atomic<bool> failed_{false};
  std::string error_;
};

}  // namespace mdp::scenario
