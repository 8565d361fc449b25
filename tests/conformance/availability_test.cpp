// A plugin that the system does not allow says so, and what to do. A seccomp filter in a child
// process plays the system.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "mdp/plugin/plugin_loader.hpp"

namespace mdp::conformance {
namespace {

// From now on io_uring_setup fails with `error` in this process. False: filters are not allowed
// here.
bool forbid_rings(unsigned error) {
  std::array<sock_filter, 4> program{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, __NR_io_uring_setup},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog filter{program.size(), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// Prints why io_uring cannot be used, and ends the process: 0 when create_fabric says the same.
[[noreturn]] void report_reason(unsigned error) {
  if (!forbid_rings(error)) {
    std::fprintf(stderr, "no seccomp here");
    std::_Exit(3);
  }
  for (const auto& info : plugin::list_plugins({MDP_PLUGIN_DIR})) {
    if (info.name != "io_uring") continue;
    std::fprintf(stderr, "%s\n", info.unavailable.c_str());
    try {
      static_cast<void>(plugin::create_fabric("io_uring", "{}", {MDP_PLUGIN_DIR}));
    } catch (const plugin::plugin_error& e) {
      std::_Exit(std::string(e.what()).find(info.unavailable) != std::string::npos ? 0 : 1);
    }
    std::_Exit(1);
  }
  std::_Exit(2);
}

class availability : public testing::Test {
 protected:
  void SetUp() override {
    bool built = false;
    for (const auto& info : plugin::list_plugins({MDP_PLUGIN_DIR}))
      built |= info.name == "io_uring";
    if (!built) GTEST_SKIP() << "SKIPPED: plugin io_uring is not built";
    if (::prctl(PR_GET_SECCOMP) < 0) GTEST_SKIP() << "SKIPPED: this kernel has no seccomp";
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
};

TEST_F(availability, a_forbidden_io_uring_says_so) {
  EXPECT_EXIT(report_reason(EPERM), testing::ExitedWithCode(0), "forbidden here");
}

TEST_F(availability, a_missing_io_uring_says_so) {
  EXPECT_EXIT(report_reason(ENOSYS), testing::ExitedWithCode(0), "no io_uring");
}

TEST_F(availability, too_little_lockable_memory_says_so) {
  EXPECT_EXIT(report_reason(ENOMEM), testing::ExitedWithCode(0), "ulimit -l");
}

}  // namespace
}  // namespace mdp::conformance
