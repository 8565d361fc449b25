// Packets made by hand, put before an engine of a simulated network.
#pragma once
#include <vector>

#include "tests/support/engine_pair.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {

// What `to` makes of these bytes.
inline void inject(engine_network& net, engine_node& to, const endpoint_address& from,
                   std::span<const std::byte> bytes) {
  buffer::slice block = buffer::slice::acquire(to.rx);
  if (!bytes.empty()) std::memcpy(block.data(), bytes.data(), bytes.size());
  buffer::rx_datagrams item;
  item.from = from;
  item.data = block.subslice(0, static_cast<std::uint32_t>(bytes.size()));
  block.reset();
  to.engine->handle_datagrams(net.now(), {&item, 1});
}

inline bool send(engine_network& net, engine_node& from, peer_id to, std::uint64_t context,
                 std::size_t size = 100) {
  const std::string text(size, static_cast<char>('a' + context % 26));
  engine::send_options how;
  how.wants = engine::want_received | engine::want_delivered;
  how.context = context;
  return from.engine->submit(net.now(), to, bytes_of(text), how).has_value();
}

inline engine::config keyed(std::uint64_t key) {
  engine::config c;
  c.node_key = {key, ~key};
  return c;
}

inline wire::packet_type type_of(std::span<const std::byte> packet) {
  return wire::parse_header(packet)->type;
}

inline std::vector<std::byte> hello_packet(const wire::hello& h) {
  std::vector<std::byte> packet(wire::hello_bytes_min);
  wire::write_hello(std::span(packet).subspan(wire::header_bytes), h);
  wire::seal_packet(packet, {wire::packet_type::hello}, wire::hello_crc_seed);
  return packet;
}

inline std::vector<std::byte> reply_packet(wire::packet_type type, std::uint32_t connection,
                                           std::uint64_t number, std::uint64_t first = 0,
                                           std::uint64_t second = 0) {
  std::vector<std::byte> packet(type == wire::packet_type::unknown ? wire::unknown_bytes
                                                                   : wire::reset_bytes);
  if (packet.size() > wire::header_bytes) {
    wire::store(packet.data() + wire::header_bytes, first);
    wire::store(packet.data() + wire::header_bytes + 8, second);
  }
  wire::seal_packet(packet, {type, 0, 0, connection, number, 0}, wire::hello_crc_seed);
  return packet;
}

}  // namespace mdp::test
