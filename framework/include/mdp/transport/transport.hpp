// The one interface between protocols and the ways of moving datagrams.
//
// A *fabric* is one instance of a transport plugin for one run: the kernel's sockets (stateless),
// or a whole simulated network with its virtual clock. A fabric opens *transports*: one bound local
// address each. Both are created by the plugin's descriptor (mdp/transport/plugin_abi.hpp).
//
// Batches are the only unit. Completion is the model: send() only queues what it takes; poll()
// flushes, runs and waits. Slices taken by send() are held by reference count for as long as the
// transport needs them; nobody rewrites a block whose reference count is above one.
//
// Threading: a transport belongs to one thread, but wake() may be called from any. Transports of
// one real fabric may be used on different threads; those of a virtual-time fabric only on one, but
// for run(). Errors are data: send() takes fewer items than offered, poll() counts what went wrong
// in counters(). No member throws except open() and the constructors behind it.
#pragma once
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mdp/base/crew.hpp"
#include "mdp/base/endpoint_address.hpp"
#include "mdp/base/time.hpp"
#include "mdp/buffer/datagram.hpp"
#include "mdp/transport/packet_observer.hpp"

namespace mdp::transport {

struct capabilities {
  std::uint32_t datagram_bytes_max = 65507;  // largest single datagram
  std::uint32_t segments_max = 1;            // datagrams in one train that cost about one send
  std::uint32_t train_bytes_max = 65507;     // largest train
  std::uint32_t rx_block_bytes = 2048;       // smallest block of the receive pool that works
  std::uint32_t rx_capacity_bytes = 0;  // datagram bytes that can wait to be received; 0: unknown
  bool virtual_time = false;            // driven by fabric::advance()
  bool holds_slices = false;            // keeps references to sent slices after poll()
  bool can_spin = true;
  bool shares_port = false;  // open_options::sends_for and ::sharers are honoured
};

// How long poll() may wait.
struct wait_limits {
  time_point deadline{};            // poll() returns at this time at the latest; past: do not wait
  duration spin{};                  // busy-poll this long before sleeping
  std::uint32_t min_datagrams = 1;  // sleep until this many have come (a hint) ...
  duration min_wait{};              // ... but no longer than this after the first
};

// Monotonic counts since open(); names are stable and appear in results.
struct counters {
  std::uint64_t tx_datagrams = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_calls = 0;        // system calls (or equivalent) that sent
  std::uint64_t tx_rejected = 0;     // datagrams the lower layer refused for good (dropped)
  std::uint64_t tx_blocked = 0;      // times a full queue cut a batch short
  std::uint64_t tx_unsegmented = 0;  // trains sent datagram by datagram: offload was refused
  std::uint64_t rx_datagrams = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t rx_calls = 0;
  std::uint64_t rx_kernel_drops = 0;  // dropped below us for want of buffer (SO_RXQ_OVFL)
  std::uint64_t rx_truncated = 0;
  std::uint64_t rx_no_block = 0;  // times the receive pool was empty
  std::uint64_t path_errors = 0;  // ICMP errors reported by the lower layer
  std::uint64_t wakeups = 0;      // times a sleep ended
};

// Every counter under its name.
inline constexpr std::pair<const char*, std::uint64_t counters::*> counter_names[] = {
    {"tx_datagrams", &counters::tx_datagrams}, {"tx_bytes", &counters::tx_bytes},
    {"tx_calls", &counters::tx_calls},         {"tx_rejected", &counters::tx_rejected},
    {"tx_blocked", &counters::tx_blocked},     {"tx_unsegmented", &counters::tx_unsegmented},
    {"rx_datagrams", &counters::rx_datagrams}, {"rx_bytes", &counters::rx_bytes},
    {"rx_calls", &counters::rx_calls},         {"rx_kernel_drops", &counters::rx_kernel_drops},
    {"rx_truncated", &counters::rx_truncated}, {"rx_no_block", &counters::rx_no_block},
    {"path_errors", &counters::path_errors},   {"wakeups", &counters::wakeups},
};
static_assert(sizeof(counters) == std::size(counter_names) * sizeof(std::uint64_t));

class transport {
 public:
  virtual ~transport() = default;
  [[nodiscard]] virtual const capabilities& caps() const noexcept = 0;
  [[nodiscard]] virtual endpoint_address local_address() const noexcept = 0;
  // The transport's clock, read now (virtual in a simulator).
  [[nodiscard]] virtual time_point now() noexcept = 0;
  // Takes the first n items and returns n; the rest stay the caller's, to be offered again after a
  // poll().
  [[nodiscard]] virtual std::size_t send(std::span<const buffer::tx_datagrams> items) noexcept = 0;
  // Flushes, runs, waits; fills `out` and returns how many. The blocks come from the pool given at
  // open(). In virtual time it never waits: it registers the deadline as this endpoint's next
  // wake-up.
  [[nodiscard]] virtual std::size_t poll(std::span<buffer::rx_datagrams> out,
                                         const wait_limits& limits) noexcept = 0;
  // Ends a poll() that sleeps, from any thread. Cheap when nothing sleeps.
  virtual void wake() noexcept = 0;
  // Readiness for a foreign event loop, or -1.
  [[nodiscard]] virtual int native_fd() const noexcept { return -1; }
  [[nodiscard]] virtual const counters& counts() const noexcept = 0;
};

// Which of `count` (>= 1) transports at one port gets what comes from this address. A function of
// address and port alone, so that the kernel and whoever connects agree without asking each other.
inline constexpr std::uint32_t sharer_multiplier = 0x9e3779b1;
inline constexpr unsigned sharer_shift = 16;
[[nodiscard]] constexpr std::uint32_t sharer_of(const endpoint_address& from,
                                                std::uint32_t count) noexcept {
  std::uint32_t mixed = from.port;
  const std::size_t bytes = from.family == address_family::ipv4 ? 4 : from.ip.size();
  for (std::size_t i = 0; i < bytes; ++i) mixed ^= std::uint32_t{from.ip[i]} << (24 - i % 4 * 8);
  return ((mixed * sharer_multiplier) >> sharer_shift) % count;
}

struct open_options {
  endpoint_address local;  // family none: the fabric's default; port 0: chosen by the lower layer
  std::string name;        // node name in a simulated topology; else for messages only
  buffer::block_pool* rx_pool = nullptr;  // required; must outlive the transport
  // With capabilities::shares_port: a second handle of that transport's port (of the same fabric),
  // for a thread of its own. It only sends: its poll() flushes and receives nothing. `local` is
  // ignored.
  const transport* sends_for = nullptr;
  // With capabilities::shares_port: one of so many transports that are opened one after the other
  // at the same `local`. What an address sends comes to the one whose number is sharer_of() it.
  std::uint16_t sharers = 1;
};

// Named figures about a fabric as a whole, e.g. {"digest", "91ab…"}, {"packets_dropped", "17"}.
using fabric_facts = std::vector<std::pair<std::string, std::string>>;

// By the plan of a simulation, the process behind an endpoint ends, or another begins there.
struct process_change {
  time_point at{};            // as advance() takes it
  std::int64_t endpoint = 0;  // as advance() numbers it
  bool begins = false;
};

// How a virtual-time fabric is to be cut for several threads.
struct division {
  std::uint32_t partitions = 1;  // at least as many as threads; what crosses between them costs
  std::size_t nodes = 1;         // transports that will be opened
};

// Who acts for the transports of a virtual-time fabric.
class turns {
 public:
  virtual ~turns() = default;
  // Transport `number`, in order of open(), is runnable. Comes on any thread of the fabric, for
  // several transports at once, for one never; may use that transport only, and must not throw.
  virtual void take_turn(std::int64_t number) noexcept = 0;
  // Asked now and then, on the thread of run(): false ends it.
  virtual bool go_on() noexcept = 0;
};

class fabric {
 public:
  virtual ~fabric() = default;
  // What transports of this fabric can do: known before one is opened (sizes the receive pool).
  [[nodiscard]] virtual const capabilities& caps() const noexcept = 0;
  // Throws std::system_error or std::runtime_error with a sentence that names address and remedy.
  [[nodiscard]] virtual std::unique_ptr<transport> open(const open_options& options) = 0;

