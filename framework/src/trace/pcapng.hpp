// Packets of a simulation with what they met, as a pcapng file (draft-ietf-opsawg-pcapng) for
// Wireshark: one interface for each link, one more for what it dropped ("client-0/up dropped"), one
// for what each node received. The comment of a packet is its fate. Datagrams stand in IPv4 and UDP
// headers made up from the node numbers: node n is 10.x.y.z with n = x * 65536 + y * 256 + z.
#pragma once
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "mdp/transport/packet_observer.hpp"

namespace mdp::trace {

inline constexpr std::uint16_t made_up_port = 4433;

class pcapng_writer final : public transport::packet_observer {
 public:
  // Throws std::runtime_error.
  explicit pcapng_writer(const std::string& file);
  ~pcapng_writer() override;
  pcapng_writer(const pcapng_writer&) = delete;
  pcapng_writer& operator=(const pcapng_writer&) = delete;
  void on_place(std::uint32_t place, std::string_view name) noexcept override;
  void on_packet(const transport::packet_event& event, std::span<const std::byte> first,
                 std::span<const buffer::slice> rest) noexcept override;
  // Throws when any of it could not be written.
  void close();

 private:
  static constexpr std::uint32_t no_interface = 0xffffffffu;
  struct place_state {
    std::string name;
    std::uint32_t passing = no_interface;
    std::uint32_t dropped = no_interface;
  };
  [[nodiscard]] std::uint32_t interface_of(const transport::packet_event& event);
  void begin_packet(const transport::packet_event& event, std::span<const std::byte> first,
                    std::span<const buffer::slice> rest);
  void end_packet();
  void flush();

  std::string name_;
  std::FILE* file_;
  std::vector<place_state> places_;
  std::uint32_t interfaces_ = 0;
  std::string packet_;   // block of the last packet up to its options, empty: none
  std::string comment_;  // of that packet: later events may add to it
  std::string buffer_;
  int error_ = 0;
};

}  // namespace mdp::trace
