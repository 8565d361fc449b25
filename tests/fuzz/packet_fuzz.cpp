// Fuzzes what strangers can send: bytes as datagrams to an endpoint, raw and with a valid checksum,
// on an open session. libFuzzer's entry; without libFuzzer the corpus is replayed by
// packet_replay.cpp. Input: a byte that picks the form, then for each datagram a byte of length / 8
// and its bytes.
#include <cstdlib>

#include "tests/support/engine_pair.hpp"

namespace {

using namespace mdp;

void feed(test::engine_network& net, test::engine_node& to, const endpoint_address& from,
          std::span<const std::byte> bytes) {
  buffer::slice block = buffer::slice::acquire(to.rx);
  if (!block) return;
  std::copy(bytes.begin(), bytes.end(), block.data());
  buffer::rx_datagrams item;
  item.from = from;
  item.data = block.subslice(0, static_cast<std::uint32_t>(bytes.size()));
  to.engine->handle_datagrams(net.now(), {&item, 1});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  engine::config settings;
  settings.reassembly_bytes = 1 << 20;
  settings.max_message_bytes = 1 << 18;
  settings.max_enqueued_messages = 64;
  test::engine_network net;
  auto& a = net.add(settings);
  auto& b = net.add(settings);
  const peer_id peer = *a.engine->connect(net.now(), b.address);
  static_cast<void>(
      a.engine->submit(net.now(), peer, test::bytes_of("warm"), {engine::want_delivered, 1}));
  net.run_for(std::chrono::milliseconds(100));
  const bool sealed = data[0] % 2 == 1;
  const auto* session = a.engine->find(peer);
  std::uint64_t number = 1000;
  for (std::size_t at = 1; at < size;) {
    const std::size_t wanted = std::size_t{data[at++]} * 8;
    const std::size_t length = std::min(wanted, size - at);
    std::vector<std::byte> packet;
    if (sealed) {
      // The bytes are frames of a's session: everything behind the checksum is reached.
      packet.resize(wire::header_bytes + length);
      std::copy_n(data + at, length,
                  reinterpret_cast<std::uint8_t*>(packet.data()) + wire::header_bytes);
      wire::seal_packet(packet, {wire::packet_type::data, 0, 0, 1u << 20, number++, 0},
                        session->crc_seed());
    } else {
      packet.resize(length);
      std::copy_n(data + at, length, reinterpret_cast<std::uint8_t*>(packet.data()));
    }
    feed(net, b, a.address, packet);
    at += length;
  }
  net.run_for(std::chrono::milliseconds(200));
  // Whatever came: bounded, and the session still works or is properly gone.
  if (b.engine->peer_count() > 2) std::abort();
  static_cast<void>(wire::describe_packet(std::as_bytes(std::span(data, size))));
  return 0;
}
