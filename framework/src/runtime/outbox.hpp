// Events on their way from the threads of a node to its application: each is taken once, by
// whichever thread polls. What one producer puts in comes out in its order.
#pragma once
#include "mdp/messaging/messenger.hpp"
#include "parking.hpp"
#include "shared_queue.hpp"

namespace mdp::runtime {

class outbox {
 public:
  // One for each producing thread.
  using token = producer_token;
  [[nodiscard]] token make_token() { return token(events_); }

  void put(const token& producer, messaging::event&& e) noexcept {
    put_surely([&] { return events_.enqueue(producer, std::move(e)); });
  }
  // After the last of several.
  void wake() noexcept { readers_.wake_one(); }

  [[nodiscard]] std::size_t take(std::span<messaging::event> out) noexcept {
    const std::size_t n = events_.try_dequeue_bulk(out.data(), out.size());
    if (n == out.size() && !empty()) readers_.wake_one();  // there is work for another one
    return n;
  }
  [[nodiscard]] bool empty() const noexcept { return events_.size_approx() == 0; }
  void sleep(duration longest) noexcept {
    readers_.sleep(longest, [this] { return !empty(); });
  }

 private:
  shared_queue<messaging::event> events_;
  parking readers_;
};

}  // namespace mdp::runtime
