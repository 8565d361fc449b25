// Two pinned threads, one bounded run, sockets on loopback: shared by the raw programs.
// Everything here throws std::system_error when the system refuses; the public functions turn that
// into a note.
#pragma once
#include <netinet/in.h>

#include <atomic>
#include <functional>
#include <vector>

#include "tests/bench/raw/raw_bench.hpp"

namespace mdp::raw_bench {

class file {
 public:
  explicit file(int fd, const char* what);  // throws when fd is negative
  ~file();
  file(file&& other) noexcept;
  file& operator=(file&&) = delete;
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

[[nodiscard]] file udp_socket();
// A blocking receiver looks up after 50 ms, to see the end of the run.
void limit_waiting(const file& socket);
// Binds to any port of 127.0.0.1 and returns where.
[[nodiscard]] sockaddr_in bind_loopback(const file& socket);
void connect_to(const file& socket, const sockaddr_in& to);
void set_option(const file& socket, int level, int name, int value, const char* what);

// Both ends of a TCP connection on loopback, TCP_NODELAY.
struct tcp_pair {
  file from, to;
};
[[nodiscard]] tcp_pair connected_tcp();

// What one thread of a run knows of it: when to stop, and how much it has done. Only its own
// thread adds; the line is its own, so that counting costs nothing.
class alignas(128) tally {
 public:
  [[nodiscard]] bool stopped() const noexcept { return stop_.load(std::memory_order_relaxed); }
  void add(std::uint64_t n) noexcept { count_.store(count() + n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t count() const noexcept {
    return count_.load(std::memory_order_relaxed);
  }
  void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> count_{0};
};

using side = std::function<void(tally&)>;

// Runs both, each on its cpu, and reads their counts and their threads' time at the begin and at
// the end of the window. The receiver is stopped first.
[[nodiscard]] rate run_pair(const options& o, const side& sender, const side& receiver);

// Turns what `measure` throws into a note.
[[nodiscard]] rate guarded(const std::function<rate()>& measure);

// Round-trip times of one thread, in nanoseconds; memory for the first `room` of them.
class round_trip_times {
 public:
  explicit round_trip_times(std::size_t room = 1 << 20) { times_.reserve(room); }
  void add(std::int64_t ns) {
    if (times_.size() < times_.capacity()) times_.push_back(static_cast<std::uint32_t>(ns));
  }
  // Sorts; fills p50_us and p99_us.
  void summarize(rate& result);

 private:
  std::vector<std::uint32_t> times_;
};

// Of the monotonic clock, in nanoseconds.
[[nodiscard]] std::int64_t now_ns() noexcept;

}  // namespace mdp::raw_bench
