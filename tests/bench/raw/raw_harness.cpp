#include "tests/bench/raw/raw_harness.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
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

double thread_cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

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
  // Lets a blocking receiver see the end of the run.
  const timeval patience{0, 50'000};
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return socket;
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

rate run_pair(const options& o, const std::function<std::uint64_t(const stop_flag&)>& sender,
              const std::function<std::uint64_t(const stop_flag&)>& receiver) {
  using clock = std::chrono::steady_clock;
  stop_flag stop_sending = false;
  stop_flag stop_receiving = false;
  rate result;
  double receiver_cpu = 0;
  double sender_cpu = 0;
  clock::duration span{};
  std::thread taking([&] {
    pin(true);
    const auto start = clock::now();
    result.arrived = receiver(stop_receiving);
    span = clock::now() - start;
    receiver_cpu = thread_cpu_seconds();
  });
  std::thread giving([&] {
    pin(false);
    result.sent = sender(stop_sending);
    sender_cpu = thread_cpu_seconds();
  });
  std::this_thread::sleep_for(std::chrono::duration<double>(o.seconds));
  stop_receiving = true;
  taking.join();
  stop_sending = true;
  giving.join();
  result.cpu_seconds = receiver_cpu + sender_cpu;
  result.per_second =
      static_cast<double>(result.arrived) / std::chrono::duration<double>(span).count();
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

}  // namespace mdp::raw_bench
