#include "tests/conformance/system_faults.hpp"

#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#if MDP_HAS_LIBURING
#include <liburing.h>
#endif

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace mdp::conformance {
namespace {

fault_plan plan;
std::size_t sends = 0;
std::size_t receives = 0;
int held_back = 0;  // the error of a message that ended a batch: the next call meets it

bool is_train(const msghdr& message) {
  auto* m = const_cast<msghdr*>(&message);
  for (cmsghdr* c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_SEGMENT) return true;
  return false;
}

int next_send_error(const msghdr& message) {
  if (held_back != 0) return std::exchange(held_back, 0);
  const std::size_t number = sends++;
  if (!plan.on_send) return 0;
  // The port is at the same place in the addresses of both families.
  const auto* to = static_cast<const sockaddr_in*>(message.msg_name);
  return plan.on_send({number, is_train(message), to ? ntohs(to->sin_port) : std::uint16_t{0}});
}

int next_receive_error() {
  const std::size_t number = receives++;
  return plan.on_receive ? plan.on_receive(number) : 0;
}

int fail(int error) {
  errno = error;
  return -1;
}

}  // namespace

void set_faults(fault_plan wanted) {
  plan = std::move(wanted);
  sends = receives = 0;
  held_back = 0;
}

std::size_t send_attempts() {
  return sends;
}

bool rings_can_fail() {
  utsname name{};
  int major = 0;
  int minor = 0;
  if (::uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major, &minor) != 2) return false;
  return major > 6 || (major == 6 && minor >= 10);
}

}  // namespace mdp::conformance

#define MDP_STANDS_BEFORE extern "C" __attribute__((visibility("default")))

MDP_STANDS_BEFORE ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  const int error = mdp::conformance::next_send_error(*message);
  if (error != 0) return mdp::conformance::fail(error);
  return ::syscall(SYS_sendmsg, fd, message, flags);
}

MDP_STANDS_BEFORE int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  int sent = 0;
  for (; static_cast<unsigned>(sent) < count; ++sent) {
    if (static_cast<std::size_t>(sent) == mdp::conformance::plan.batch_max) return sent;
    const int error = mdp::conformance::next_send_error(messages[sent].msg_hdr);
    if (error != 0 && sent > 0) mdp::conformance::held_back = error;
    if (error != 0) return sent > 0 ? sent : mdp::conformance::fail(error);
    const long bytes = ::syscall(SYS_sendmsg, fd, &messages[sent].msg_hdr, flags);
    if (bytes < 0) return sent > 0 ? sent : -1;
    messages[sent].msg_len = static_cast<unsigned>(bytes);
  }
  return sent;
}

MDP_STANDS_BEFORE int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags,
                               timespec* timeout) {
  const int error = mdp::conformance::next_receive_error();
  if (error != 0) return mdp::conformance::fail(error);
  return static_cast<int>(::syscall(SYS_recvmmsg, fd, messages, count, flags, timeout));
}

#if MDP_HAS_LIBURING
namespace mdp::conformance {
namespace {

// The entry becomes one that does nothing and completes with this result (Linux 6.10).
void make_fail(io_uring_sqe& entry, int error) {
  constexpr int inject_result = 1;
  const auto tag = entry.user_data;
  entry = {};
  entry.opcode = IORING_OP_NOP;
  entry.fd = -1;
  entry.rw_flags = inject_result;
  entry.len = static_cast<unsigned>(-error);
  entry.user_data = tag;
}

void apply_faults(io_uring& ring) {
  for (unsigned i = ring.sq.sqe_head; i != ring.sq.sqe_tail; ++i) {
    io_uring_sqe& entry = ring.sq.sqes[i & *ring.sq.kring_mask];
    int error = 0;
    if (entry.opcode == IORING_OP_SENDMSG)
      error = next_send_error(*reinterpret_cast<const msghdr*>(entry.addr));
    if (entry.opcode == IORING_OP_RECVMSG) error = next_receive_error();
    if (error != 0) make_fail(entry, error);
  }
}

}  // namespace
}  // namespace mdp::conformance

MDP_STANDS_BEFORE int io_uring_submit_and_get_events(io_uring* ring) {
  using function = int (*)(io_uring*);
  static const auto next =
      reinterpret_cast<function>(::dlsym(RTLD_NEXT, "io_uring_submit_and_get_events"));
  mdp::conformance::apply_faults(*ring);
  return next(ring);
}
#endif
