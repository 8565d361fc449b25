#include "tests/bench/raw/raw_harness.hpp"

#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>

namespace mdp::raw_bench {
namespace {

constexpr int buffer_bytes = 8 << 20;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

// The first and the last cpu that this process may use; the same one when there is only one.
void pin(bool last) {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  std::size_t chosen = CPU_SETSIZE;
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    chosen = cpu;
    if (!last) break;
  }
  if (chosen == CPU_SETSIZE) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(chosen, &one);
  ::sched_setaffinity(0, sizeof one, &one);
}

double cpu_seconds_of(std::thread& thread) {
  clockid_t clock{};
  timespec t{};
  if (::pthread_getcpuclockid(thread.native_handle(), &clock) != 0) return 0;
  if (::clock_gettime(clock, &t) != 0) return 0;
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void sleep_for(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

// What both threads have done and used so far.
struct reading {
  std::int64_t at;
  std::uint64_t sent, arrived;
  double cpu_seconds;
};

}  // namespace

file::file(int fd, const char* what) : fd_(fd) {
  if (fd < 0) fail(what);
}
file::~file() {
  if (fd_ >= 0) ::close(fd_);
}
file::file(file&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

file udp_socket() {
  file socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "cannot open a UDP socket");
  // Forced where privileged, else as much as the system allows.
  if (::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes) !=
      0)
    set_option(socket, SOL_SOCKET, SO_RCVBUF, buffer_bytes, "cannot set SO_RCVBUF");
  limit_waiting(socket);
  return socket;
}

void limit_waiting(const file& socket) {
  const timeval patience{0, 50'000};
  if (::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
    fail("cannot set SO_RCVTIMEO");
}

sockaddr_in bind_loopback(const file& socket) {
  union {
    sockaddr any;
    sockaddr_in v4;
  } address{};
  address.v4.sin_family = AF_INET;
  address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(socket.fd(), &address.any, sizeof address.v4) != 0) fail("cannot bind to 127.0.0.1");
  socklen_t size = sizeof address;
  if (::getsockname(socket.fd(), &address.any, &size) != 0) fail("cannot read the bound address");
  return address.v4;
}

void connect_to(const file& socket, const sockaddr_in& to) {
  union {
    sockaddr any;
    sockaddr_in v4;
  } address{};
  address.v4 = to;
  if (::connect(socket.fd(), &address.any, sizeof address.v4) != 0) fail("cannot connect");
}

void set_option(const file& socket, int level, int name, int value, const char* what) {
  if (::setsockopt(socket.fd(), level, name, &value, sizeof value) != 0) fail(what);
}

tcp_pair connected_tcp() {
  const file listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "cannot open a TCP socket");
  const sockaddr_in address = bind_loopback(listener);
  file from(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "cannot open a TCP socket");
  if (::listen(listener.fd(), 1) != 0) fail("cannot listen on 127.0.0.1");
  connect_to(from, address);
  file to(::accept(listener.fd(), nullptr, nullptr), "cannot accept a TCP connection");
  for (const file* end : {&from, &to})
    set_option(*end, IPPROTO_TCP, TCP_NODELAY, 1, "cannot set TCP_NODELAY");
  return {std::move(from), std::move(to)};
}

rate run_pair(const options& o, const side& sender, const side& receiver) {
  tally sent;
  tally arrived;
  std::thread taking([&] {
    pin(true);
    receiver(arrived);
  });
  std::thread giving([&] {
    pin(false);
    sender(sent);
  });
  const auto read = [&] {
    return reading{now_ns(), sent.count(), arrived.count(),
                   cpu_seconds_of(giving) + cpu_seconds_of(taking)};
  };
  sleep_for(o.warm_up_seconds);
  const reading begin = read();
  sleep_for(o.seconds);
  const reading end = read();
  arrived.stop();
  taking.join();
  sent.stop();
  giving.join();
  rate result;
  result.sent = end.sent - begin.sent;
  result.arrived = end.arrived - begin.arrived;
  result.cpu_seconds = end.cpu_seconds - begin.cpu_seconds;
  result.per_second =
      static_cast<double>(result.arrived) / (static_cast<double>(end.at - begin.at) * 1e-9);
  return result;
}

rate guarded(const std::function<rate()>& measure) {
  try {
    return measure();
  } catch (const std::exception& e) {
    rate none;
    none.note = e.what();
    return none;
  }
}

void round_trip_times::summarize(rate& result) {
  if (times_.empty()) return;
  const auto at = [&](double share) {
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(times_.size() - 1));
    std::nth_element(times_.begin(), times_.begin() + static_cast<std::ptrdiff_t>(rank),
                     times_.end());
    return static_cast<double>(times_[rank]) / 1e3;
  };
  result.p50_us = at(0.5);
  result.p99_us = at(0.99);
}

std::int64_t now_ns() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

}  // namespace mdp::raw_bench
