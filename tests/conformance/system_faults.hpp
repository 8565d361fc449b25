// The kernel as a test wants it: calls of sendmsg, sendmmsg and recvmmsg of this process, and the
// sends and receives that it gives to an io_uring, fail as told. Works by symbols of the executable
// that stand before those of the libraries; what is not to fail goes to the kernel.
#pragma once
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace mdp::conformance {

struct send_attempt {
  std::size_t number;  // counted from 0 over all attempts since set_faults(), failed ones too
  bool train;          // with segmentation offload
  std::uint16_t port;  // the receiver's
};

struct fault_plan {
  // 0: to the kernel; else the error that this attempt meets instead.
  std::function<int(const send_attempt&)> on_send;
  // The same for each call that asks for datagrams, by its number.
  std::function<int(std::size_t)> on_receive;
  // A batch of sends ends after so many.
  std::size_t batch_max = ~std::size_t{0};
};

// From now on; an empty plan lets everything pass.
void set_faults(fault_plan plan);
// Since then.
[[nodiscard]] std::size_t send_attempts();
// False: this kernel cannot be made to fail the sends of an io_uring (it is older than 6.10).
[[nodiscard]] bool rings_can_fail();

}  // namespace mdp::conformance
