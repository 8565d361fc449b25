#include "output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
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

std::string point_name(const scenario::json_value& result) {
  const scenario::json_value* name = result.find("scenario");
  std::string out = name == nullptr ? "" : name->text;
  if (const scenario::json_value* point = result.find("point")) {
    for (const scenario::json_member& m : point->members) {
      const bool plain = m.value.is(scenario::json_kind::string) || m.value.is_number();
      out += fmt::format(" {}={}", m.name, plain ? m.value.text : scenario::dump(m.value));
    }
  }
  return out;
}

scenario::json_value parse_result(const std::string& text, const std::string& file) {
  scenario::json_limits limits;
  limits.bytes_max = std::size_t{256} << 20;
  limits.values_max = 20'000'000;
  return scenario::parse_json(text, file, limits);
}

namespace {

std::string whole_file(const std::string& file) {
  std::FILE* in = std::fopen(file.c_str(), "rb");
  if (in == nullptr) {
    throw std::runtime_error(fmt::format("{}: cannot open the file; check the path", file));
  }
  std::string text;
  char chunk[65536];
  for (std::size_t n = 0; (n = std::fread(chunk, 1, sizeof chunk, in)) > 0;) text.append(chunk, n);
  std::fclose(in);
  return text;
}

// Nothing when the file is JSON of another kind. Throws what is wrong with it.
std::optional<result_text> read_result(const std::string& file) {
  result_text out{file, whole_file(file), {}};
  out.document = parse_result(out.text, file);
  const scenario::json_value* schema = out.document.find("schema");
  if (schema == nullptr || schema->text != "mdp-result/1") return std::nullopt;
  return out;
}

std::vector<std::string> json_files(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const fs::directory_entry& e : fs::directory_iterator(folder, error)) {
    if (e.path().extension() == ".json") files.push_back(e.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void read_folder(const std::string& folder, result_set& out) {
  const std::size_t before = out.results.size();
  const std::size_t damaged_before = out.damaged.size();
  for (const std::string& file : json_files(folder)) {
    try {
      if (auto result = read_result(file)) out.results.push_back(std::move(*result));
    } catch (const std::runtime_error& e) {
      out.damaged.emplace_back(e.what());
    }
  }
  if (out.results.size() > before) return;
  if (out.damaged.size() > damaged_before) throw std::runtime_error(out.damaged[damaged_before]);
  throw std::runtime_error(
      fmt::format("{}: no results here; `mdp run FILE -o {}` writes them", folder, folder));
}

}  // namespace

std::vector<fs::path> result_files(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const std::string& file : json_files(folder.string())) {
    const std::string stem = fs::path(file).stem().string();
    const bool id =
        stem.size() == 12 && stem.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (id) out.emplace_back(file);
  }
  return out;
}

result_set read_results(const std::vector<std::string>& paths) {
  result_set out;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      read_folder(path, out);
      continue;
    }
    auto result = read_result(path);
    if (!result) {
      throw std::runtime_error(fmt::format("{}: not a result (schema mdp-result/1)", path));
    }
    out.results.push_back(std::move(*result));
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
