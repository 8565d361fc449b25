#include "gnuplot.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "files.hpp"
#include "mdp/reports/reports.hpp"

namespace mdp::reports {
namespace fs = std::filesystem;
namespace {

struct file_actions {
  file_actions() { posix_spawn_file_actions_init(&value); }
  ~file_actions() { posix_spawn_file_actions_destroy(&value); }
  file_actions(const file_actions&) = delete;
  file_actions& operator=(const file_actions&) = delete;
  posix_spawn_file_actions_t value;
};

constexpr int killed = -1;
constexpr int not_found = -2;

// Exit status, or one of the above.
int run(const std::vector<std::string>& words, const fs::path& folder, const fs::path& errors) {
  file_actions actions;
  posix_spawn_file_actions_addopen(&actions.value, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions.value, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions.value, STDERR_FILENO, errors.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_addchdir_np(&actions.value, folder.c_str());
  std::vector<std::string> copies = words;
  std::vector<char*> arguments;
  for (std::string& w : copies) arguments.push_back(w.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, arguments[0], &actions.value, nullptr, arguments.data(), environ);
  if (error != 0) return error == ENOENT ? not_found : killed;
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return killed;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : killed;
}

std::string first_complaint(const std::string& text) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (line.find_first_not_of(" \t^\r") != std::string::npos) return line;
    begin = end + 1;
  }
  return "";
}

}  // namespace

std::string gnuplot_problem() {
  const int status = run({"gnuplot", "--version"}, "/", "/dev/null");
  if (status == not_found) return "gnuplot is not installed; apt-get install gnuplot-nox";
  if (status == 0) return "";
  return fmt::format("gnuplot is installed but fails (status {}); see `gnuplot --version`", status);
}

std::string run_gnuplot(const fs::path& script, const std::string& format) {
  const fs::path errors = fs::absolute(script).replace_extension(".err");
  const int status = run({"gnuplot", "-e", "format='" + format + "'", script.filename().string()},
                         fs::absolute(script).parent_path(), errors);
  const std::string complaint = first_complaint(read_file(errors));
  std::error_code ignored;
  fs::remove(errors, ignored);
  const fs::path picture = fs::path(script).replace_extension("." + format);
  const auto size = fs::file_size(picture, ignored);
  if (status == 0 && !ignored && size > 0) return "";
  fs::remove(picture, ignored);
  return fmt::format("gnuplot could not make {} (status {}{}{})", picture.string(), status,
                     complaint.empty() ? "" : ": ", complaint);
}

}  // namespace mdp::reports
