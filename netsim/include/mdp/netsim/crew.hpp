// Threads that share pieces of work, again and again. The caller works too and waits for the rest.
// One caller at a time; what it did before each() is seen by all, and what they did by it after.
#pragma once
#include <atomic>
#include <barrier>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace mdp::netsim {

class crew {
 public:
  // `work` is called with the number of a piece; it must not throw.
  crew(unsigned threads, std::function<void(std::uint32_t)> work);
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;
  ~crew();

  // Does pieces 0 .. count - 1, in any order, several at a time.
  void each(std::uint32_t count) noexcept;

 private:
  void take_pieces() noexcept;

  std::function<void(std::uint32_t)> work_;
  std::barrier<> round_;  // begins and ends a round
  std::uint32_t count_ = 0;
  std::atomic<std::uint32_t> next_{0};
  bool over_ = false;
  std::vector<std::thread> others_;
};

}  // namespace mdp::netsim
