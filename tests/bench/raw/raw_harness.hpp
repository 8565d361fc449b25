// Two pinned threads, one bounded run, sockets on loopback: shared by the raw programs.
// Everything here throws std::system_error when the system refuses; the public functions turn that
// into a note.
#pragma once
#include <netinet/in.h>

#include <atomic>
#include <functional>

#include "tests/bench/raw/raw_bench.hpp"

namespace mdp::raw_bench {

using stop_flag = std::atomic<bool>;

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
// Binds to any port of 127.0.0.1 and returns where.
[[nodiscard]] sockaddr_in bind_loopback(const file& socket);
void connect_to(const file& socket, const sockaddr_in& to);
void set_option(const file& socket, int level, int name, int value, const char* what);

// Runs both until the time is up; each returns how many messages it sent or got.
[[nodiscard]] rate run_pair(const options& o,
                            const std::function<std::uint64_t(const stop_flag&)>& sender,
                            const std::function<std::uint64_t(const stop_flag&)>& receiver);

// Turns what `measure` throws into a note.
[[nodiscard]] rate guarded(const std::function<rate()>& measure);

}  // namespace mdp::raw_bench
