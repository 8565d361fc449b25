// A path with a small MTU: a loopback of its own, in a network namespace of a thread of its own.
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <thread>

#include "tests/conformance/fixture.hpp"

namespace mdp::conformance {
namespace {

constexpr int mtu_bytes = 1400;

// Moves the calling thread into a fresh network whose loopback is up with that MTU.
bool enter_small_network() {
  if (::unshare(CLONE_NEWNET) != 0) return false;
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_mtu = mtu_bytes;
  bool done = fd >= 0 && ::ioctl(fd, SIOCSIFMTU, &request) == 0;
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  done = done && ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  if (fd >= 0) ::close(fd);
  return done;
}

class small_mtu : public transport_suite {
 protected:
  // Runs `test` in that network and closes everything there. False: not allowed here.
  bool run(const std::function<void()>& test) {
    bool entered = false;
    std::thread inside([&] {
      entered = enter_small_network();
      if (!entered) return;
      fabric_ = plugin::create_fabric(GetParam(), "{}", {MDP_PLUGIN_DIR});
      test();
      TearDown();
      tx_pool_.reset();
    });
    inside.join();
    return entered;
  }
};

TEST_P(small_mtu, what_does_not_fit_is_refused_and_counted_and_the_rest_arrives) {
  if (!is_real_network()) GTEST_SKIP() << "SKIPPED: not on kernel sockets";
  const bool ran = run([&] {
    port& a = open();
    port& b = open();
    // Fits: ten datagrams below the MTU, whole or in one train.
    send_one(a, b.address(), pattern(10 * 1000, 1), 1000, 3);
    EXPECT_TRUE(pump_until([&] { return b.inbox.size() >= 10; }));
    EXPECT_EQ(a.link->counts().tx_rejected, 0u);
    // Does not: the train falls apart, and each of its datagrams is refused.
    send_one(a, b.address(), pattern(10 * 2000, 2), 2000, 3);
    send_one(a, b.address(), pattern(3000, 3));
    EXPECT_TRUE(pump_until([&] { return a.link->counts().tx_rejected >= 11; }));
    EXPECT_EQ(a.link->counts().tx_rejected, 11u);
    EXPECT_EQ(a.link->counts().tx_unsegmented, 1u);
    // A train may still be used afterwards.
    b.inbox.clear();
    send_one(a, b.address(), pattern(10 * 1000, 4), 1000, 3);
    EXPECT_TRUE(pump_until([&] { return b.inbox.size() >= 10; }));
    EXPECT_EQ(a.link->counts().tx_unsegmented, 1u);
  });
  if (!ran) GTEST_SKIP() << "SKIPPED: no privilege to create a network namespace";
}

INSTANTIATE_TEST_SUITE_P(plugin, small_mtu, testing::ValuesIn(plugins_under_test()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace mdp::conformance
