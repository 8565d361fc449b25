// What this process holds in memory.
#pragma once
#include <unistd.h>

#include <cstdio>

namespace mdp::test {

// 0 where the system does not tell.
[[nodiscard]] inline double resident_bytes() {
  long pages = 0;
  if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%*d %ld", &pages) != 1) pages = 0;
    std::fclose(f);
  }
  return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace mdp::test
