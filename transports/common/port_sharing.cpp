#include "transports/common/port_sharing.hpp"

#include <linux/filter.h>
#include <sys/socket.h>

#include <array>

#include "mdp/transport/transport.hpp"

#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#endif

namespace mdp::transport {
namespace {

// Where the headers have them, counted from the network header.
constexpr std::uint32_t ipv4_source = 12;
constexpr std::uint32_t ipv4_source_port = 20;  // packets with IP options go astray
constexpr std::uint32_t ipv6_source = 8;
constexpr std::uint32_t ipv6_source_port = 40;  // and those with extension headers

// sharer_of() for the kernel's classic packet filter (socket(7), SO_ATTACH_REUSEPORT_CBPF): the
// value returned is the number of a socket.
class program {
 public:
  program(bool ipv6, std::uint16_t sockets) noexcept {
    load(BPF_W, ipv6 ? ipv6_source : ipv4_source);
    if (ipv6)
      for (std::uint32_t word = 1; word < 4; ++word) mix(BPF_W, ipv6_source + 4 * word);
    mix(BPF_H, ipv6 ? ipv6_source_port : ipv4_source_port);
    add(BPF_ALU | BPF_MUL | BPF_K, sharer_multiplier);
    add(BPF_ALU | BPF_RSH | BPF_K, sharer_shift);
    add(BPF_ALU | BPF_MOD | BPF_K, sockets);
    add(BPF_RET | BPF_A, 0);
  }
  [[nodiscard]] sock_fprog get() noexcept { return {count_, code_.data()}; }

 private:
  void add(unsigned code, std::uint32_t k) noexcept {
    code_[count_++] = {static_cast<std::uint16_t>(code), 0, 0, k};
  }
  void load(unsigned size, std::uint32_t at) noexcept {
    add(BPF_LD | size | BPF_ABS, static_cast<std::uint32_t>(SKF_NET_OFF) + at);
  }
  void mix(unsigned size, std::uint32_t at) noexcept {
    add(BPF_MISC | BPF_TAX, 0);
    load(size, at);
    add(BPF_ALU | BPF_XOR | BPF_X, 0);
  }

  std::array<sock_filter, 24> code_{};
  unsigned short count_ = 0;
};

}  // namespace

bool steer_by_sender(int fd, bool ipv6, std::uint16_t sockets) noexcept {
  program steering(ipv6, sockets);
  const sock_fprog filter = steering.get();
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) == 0;
}

}  // namespace mdp::transport