  // Virtual time only. Processes events up to the first that makes an endpoint runnable (a datagram
  // arrived, or its poll() deadline came) and returns that endpoint's number in order of open(), or
  // -1 when nothing is left to happen before `limit` (the clock then stands at `limit`).
  [[nodiscard]] virtual std::int64_t advance(time_point limit) noexcept {
    static_cast<void>(limit);
    return -1;
  }
  // Virtual time only: what is planned for the processes behind the endpoints opened so far, by
  // time, then endpoint. It is for the caller of advance() to carry out: when the clock stands at
  // that time, who uses the transport destroys it, or opens another at its address.
  [[nodiscard]] virtual std::vector<process_change> process_changes() const { return {}; }
  // Virtual time only, before the first open(): run() may use several threads. What happens, and
  // the facts about it, stay the same. A fabric that cannot stays on one and says why in its facts.
  virtual void divide(const division& wanted) { static_cast<void>(wanted); }
  // Virtual time only. Processes events up to `limit` and gives each transport its turn when it is
  // runnable. The clock then stands at `limit`, unless go_on() said no. `threads` may be null.
  virtual void run(time_point limit, turns& who, crew* threads) {
    static_cast<void>(threads);
    while (who.go_on()) {
      const std::int64_t ready = advance(limit);
      if (ready < 0) return;
      who.take_turn(ready);
    }
  }
  [[nodiscard]] virtual fabric_facts facts() const { return {}; }
  // Virtual time only, before the first open(): from now on `observer` is told every event. It must
  // outlive the fabric and its transports. False: this fabric does not watch packets.
  [[nodiscard]] virtual bool observe(packet_observer& observer) {
    static_cast<void>(observer);
    return false;
  }
};

}  // namespace mdp::transport
