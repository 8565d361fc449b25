#include "mdp/netsim/crew.hpp"

namespace mdp::netsim {

crew::crew(unsigned threads, std::function<void(std::uint32_t)> work)
    : work_(std::move(work)), round_(threads) {
  for (unsigned i = 1; i < threads; ++i) {
    others_.emplace_back([this] {
      for (;;) {
        round_.arrive_and_wait();
        if (over_) return;
        take_pieces();
        round_.arrive_and_wait();
      }
    });
  }
}

crew::~crew() {
  over_ = true;
  round_.arrive_and_wait();
  for (std::thread& t : others_) t.join();
}

void crew::each(std::uint32_t count) noexcept {
  count_ = count;
  next_.store(0, std::memory_order_relaxed);
  round_.arrive_and_wait();
  take_pieces();
  round_.arrive_and_wait();
}

void crew::take_pieces() noexcept {
  for (;;) {
    const std::uint32_t piece = next_.fetch_add(1, std::memory_order_relaxed);
    if (piece >= count_) return;
    work_(piece);
  }
}

}  // namespace mdp::netsim
