// Prints what this machine moves without MDP. Usage: raw_bench [seconds [message bytes]]
#include <cstdio>
#include <cstdlib>

#include "tests/bench/raw/raw_bench.hpp"

namespace {

void print(const char* name, const mdp::raw_bench::rate& r, double base) {
  if (!r.note.empty()) {
    std::printf("%-28s not measured: %s\n", name, r.note.c_str());
    return;
  }
  const double millions = static_cast<double>(r.arrived) / 1e6;
  std::printf("%-28s %12.0f /s  x%-7.1f %8.3f cpu s per million\n", name, r.per_second,
              base > 0 ? r.per_second / base : 0.0, millions > 0 ? r.cpu_seconds / millions : 0.0);
}

void print_round_trips(const char* name, const mdp::raw_bench::rate& r) {
  if (!r.note.empty()) {
    std::printf("%-28s not measured: %s\n", name, r.note.c_str());
    return;
  }
  std::printf("%-28s %12.0f /s  p50 %.1f us  p99 %.1f us\n", name, r.per_second, r.p50_us,
              r.p99_us);
}

}  // namespace

int main(int argc, char** argv) {
  mdp::raw_bench::options o;
  if (argc > 1) o.seconds = std::atof(argv[1]);
  if (argc > 2) o.message_bytes = static_cast<std::size_t>(std::strtoul(argv[2], nullptr, 10));
  if (!(o.seconds > 0 && o.seconds <= 3600) || o.message_bytes < 4 || o.message_bytes > 65507) {
    std::fprintf(stderr, "usage: raw_bench [seconds 0..3600 [message bytes 4..65507]]\n");
    return 2;
  }
  const auto plain = mdp::raw_bench::plain_sendto(o);
  print("sendto/recvfrom", plain, plain.per_second);
  print("connected, receiver spins", mdp::raw_bench::connected_spinning(o), plain.per_second);
  print("sendmmsg/recvmmsg 64", mdp::raw_bench::batched_mmsg(o), plain.per_second);
  print("GSO + GRO", mdp::raw_bench::segmented_gso_gro(o), plain.per_second);
  print("TCP, framed, batched writev", mdp::raw_bench::framed_tcp(o), plain.per_second);
  print_round_trips("UDP round trip, spinning", mdp::raw_bench::udp_round_trips(o));
  print_round_trips("TCP round trip, spinning", mdp::raw_bench::tcp_round_trips(o));
  o.spin = false;
  print_round_trips("UDP round trip, blocking", mdp::raw_bench::udp_round_trips(o));
  print_round_trips("TCP round trip, blocking", mdp::raw_bench::tcp_round_trips(o));
  return 0;
}
