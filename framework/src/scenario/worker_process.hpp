// A process that runs a part of a repetition, as the process that asked for the run sees it.
// Belongs to one thread. Goes with this object: killed, and waited for.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "frames.hpp"

namespace mdp::scenario {

class worker_process {
 public:
  // `command`: a program that calls serve_worker(), with its arguments. Throws std::system_error.
  worker_process(std::string name, const std::vector<std::string>& command);
  ~worker_process();
  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] int socket() const noexcept { return socket_; }
  // Throws std::runtime_error when the process does not take it within 5 s.
  void tell(const std::string& text);
  // What has come; false: the process has closed its end, which it does by ending.
  bool read() { return reader_.read(socket_, false); }
  [[nodiscard]] std::optional<std::string> next() { return reader_.next(); }
  // How it ended, or that it is stopped: "was ended by signal 9 (Killed)". Empty: it runs.
  [[nodiscard]] std::string condition() const;
  // Closes the connection and waits so long for its end; false: it still runs.
  bool leave(double seconds);

 private:
  std::string name_;
  pid_t pid_ = -1;
  int socket_ = -1;
  frame_reader reader_;
};

}  // namespace mdp::scenario
