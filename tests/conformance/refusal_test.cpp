// A kernel that refuses what a fast path is made of: the transport works without it and says so. A
// seccomp filter in a child process plays that kernel.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "tests/conformance/fixture.hpp"
#include "transports/common/refused_routes.hpp"

namespace mdp::conformance {
namespace {

constexpr unsigned udp_segment = 103;
constexpr unsigned udp_gro = 104;
constexpr int no_seccomp = 3;

bool install(std::span<sock_filter> program) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// From now on setting this socket option fails with `error`.
bool forbid_option(unsigned level, unsigned name, unsigned error) {
  std::array<sock_filter, 8> program{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 5, __NR_setsockopt},
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, args[1])},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, level},
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, args[2])},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, name},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  return install(program);
}

// From now on this system call fails with `error`.
bool forbid_call(unsigned number, unsigned error) {
  std::array<sock_filter, 4> program{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  return install(program);
}

class refusal : public transport_suite {
 protected:
  void SetUp() override {
    transport_suite::SetUp();
    if (IsSkipped()) return;
    if (!is_real_network()) GTEST_SKIP() << "SKIPPED: not on kernel sockets";
    if (::prctl(PR_GET_SECCOMP) < 0) GTEST_SKIP() << "SKIPPED: this kernel has no seccomp";
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
  void renew(const char* options = "{}") {
    fabric_ = plugin::create_fabric(GetParam(), options, {MDP_PLUGIN_DIR});
  }
  [[nodiscard]] bool has_fact(const std::string& name) const {
    for (const auto& [key, value] : fabric_->facts())
      if (key == name) return !value.empty();
    return false;
  }
  // Ten trains of eight datagrams arrive, each datagram once.
  [[nodiscard]] bool trains_arrive_once(port& a, port& b) {
    for (unsigned i = 0; i < 10; ++i) send_one(a, b.address(), pattern(800, i), 100);
    if (!pump_until([&] { return b.inbox.size() >= 80; })) return false;
    pump_quietly();
    if (b.inbox.size() != 80) return false;
    for (unsigned i = 0; i < 80; ++i)
      if (b.inbox[i].bytes != pattern(800, i / 8).substr(i % 8 * 100, 100)) return false;
    return true;
  }
  [[noreturn]] static void end(bool right) { std::_Exit(right ? 0 : 1); }
  static void demand(bool installed) {
    if (!installed) std::_Exit(no_seccomp);
  }

  [[noreturn]] void without_gso() {
    demand(forbid_option(IPPROTO_UDP, udp_segment, ENOPROTOOPT));
    renew();
    port& a = open();
    port& b = open();
    end(a.link->caps().segments_max == 1 && has_fact("gso_missing") && trains_arrive_once(a, b) &&
        a.link->counts().tx_unsegmented == 10);
  }
  [[noreturn]] void without_gro() {
    demand(forbid_option(IPPROTO_UDP, udp_gro, ENOPROTOOPT));
    renew();
    port& a = open();
    port& b = open();
    end(has_fact("gro_missing") && trains_arrive_once(a, b));
  }
  [[noreturn]] void with_capped_buffers() {
    demand(forbid_option(SOL_SOCKET, SO_RCVBUFFORCE, EPERM));
    renew(R"({"recv_buffer_bytes": 1073741824})");
    end(has_fact("recv_buffer_capped"));
  }
  // Only sendmmsg is refused: single sends stand for the path that takes no trains.
  [[noreturn]] void without_batches() {
    port& a = open();
    port& b = open();
    demand(forbid_call(__NR_sendmmsg, EIO));
    // One refused call, then single sends: the route is remembered.
    const bool once = trains_arrive_once(a, b);
    const auto& counts = a.link->counts();
    end(once && counts.tx_unsegmented == 10 && counts.tx_rejected == 0 && counts.tx_calls == 81);
  }
  // A full device: nothing is taken, nothing is lost, and the caller keeps the rest.
  [[noreturn]] void with_a_full_device() {
    port& a = open();
    port& b = open();
    demand(forbid_call(__NR_sendmmsg, ENOBUFS));
    buffer::tx_batch batch;
    add_item(batch, b.address(), pattern(100, 1));
    const bool kept = a.link->send(batch.pending()) == 0 && a.link->counts().tx_blocked == 1;
    end(kept && a.link->counts().tx_rejected == 0);
  }
  [[noreturn]] void with_the_network_down() {
    port& a = open();
    port& b = open();
    demand(forbid_call(__NR_sendmmsg, ENETDOWN));
    buffer::tx_batch batch;
    add_item(batch, b.address(), pattern(100, 1));
    const bool taken = a.link->send(batch.pending()) == 1;
    end(taken && a.link->counts().tx_rejected == 1 && a.link->counts().path_errors > 0);
  }
};

TEST_P(refusal, a_kernel_without_gso_is_served_datagram_by_datagram) {
  EXPECT_EXIT(without_gso(), testing::ExitedWithCode(0), "");
}

TEST_P(refusal, a_kernel_without_gro_receives_one_by_one) {
  EXPECT_EXIT(without_gro(), testing::ExitedWithCode(0), "");
}

TEST_P(refusal, a_capped_receive_buffer_is_told) {
  EXPECT_EXIT(with_capped_buffers(), testing::ExitedWithCode(0), "");
}

TEST_P(refusal, a_path_that_takes_no_trains_loses_and_repeats_nothing) {
  if (GetParam() != "socket") GTEST_SKIP() << "SKIPPED: seccomp does not see what a ring sends";
  EXPECT_EXIT(without_batches(), testing::ExitedWithCode(0), "");
}

TEST_P(refusal, a_full_device_leaves_the_rest_with_the_caller) {
  if (GetParam() != "socket") GTEST_SKIP() << "SKIPPED: seccomp does not see what a ring sends";
  EXPECT_EXIT(with_a_full_device(), testing::ExitedWithCode(0), "");
}

TEST_P(refusal, a_network_that_is_down_is_counted) {
  if (GetParam() != "socket") GTEST_SKIP() << "SKIPPED: seccomp does not see what a ring sends";
  EXPECT_EXIT(with_the_network_down(), testing::ExitedWithCode(0), "");
}

endpoint_address numbered(std::uint16_t port) {
  endpoint_address to;
  to.family = address_family::ipv4;
  to.port = port;
  return to;
}

TEST(refused_routes, one_is_tried_again_after_a_while_and_others_are_not_touched) {
  transport::refused_routes routes;
  routes.add(numbered(1));
  routes.add(numbered(2));
  EXPECT_FALSE(routes.contains(numbered(3)));
  for (unsigned i = 1; i < transport::refused_routes::trains_between_trials; ++i)
    routes.note_train(numbered(1));
  EXPECT_TRUE(routes.contains(numbered(1)));
  routes.note_train(numbered(1));
  EXPECT_FALSE(routes.contains(numbered(1)));
  EXPECT_TRUE(routes.contains(numbered(2)));
}

TEST(refused_routes, more_than_there_are_places_forget_the_oldest) {
  transport::refused_routes routes;
  constexpr auto places = static_cast<std::uint16_t>(transport::refused_routes::routes_max);
  for (std::uint16_t i = 0; i <= places; ++i) routes.add(numbered(i));
  EXPECT_FALSE(routes.contains(numbered(0)));
  EXPECT_TRUE(routes.contains(numbered(1)));
  EXPECT_TRUE(routes.contains(numbered(places)));
}

INSTANTIATE_TEST_SUITE_P(plugin, refusal, testing::ValuesIn(plugins_under_test()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace mdp::conformance
