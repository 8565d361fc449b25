#include "mdp/wire/packet.hpp"

#include <fmt/format.h>

#include "mdp/base/random.hpp"
#include "mdp/wire/crc32c.hpp"

namespace mdp::wire {
namespace {

constexpr std::uint32_t hello_magic = 0x3150444du;  // "MDP1"

bool body_well_formed(const frame_view& frame) noexcept {
  const std::size_t size = frame.body.size();
  switch (frame.type) {
    case frame_type::pad:
      return true;
    case frame_type::message:
      return (frame.flags & frame_in_channel) == 0 || size >= channel_head_bytes;
    case frame_type::fragment: {
      if (size <= 8) return false;
      const std::uint64_t total = load<std::uint32_t>(frame.body.data());
      if ((frame.flags & frame_in_channel) != 0 && total < channel_head_bytes) return false;
      const std::uint64_t offset = load<std::uint32_t>(frame.body.data() + 4);
      const std::uint64_t data = size - 8;
      if (offset % fragment_unit_bytes != 0 || offset + data > total) return false;
      return data % fragment_unit_bytes == 0 || offset + data == total;
    }
    case frame_type::ack:
      return size >= ack_body_bytes_min && size % 8 == 0;
    case frame_type::outcome:
      return size >= 8 && size % 8 == 0 && frame.flags >= 1 && frame.flags <= 4;
    case frame_type::abandon:
      return size > 0 && size % abandon_entry_bytes == 0;
    case frame_type::credit:
      return size == 16;
    case frame_type::ping:
      return size == 0;
    case frame_type::path_challenge:
    case frame_type::path_response:
      return size == 8;
    case frame_type::nack:
      return size > 0 && size % 4 == 0;
    default:
      return frame.type >= frame_type::skippable_from;
  }
}

const char* frame_name(frame_type type) noexcept {
  switch (type) {
    case frame_type::pad:
      return "PAD";
    case frame_type::message:
      return "MSG";
    case frame_type::fragment:
      return "FRAG";
    case frame_type::ack:
      return "ACK";
    case frame_type::outcome:
      return "OUTCOME";
    case frame_type::credit:
      return "CREDIT";
    case frame_type::ping:
      return "PING";
    case frame_type::nack:
      return "NACK";
    case frame_type::abandon:
      return "ABANDON";
    case frame_type::path_challenge:
      return "PATH_CHALLENGE";
    case frame_type::path_response:
      return "PATH_RESPONSE";
    default:
      return "UNKNOWN";
  }
}

}  // namespace

const char* to_string(wire_error e) noexcept {
  switch (e) {
    case wire_error::truncated:
      return "truncated";
    case wire_error::bad_version:
      return "bad version";
    case wire_error::bad_type:
      return "bad type";
    case wire_error::bad_length:
      return "bad length";
    case wire_error::bad_frame:
      return "bad frame";
  }
  return "unknown";
}

result<packet_header, wire_error> parse_header(std::span<const std::byte> packet) noexcept {
  if (packet.size() < header_bytes) return failure(wire_error::truncated);
  const std::byte* p = packet.data();
  const auto first = static_cast<std::uint8_t>(p[0]);
  if (first >> 4 != protocol_version) return failure(wire_error::bad_version);
  if ((first & 15) > static_cast<std::uint8_t>(packet_type::retry))
    return failure(wire_error::bad_type);
  packet_header header;
  header.type = static_cast<packet_type>(first & 15);
  header.flags = static_cast<std::uint8_t>(p[1]);
  header.length = load<std::uint16_t>(p + 2);
  if (header.length != packet.size()) return failure(wire_error::bad_length);
  header.connection = load<std::uint32_t>(p + 4);
  header.number = load<std::uint64_t>(p + 8);
  header.floor = load<std::uint32_t>(p + 20);
  return header;
}

void seal_packet(std::span<std::byte> packet, packet_header header, std::uint32_t crc_seed,
                 std::span<const std::span<const std::byte>> rest) noexcept {
  std::byte* p = packet.data();
  p[0] = static_cast<std::byte>(protocol_version << 4 | static_cast<std::uint8_t>(header.type));
  p[1] = static_cast<std::byte>(header.flags);
  std::size_t bytes = packet.size();
  for (const auto& piece : rest) bytes += piece.size();
  store(p + 2, static_cast<std::uint16_t>(bytes));
  store(p + 4, header.connection);
  store(p + 8, header.number);
  store(p + crc_offset, std::uint32_t{0});
  store(p + 20, header.floor);
  std::uint32_t crc = crc32c(crc_seed, packet);
  for (const auto& piece : rest) crc = crc32c(crc, piece);
  store(p + crc_offset, crc);
}

bool crc_matches(std::span<const std::byte> packet, std::uint32_t crc_seed) noexcept {
  // The CRC field counts as zero: header around it first, from a copy on the stack.
  std::byte head[header_bytes];
  std::memcpy(head, packet.data(), header_bytes);
  store(head + crc_offset, std::uint32_t{0});
  const std::uint32_t crc = crc32c(crc32c(crc_seed, head), packet.subspan(header_bytes));
  return crc == load<std::uint32_t>(packet.data() + crc_offset);
}

bool frames_well_formed(std::span<const std::byte> frames) noexcept {
  frame_reader reader(frames);
  frame_view frame;
  while (reader.next(frame)) {
    if (!body_well_formed(frame)) return false;
  }
  return !reader.failed();
}

bool only_messages(std::span<const std::byte> frames) noexcept {
  frame_reader reader(frames);
  frame_view frame;
  while (reader.next(frame)) {
    const bool fits = frame.type == frame_type::message || frame.type == frame_type::pad;
    if (!fits || !body_well_formed(frame)) return false;
  }
  return !reader.failed();
}

void write_hello(std::span<std::byte> body, const hello& h) noexcept {
  std::byte* p = body.data();
  store(p, hello_magic);
  store(p + 4, h.connection);
  store(p + 8, h.nonce);
  store(p + 16, h.echoed_nonce);
  store(p + 24, h.instance);
  store(p + 32, h.epoch);
  store(p + 40, h.credit_bytes);
  store(p + 48, static_cast<std::uint32_t>(h.credit_messages));
  store(p + 52, h.packet_bytes);
  store(p + 56, h.rx_capacity_bytes);
  store(p + 60, h.message_bytes);
  store(p + 64, h.token[0]);
  store(p + 72, h.token[1]);
  store(p + 80, h.cookie);
  store(p + 88, h.held);
}

result<hello, wire_error> parse_hello(std::span<const std::byte> body) noexcept {
  if (body.size() < hello_body_bytes) return failure(wire_error::truncated);
  const std::byte* p = body.data();
  if (load<std::uint32_t>(p) != hello_magic) return failure(wire_error::bad_version);
  hello h;
  h.connection = load<std::uint32_t>(p + 4);
  h.nonce = load<std::uint64_t>(p + 8);
  h.echoed_nonce = load<std::uint64_t>(p + 16);
  h.instance = load<std::uint64_t>(p + 24);
  h.epoch = load<std::uint64_t>(p + 32);
  h.credit_bytes = load<std::uint64_t>(p + 40);
  h.credit_messages = load<std::uint32_t>(p + 48);
  h.packet_bytes = load<std::uint32_t>(p + 52);
  h.rx_capacity_bytes = load<std::uint32_t>(p + 56);
  h.message_bytes = load<std::uint32_t>(p + 60);
  h.token = {load<std::uint64_t>(p + 64), load<std::uint64_t>(p + 72)};
  h.cookie = load<std::uint64_t>(p + 80);
  h.held = load<std::uint64_t>(p + 88);
  if (h.credit_bytes < first_credit_bytes_min || h.credit_messages < first_credit_messages_min)
    return failure(wire_error::bad_length);
  if (h.packet_bytes < hello_bytes_min || h.nonce == 0) return failure(wire_error::bad_length);
  return h;
}

std::uint64_t session_tag(std::uint64_t nonce_a, std::uint64_t nonce_b) noexcept {
  const std::uint64_t low = nonce_a < nonce_b ? nonce_a : nonce_b;
  const std::uint64_t high = nonce_a < nonce_b ? nonce_b : nonce_a;
  return splitmix64(splitmix64(low) ^ high);
}

std::uint64_t session_check(std::uint64_t tag) noexcept {
  return splitmix64(tag ^ 0x6b63656863ull);  // "check"
}

std::string describe_packet(std::span<const std::byte> packet) {
  const auto header = parse_header(packet);
  if (!header) return fmt::format("malformed packet: {}", to_string(header.error()));
  static constexpr const char* names[] = {"DATA",  "HELLO",   "HELLO_ACK",
                                          "RESET", "UNKNOWN", "RETRY"};
  std::string text =
      fmt::format("{} #{} to {:08x}, {} bytes, floor {}{}",
                  names[static_cast<std::size_t>(header->type)], header->number, header->connection,
                  header->length, header->floor, header->flags & flag_ack_now ? ", ack now" : "");
  if (header->type != packet_type::data) return text;
  frame_reader reader(packet.subspan(header_bytes));
  frame_view frame;
  while (reader.next(frame)) {
    text += fmt::format("\n  {} id {} flags {} {} bytes", frame_name(frame.type), frame.id,
                        frame.flags, frame.body.size());
    if (frame.type == frame_type::fragment && frame.body.size() > 8) {
      text += fmt::format(" total {} offset {}", load<std::uint32_t>(frame.body.data()),
                          load<std::uint32_t>(frame.body.data() + 4));
    }
    if (frame.type == frame_type::ack && frame.body.size() >= ack_body_bytes_min)
      text += fmt::format(" largest {}", load<std::uint64_t>(frame.body.data()));
  }
  if (reader.failed()) text += "\n  malformed frame";
  return text;
}

}  // namespace mdp::wire
