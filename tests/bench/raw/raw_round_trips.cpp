#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "tests/bench/raw/raw_harness.hpp"

namespace mdp::raw_bench {
namespace {

// Tries of a spinning client without an answer before it takes its requests for lost: some 50 ms.
constexpr int silent_tries = 1 << 17;
constexpr std::size_t outstanding_max = 4096;

int waiting_flags(const options& o) {
  return o.spin ? MSG_DONTWAIT : 0;
}

// Requests of one client: when each was sent, and how long the answers took.
class request_clock {
 public:
  explicit request_clock(std::size_t outstanding) : sent_at_(outstanding) {}
  void sent(std::size_t slot) { sent_at_[slot] = now_ns(); }
  void answered(std::size_t slot) { times_.add(now_ns() - sent_at_[slot]); }
  [[nodiscard]] std::size_t slots() const { return sent_at_.size(); }
  void summarize(rate& result) { times_.summarize(result); }

 private:
  std::vector<std::int64_t> sent_at_;
  round_trip_times times_;
};

void request(const file& socket, std::uint32_t slot, std::vector<char>& message,
             request_clock& clock) {
  std::memcpy(message.data(), &slot, sizeof slot);
  clock.sent(slot);
  static_cast<void>(::send(socket.fd(), message.data(), message.size(), 0));
}

void ask_by_datagrams(const file& socket, const options& o, request_clock& clock, tally& done) {
  std::vector<char> message(o.message_bytes);
  const auto ask_all = [&] {
    for (std::uint32_t slot = 0; slot < clock.slots(); ++slot)
      request(socket, slot, message, clock);
  };
  ask_all();
  int silence = 0;
  while (!done.stopped()) {
    const ssize_t n = ::recv(socket.fd(), message.data(), message.size(), waiting_flags(o));
    if (n <= 0) {
      // A blocking call ends by its own time-out.
      if (!o.spin || ++silence == silent_tries) ask_all();
      if (silence == silent_tries) silence = 0;
      continue;
    }
    silence = 0;
    std::uint32_t slot = 0;
    std::memcpy(&slot, message.data(), sizeof slot);
    if (slot >= clock.slots()) continue;
    clock.answered(slot);
    done.add(1);
    request(socket, slot, message, clock);
  }
}

void answer_datagrams(const file& socket, const options& o, tally& done) {
  std::vector<char> message(o.message_bytes);
  while (!done.stopped()) {
    const ssize_t n = ::recv(socket.fd(), message.data(), message.size(), waiting_flags(o));
    if (n <= 0) continue;
    static_cast<void>(::send(socket.fd(), message.data(), static_cast<std::size_t>(n), 0));
    done.add(1);
  }
}

void write_all(const file& socket, const char* data, std::size_t bytes, const tally& done) {
  while (bytes > 0 && !done.stopped()) {
    const ssize_t n = ::send(socket.fd(), data, bytes, MSG_NOSIGNAL);
    if (n <= 0) continue;
    data += n;
    bytes -= static_cast<std::size_t>(n);
  }
}

// Answers come in the order of the requests.
void ask_by_stream(const file& socket, const options& o, request_clock& clock, tally& done) {
  const std::size_t frame = sizeof(std::uint32_t) + o.message_bytes;
  const std::vector<char> requests(frame * clock.slots(), 'm');
  std::vector<char> answers(requests.size());
  std::size_t next = 0;  // slot of the oldest request
  std::size_t kept = 0;  // bytes of an answer that is not whole yet
  for (std::size_t slot = 0; slot < clock.slots(); ++slot) clock.sent(slot);
  write_all(socket, requests.data(), requests.size(), done);
  while (!done.stopped()) {
    const ssize_t n = ::recv(socket.fd(), answers.data(), answers.size(), waiting_flags(o));
    if (n <= 0) continue;
    kept += static_cast<std::size_t>(n);
    const std::size_t whole = kept / frame;
    kept %= frame;
    for (std::size_t i = 0; i < whole; ++i) {
      clock.answered(next);
      clock.sent(next);
      next = (next + 1) % clock.slots();
    }
    done.add(whole);
    write_all(socket, requests.data(), whole * frame, done);
  }
}

void answer_stream(const file& socket, const options& o, tally& done) {
  const std::size_t frame = sizeof(std::uint32_t) + o.message_bytes;
  std::vector<char> buffer(256 * 1024);
  std::size_t kept = 0;
  while (!done.stopped()) {
    const ssize_t n = ::recv(socket.fd(), buffer.data(), buffer.size(), waiting_flags(o));
    if (n <= 0) continue;
    write_all(socket, buffer.data(), static_cast<std::size_t>(n), done);
    kept += static_cast<std::size_t>(n);
    done.add(kept / frame);
    kept %= frame;
  }
}

void refuse_bad_options(const options& o) {
  if (o.outstanding < 1 || o.outstanding > outstanding_max ||
      o.message_bytes < sizeof(std::uint32_t))
    throw std::system_error(EINVAL, std::system_category(),
                            "1 to 4096 requests of 4 bytes or more");
}

}  // namespace

rate udp_round_trips(const options& o) {
  return guarded([&] {
    refuse_bad_options(o);
    const file server = udp_socket();
    const file client = udp_socket();
    const sockaddr_in client_address = bind_loopback(client);
    connect_to(client, bind_loopback(server));
    connect_to(server, client_address);
    request_clock clock(o.outstanding);
    rate result = run_pair(
        o, [&](tally& done) { ask_by_datagrams(client, o, clock, done); },
        [&](tally& done) { answer_datagrams(server, o, done); });
    clock.summarize(result);
    return result;
  });
}

rate tcp_round_trips(const options& o) {
  return guarded([&] {
    refuse_bad_options(o);
    const tcp_pair pair = connected_tcp();
    for (const file* end : {&pair.from, &pair.to}) limit_waiting(*end);
    request_clock clock(o.outstanding);
    rate result = run_pair(
        o, [&](tally& done) { ask_by_stream(pair.from, o, clock, done); },
        [&](tally& done) { answer_stream(pair.to, o, done); });
    clock.summarize(result);
    return result;
  });
}

}  // namespace mdp::raw_bench
