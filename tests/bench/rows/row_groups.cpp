#include <fmt/format.h>

#include "tests/bench/engine/back_to_back.hpp"
#include "tests/bench/raw/raw_harness.hpp"
#include "tests/bench/rows/node_runs.hpp"
#include "tests/bench/rows/row_table.hpp"

namespace mdp::bench {
namespace {

constexpr std::size_t loopback_packet = 65507;  // the largest datagram; loopback's MTU is 65,536
constexpr double node_warm_up = 0.15;           // handshake, path MTU discovery, first round trips
constexpr double raw_warm_up = 0.05;

using raw_program = rate (*)(const options&);

measurement raw(const char* name, raw_program program, std::size_t bytes) {
  return {name,
          [=](double seconds) {
            return program({seconds, bytes, raw_warm_up});
          },
          program != raw_bench::plain_sendto};
}

measurement node_one_way(const char* name, messenger_kind kind, std::size_t bytes) {
  return {name, [=](double seconds) { return one_way(kind, {seconds, bytes, node_warm_up}); }};
}

const messenger_kind over_socket{"socket"};
const messenger_kind over_uring{"io_uring"};
const messenger_kind large_over_socket{"socket", true, loopback_packet};
const messenger_kind large_over_uring{"io_uring", true, loopback_packet};
const messenger_kind held_over_socket{"socket", true, 1472, true};
const messenger_kind held_large_over_socket{"socket", true, loopback_packet, true};
const messenger_kind raw_over_socket{"socket", false};
const messenger_kind raw_over_uring{"io_uring", false};

group small_messages() {
  group g{"64 B one way", 64, {}, {}};
  g.measurements = {raw("sendto", raw_bench::plain_sendto, 64),
                    raw("connected, spinning", raw_bench::connected_spinning, 64),
                    raw("sendmmsg", raw_bench::batched_mmsg, 64),
                    raw("GSO+GRO", raw_bench::segmented_gso_gro, 64),
                    raw("TCP", raw_bench::framed_tcp, 64),
                    node_one_way("socket", over_socket, 64),
                    node_one_way("io_uring", over_uring, 64),
                    node_one_way("raw messenger, socket", raw_over_socket, 64),
                    node_one_way("raw messenger, io_uring", raw_over_uring, 64)};
  g.rows = {
      {"64 B one way", figure::rate, relation::ratio_at_least, 2, "socket", "TCP"},
      {"64 B one way, io_uring", figure::rate, relation::ratio_at_least, 1, "io_uring", "socket"},
      {"64 B, CPU a million", figure::cost, relation::ratio_at_most, 0.5, "socket", "TCP"},
      {"64 B raw messenger", figure::rate, relation::ratio_at_least, 0.5, "raw messenger, socket",
       "GSO+GRO"},
      {"64 B raw messenger, io_uring", figure::rate, relation::ratio_at_least, 0.5,
       "raw messenger, io_uring", "GSO+GRO"},
      {"64 B one way", figure::rate, relation::shown, 0, "socket", "GSO+GRO"},
      {"64 B one way", figure::rate, relation::shown, 0, "socket", "sendmmsg"},
      {"64 B one way", figure::rate, relation::shown, 0, "socket", "connected, spinning"},
      {"64 B one way", figure::rate, relation::shown, 0, "socket", "sendto"}};
  return g;
}

// Messages of one size, in packets of an MTU of 1500 and as large as loopback's.
group large_messages(const char* name, std::size_t bytes) {
  group g{name, bytes, {}, {}};
  g.measurements = {
      raw("TCP", raw_bench::framed_tcp, bytes),
      node_one_way("socket", over_socket, bytes),
      node_one_way("socket, zero copy", held_over_socket, bytes),
      node_one_way("socket, 64 KiB packets", large_over_socket, bytes),
      node_one_way("socket, 64 KiB packets, zero copy", held_large_over_socket, bytes),
      node_one_way("io_uring", over_uring, bytes),
      node_one_way("io_uring, 64 KiB packets", large_over_uring, bytes)};
  g.rows = {{name, figure::gigabits, relation::ratio_at_least, 1.2, "socket", "TCP"},
            {std::string(name) + ", zero copy", figure::gigabits, relation::ratio_at_least, 1.2,
             "socket, zero copy", "TCP"},
            {std::string(name) + ", loopback MTU", figure::gigabits, relation::shown, 0,
             "socket, 64 KiB packets", "TCP"},
            {std::string(name) + ", loopback MTU, zero copy", figure::gigabits, relation::shown, 0,
             "socket, 64 KiB packets, zero copy", "TCP"},
            {std::string(name) + ", io_uring", figure::gigabits, relation::ratio_at_least, 1,
             "io_uring", "socket"},
            {std::string(name) + ", loopback MTU, io_uring", figure::gigabits,
             relation::ratio_at_least, 1, "io_uring, 64 KiB packets", "socket, 64 KiB packets"}};
  return g;
}

group packet_messages() {
  group g = large_messages("1,200 B one way", 1200);
  g.measurements.push_back(raw("GSO+GRO", raw_bench::segmented_gso_gro, 1200));
  g.measurements.push_back(raw("sendto", raw_bench::plain_sendto, 1200));
  g.rows.push_back({"1,200 B one way", figure::gigabits, relation::shown, 0, "socket", "GSO+GRO"});
  g.rows.push_back({"1,200 B one way", figure::gigabits, relation::shown, 0, "socket", "sendto"});
  return g;
}

group full_datagrams() {
  group g{"1,472 B datagrams", 1472, {}, {}};
  g.measurements = {raw("GSO+GRO", raw_bench::segmented_gso_gro, 1472),
                    node_one_way("raw messenger, socket", raw_over_socket, 1472),
                    node_one_way("raw messenger, io_uring", raw_over_uring, 1472)};
  g.rows = {{"1,472 B raw messenger", figure::gigabits, relation::ratio_at_least, 0.9,
             "raw messenger, socket", "GSO+GRO"},
            {"1,472 B raw messenger, io_uring", figure::gigabits, relation::ratio_at_least, 0.9,
             "raw messenger, io_uring", "GSO+GRO"}};
  return g;
}

group round_trip_group(std::string name, bool spin, std::size_t outstanding) {
  group g{std::move(name), 64, {}, {}};
  const auto of = [=](double seconds, double warm_up) {
    return options{seconds, 64, warm_up, outstanding, spin};
  };
  const auto raw_trips = [=](const char* title, raw_program program) {
    return measurement{title, [=](double s) { return program(of(s, raw_warm_up)); }, spin};
  };
  const auto node_trips = [=](const char* title, messenger_kind kind) {
    return measurement{title, [=](double s) { return round_trips(kind, of(s, node_warm_up)); },
                       spin};
  };
  g.measurements = {raw_trips("UDP", raw_bench::udp_round_trips),
                    raw_trips("TCP", raw_bench::tcp_round_trips), node_trips("socket", over_socket),
                    node_trips("io_uring", over_uring)};
  return g;
}

group spinning_round_trips() {
  group g = round_trip_group("64 B ping-pong, spinning", true, 1);
  g.rows = {
      {"64 B ping-pong, spinning", figure::p50, relation::difference_at_most, 1, "socket", "UDP"},
      {"64 B ping-pong, spinning", figure::p50, relation::ratio_at_most, 1, "socket", "TCP"},
      {"64 B ping-pong, spinning, p99", figure::p99, relation::shown, 0, "socket", "UDP"},
      {"64 B ping-pong, spinning, io_uring", figure::p50, relation::ratio_at_most, 1, "io_uring",
       "socket"}};
  return g;
}

group blocking_round_trips() {
  group g = round_trip_group("64 B ping-pong, blocking", false, 1);
  g.rows = {
      {"64 B ping-pong, blocking", figure::p50, relation::ratio_at_most, 1.05, "socket", "UDP"},
      {"64 B ping-pong, blocking", figure::p50, relation::shown, 0, "socket", "TCP"},
      {"64 B ping-pong, blocking, io_uring", figure::p50, relation::ratio_at_most, 1, "io_uring",
       "socket"}};
  return g;
}

// The goal is twice Aeron: 1.6 M/s where it was measured, and there 6.34 times the same requests
// over bare datagrams.
group outstanding_requests() {
  constexpr double aeron_over_udp = 6.34;
  group g = round_trip_group("64 B, 64 outstanding", true, 64);
  g.rows = {{"64 B, 64 outstanding", figure::rate, relation::at_least, 1.6e6, "socket", "socket"},
            {"64 B, 64 outstanding", figure::rate, relation::ratio_at_least, 2 * aeron_over_udp,
             "socket", "UDP"},
            {"64 B, 64 outstanding", figure::rate, relation::shown, 0, "socket", "TCP"},
            {"64 B, 64 outstanding, io_uring", figure::rate, relation::ratio_at_least, 1,
             "io_uring", "socket"}};
  return g;
}

group both_directions(const char* name, std::size_t bytes) {
  group g{name, bytes, {}, {}};
  const auto both = [=](const char* title, messenger_kind kind) {
    return measurement{title, [=](double s) { return both_ways(kind, {s, bytes, node_warm_up}); }};
  };
  g.measurements = {node_one_way("socket", over_socket, bytes), both("socket, both", over_socket),
                    node_one_way("io_uring", over_uring, bytes),
                    both("io_uring, both", over_uring)};
  g.rows = {{name, figure::rate, relation::ratio_at_least, 1.6, "socket, both", "socket"},
            {std::string(name) + ", io_uring", figure::rate, relation::ratio_at_least, 1.6,
             "io_uring, both", "io_uring"}};
  return g;
}

group many_senders(std::size_t most) {
  group g{"n-to-1", 64, {}, {}};
  const auto senders = [](const std::string& title, messenger_kind kind, std::size_t count,
                          double warm_up) {
    return measurement{title, [=](double s) { return many_to_one(kind, {s, 64, warm_up}, count); }};
  };
  const std::string many = fmt::format("{} senders", most);
  g.measurements = {senders("1 sender", over_socket, 1, node_warm_up),
                    senders(many, over_socket, most, 5 * node_warm_up)};
  g.rows = {
      {"n-to-1, CPU a message", figure::cost, relation::ratio_at_most, 1.3, many, "1 sender"}};
  return g;
}

// One thread, no I/O: rounds of submit, transmit, receive and confirmation for `seconds`.
rate engine_rounds(std::size_t bytes, double seconds) {
  back_to_back pair;
  const std::vector<std::byte> payload(bytes, std::byte{42});
  for (int i = 0; i < 200; ++i) pair.round(payload, engine::want_none);
  const std::uint64_t before = pair.delivered;
  const std::int64_t begin = raw_bench::now_ns();
  const auto end = begin + static_cast<std::int64_t>(seconds * 1e9);
  std::int64_t now = begin;
  for (; now < end; now = raw_bench::now_ns()) pair.round(payload, engine::want_none);
  rate r;
  r.arrived = pair.delivered - before;
  r.cpu_seconds = static_cast<double>(now - begin) * 1e-9;
  r.per_second = static_cast<double>(r.arrived) / r.cpu_seconds;
  return r;
}

measurement raw_unconnected(const char* name, raw_program program, std::size_t bytes) {
  return {name,
          [=](double seconds) {
            options o{seconds, bytes, raw_warm_up};
            o.connected = false;
            return program(o);
          },
          true};
}

// What a connected socket spares the kernel: docs/decisions/0012-sockets-stay-unconnected.md.
group connected_sockets(const char* name, std::size_t bytes) {
  group g{name, bytes, {}, {}};
  g.measurements = {raw("sendmmsg", raw_bench::batched_mmsg, bytes),
                    raw_unconnected("sendmmsg, unconnected", raw_bench::batched_mmsg, bytes),
                    raw("GSO+GRO", raw_bench::segmented_gso_gro, bytes),
                    raw_unconnected("GSO+GRO, unconnected", raw_bench::segmented_gso_gro, bytes)};
  g.rows = {{std::string(name) + ", sendmmsg", figure::rate, relation::shown, 0, "sendmmsg",
             "sendmmsg, unconnected"},
            {std::string(name) + ", trains", figure::rate, relation::shown, 0, "GSO+GRO",
             "GSO+GRO, unconnected"}};
  return g;
}

group engine_alone(const char* name, std::size_t bytes, figure of, double goal) {
  group g{name, bytes, {}, {}};
  g.measurements = {{"engine", [=](double s) { return engine_rounds(bytes, s); }, false}};
  g.rows = {{name, of, relation::at_least, goal, "engine", "engine"}};
  return g;
}

}  // namespace

std::vector<group> all_groups(std::size_t senders) {
  return {small_messages(),
          packet_messages(),
          large_messages("64 KiB one way", 65536),
          large_messages("1 MiB one way", 1 << 20),
          full_datagrams(),
          spinning_round_trips(),
          blocking_round_trips(),
          outstanding_requests(),
          both_directions("1,200 B both directions", 1200),
          both_directions("64 B both directions", 64),
          many_senders(senders),
          connected_sockets("64 B, connected", 64),
          connected_sockets("1,200 B, connected", 1200),
          engine_alone("64 B, engine alone", 64, figure::rate, 5e6),
          engine_alone("64 KiB, engine alone", 65536, figure::gigabits, 20)};
}

}  // namespace mdp::bench
