// Messages between the processes of a run: JSON text behind its length, over a stream socket.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mdp::scenario {

// Larger ones are refused: a program that speaks something else shall not make us allocate.
inline constexpr std::size_t frame_bytes_max = std::size_t{256} << 20;

// Waits for room as long as the socket's SO_SNDTIMEO allows. Throws std::system_error.
void send_frame(int socket, std::string_view text);

class frame_reader {
 public:
  // Reads what is there; `wait`: at least a byte. False: the other end is closed.
  // Throws std::system_error.
  bool read(int socket, bool wait);
  // The next whole message that has come. Throws std::runtime_error when it is too large.
  [[nodiscard]] std::optional<std::string> next();

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

}  // namespace mdp::scenario
