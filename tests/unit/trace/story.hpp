// A short made-up simulation for recorders and comparers.
#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "mdp/transport/packet_observer.hpp"

namespace mdp::trace::test {

using transport::packet_event;
using transport::packet_fate;

// Two nodes on one star: places 0 to 2 and 3 to 5. Every fate occurs.
inline std::vector<packet_event> story() {
  std::vector<packet_event> out;
  const auto add = [&](std::int64_t time, std::uint32_t place, packet_fate fate,
                       std::uint64_t number, std::uint32_t bytes, std::int64_t travel = 0) {
    packet_event e{.time_ns = time, .arrive_ns = time + travel, .number = number};
    e.chain = out.size() * 0x9e3779b97f4a7c15u + 1;
    e.place = place;
    e.from = place / 3;
    e.to = 1 - place / 3;
    e.bytes = bytes;
    e.queued = travel > 0 ? 2 : 0;
    e.fate = fate;
    out.push_back(e);
  };
  add(0, 2, packet_fate::wake_up, 0, 0);
  add(0, 0, packet_fate::sent, 0, 1200, 25'000'000);
  add(5, 0, packet_fate::lost, 1, 1200);
  add(400'000, 0, packet_fate::queue_full, 2, 40);
  add(1'000'000, 0, packet_fate::sent, 3, 88, 25'000'000);
  add(1'000'000, 0, packet_fate::duplicated, 3, 88, 26'000'000);
  add(1'000'001, 0, packet_fate::damaged, 3, 88);
  add(1'000'001, 0, packet_fate::held, 3, 88, 40'000);
  add(9'000'000, 3, packet_fate::too_large, 0, 65507);
  add(25'000'000, 5, packet_fate::delivered, 0, 1200);
  add(25'000'000, 3, packet_fate::no_carrier, 1, 24);
  add(26'000'000, 5, packet_fate::closed, 3, 88);
  add(3'600'000'000'000, 0, packet_fate::sent, (std::uint64_t{1} << 42) - 1, 1, 3'600'000'000'000);
  return out;
}

// Tells `observer` the story, as a simulator would.
template <class Observer>
void tell(Observer& observer, const std::vector<packet_event>& events) {
  const char* names[] = {"a/up", "a/down", "a", "b/up", "b/down", "b"};
  for (std::uint32_t i = 0; i < std::size(names); ++i) observer.on_place(i, names[i]);
  for (const packet_event& e : events) observer.on_packet(e, {}, {});
}

// A file of this test, gone at its end.
struct scratch_file {
  explicit scratch_file(const std::string& name)
      : path((std::filesystem::temp_directory_path() / (name + std::to_string(::getpid())))
                 .string()) {}
  ~scratch_file() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  [[nodiscard]] std::string text() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }

  std::string path;
};

}  // namespace mdp::trace::test
