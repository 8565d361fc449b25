#include "worker_process.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <thread>

extern "C" char** environ;

namespace mdp::scenario {
namespace {

constexpr timeval tell_timeout{5, 0};

// The process has the socket as its standard input, our standard error as its standard output, and
// does not hear Ctrl-C: we decide when it ends.
int spawn(const std::vector<std::string>& command, int socket, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  posix_spawnattr_setsigmask(&attributes, &blocked);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::vector<char*> arguments;
  for (const std::string& a : command) arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);
  const int error =
      posix_spawn(&pid, command[0].c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

worker_process::worker_process(std::string name, const std::vector<std::string>& command)
    : name_(std::move(name)) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::system_error(errno, std::generic_category(), "no socket for a process of the run");
  const int error = spawn(command, ends[1], pid_);
  ::close(ends[1]);
  socket_ = ends[0];
  if (error != 0) {
    ::close(socket_);
    throw std::system_error(error, std::generic_category(),
                            fmt::format("cannot start process '{}' ({})", name_, command[0]));
  }
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &tell_timeout, sizeof tell_timeout);
}

worker_process::~worker_process() {
  ::close(socket_);
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void worker_process::tell(const std::string& text) {
  try {
    send_frame(socket_, text);
  } catch (const std::system_error& e) {
    const std::string how = condition();
    throw std::runtime_error(
        fmt::format("process '{}' {}", name_, how.empty() ? "does not listen" : how));
  }
}

std::string worker_process::condition() const {
  siginfo_t info{};
  // It stays to be waited for.
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) !=
          0 ||
      info.si_pid == 0)
    return "";
  if (info.si_code == CLD_EXITED) return fmt::format("ended with exit code {}", info.si_status);
  return fmt::format("{} signal {} ({})",
                     info.si_code == CLD_STOPPED ? "is stopped by" : "was ended by", info.si_status,
                     ::strsignal(info.si_status));
}

bool worker_process::leave(double seconds) {
  ::shutdown(socket_, SHUT_RDWR);
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  siginfo_t info{};
  for (;;) {
    info.si_pid = 0;
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    if (info.si_pid != 0) return true;
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace mdp::scenario
