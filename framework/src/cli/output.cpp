#include "output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace mdp::cli {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void refuse(const fs::path& path, int error, const char* remedy) {
  throw std::runtime_error(fmt::format("cannot write {}: {}; {}", path.string(),
                                       std::generic_category().message(error), remedy));
}

class file_descriptor {
 public:
  explicit file_descriptor(int fd) noexcept : fd_(fd) {}
  ~file_descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace

void prepare_output_dir(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) refuse(folder, error.value(), "choose another folder with -o");
  const fs::path probe = folder / fmt::format(".probe-{}", ::getpid());
  const file_descriptor fd(::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (fd.get() < 0) refuse(folder, errno, "choose another folder with -o");
  fs::remove(probe, error);
}

void write_file_atomically(const fs::path& target, const std::string& text) {
  const fs::path temporary = target.string() + fmt::format(".tmp-{}", ::getpid());
  const char* const remedy = "is the disk full?";
  {
    const file_descriptor fd(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (fd.get() < 0) refuse(temporary, errno, remedy);
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t n = ::write(fd.get(), text.data() + done, text.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        const int error = errno;
        ::unlink(temporary.c_str());
        refuse(target, error, remedy);
      }
      done += static_cast<std::size_t>(n);
    }
    if (::fsync(fd.get()) != 0 && errno != EINVAL) refuse(target, errno, remedy);
  }
  if (::rename(temporary.c_str(), target.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    refuse(target, error, remedy);
  }
}

scenario::json_value parse_result(const std::string& text, const std::string& file) {
  scenario::json_limits limits;
  limits.bytes_max = std::size_t{256} << 20;
  limits.values_max = 20'000'000;
  return scenario::parse_json(text, file, limits);
}

std::vector<result_text> read_results(const std::vector<std::string>& paths) {
  std::vector<result_text> out;
  for (const std::string& path : paths) {
    std::error_code error;
    std::vector<std::string> files;
    const bool folder = fs::is_directory(path, error);
    if (folder) {
      for (const fs::directory_entry& e : fs::directory_iterator(path, error)) {
        if (e.path().extension() == ".json") files.push_back(e.path().string());
      }
      std::sort(files.begin(), files.end());
    } else {
      files.push_back(path);
    }
    const std::size_t before = out.size();
    for (const std::string& file : files) {
      std::FILE* in = std::fopen(file.c_str(), "rb");
      if (in == nullptr) {
        throw std::runtime_error(fmt::format("{}: cannot open the file; check the path", file));
      }
      std::string text;
      char chunk[65536];
      for (std::size_t n = 0; (n = std::fread(chunk, 1, sizeof chunk, in)) > 0;) {
        text.append(chunk, n);
      }
      std::fclose(in);
      scenario::json_value document = parse_result(text, file);
      const scenario::json_value* schema = document.find("schema");
      const bool result = schema != nullptr && schema->text == "mdp-result/1";
      if (!result && folder) continue;  // some other JSON beside the results
      if (!result) {
        throw std::runtime_error(fmt::format("{}: not a result (schema mdp-result/1)", file));
      }
      out.push_back({file, std::move(text), std::move(document)});
    }
    if (out.size() == before) {
      throw std::runtime_error(
          fmt::format("{}: no results here; `mdp run FILE -o {}` writes them", path, path));
    }
  }
  return out;
}

void say(const std::string& text) noexcept {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

bool colour_wanted() {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

progress_printer::progress_printer(bool quiet)
    : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

progress_printer::~progress_printer() {
  clear();
}

void progress_printer::clear() {
  if (!pending_) return;
  say("\r\x1b[K");
  std::fflush(stderr);
  pending_ = false;
}

void progress_printer::line(const std::string& text) {
  if (quiet_) return;
  if (!terminal_) {
    say(fmt::format("{}\n", text));
    return;
  }
  winsize size{};
  std::size_t columns = 80;  // a terminal may say 0
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) columns = size.ws_col;
  say(fmt::format("\r\x1b[K{}", text.substr(0, columns - 1)));
  std::fflush(stderr);
  pending_ = true;
}

void progress_printer::keep(const std::string& text, bool important) {
  if (quiet_ && !important) return;
  clear();
  say(fmt::format("{}\n", text));
}

}  // namespace mdp::cli
