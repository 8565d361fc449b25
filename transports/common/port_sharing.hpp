// Several sockets at one address and port, each of which gets all that some senders send.
#pragma once
#include <cstdint>

namespace mdp::transport {

// Lets the kernel steer by sharer_of(): what an address sends comes to the socket of that number,
// in the order of binding. `fd` is bound, with SO_REUSEPORT, as the others are. False (and errno):
// the kernel refused (SO_ATTACH_REUSEPORT_CBPF is of Linux 4.5).
[[nodiscard]] bool steer_by_sender(int fd, bool ipv6, std::uint16_t sockets) noexcept;

}  // namespace mdp::transport
