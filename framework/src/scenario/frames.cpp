#include "frames.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace mdp::scenario {
namespace {

// One machine, one byte order.
using frame_length = std::uint32_t;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

void send_frame(int socket, std::string_view text) {
  const auto length = static_cast<frame_length>(text.size());
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += text;
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = ::send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) fail("cannot tell another process of the run");
    if (n > 0) sent += static_cast<std::size_t>(n);
  }
}

bool frame_reader::read(int socket, bool wait) {
  char part[65536];
  for (;;) {
    const ssize_t n = ::recv(socket, part, sizeof part, wait ? 0 : MSG_DONTWAIT);
    if (n > 0) {
      bytes_.append(part, static_cast<std::size_t>(n));
      return true;
    }
    // A process that dies with unread messages resets the connection.
    if (n == 0 || errno == ECONNRESET) return false;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
    if (errno != EINTR) fail("cannot hear another process of the run");
  }
}

std::optional<std::string> frame_reader::next() {
  frame_length length = 0;
  const std::size_t have = bytes_.size() - begin_;
  if (have < sizeof length) return std::nullopt;
  std::memcpy(&length, bytes_.data() + begin_, sizeof length);
  if (length > frame_bytes_max) throw std::runtime_error("a message that is none");
  if (have - sizeof length < length) return std::nullopt;
  std::string text = bytes_.substr(begin_ + sizeof length, length);
  begin_ += sizeof length + length;
  if (begin_ == bytes_.size()) {
    bytes_.clear();
    begin_ = 0;
  }
  return text;
}

}  // namespace mdp::scenario
