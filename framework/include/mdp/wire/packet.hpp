// The bytes of MDP packets: layout constants, a checked reader of frames, and writers.
// Pure functions over spans; nothing here allocates, throws or asserts on input.
// The normative text is docs/protocol.md, sections 3 and 4. All integers are little-endian.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "mdp/base/result.hpp"

namespace mdp::wire {

// Packet header, 24 bytes:
//   0 u8  version << 4 | type     1 u8 flags      2 u16 packet length, header included
//   4 u32 connection id of the receiver           8 u64 packet number
//  16 u32 CRC32C, seeded with the session's tag  20 u32 receive floor: low half of the lowest
//  message
//                                                       id that the sender of this packet has not
//                                                       closed
inline constexpr std::size_t header_bytes = 24;
inline constexpr std::uint8_t protocol_version = 1;
inline constexpr std::size_t crc_offset = 16;
// A packet that opens a session is padded to this, so that an answer never amplifies (RFC
// 9000 8.1).
inline constexpr std::size_t hello_bytes_min = 1200;
inline constexpr std::size_t packet_bytes_min = header_bytes;
inline constexpr std::size_t packet_bytes_max = 65507;

enum class packet_type : std::uint8_t {
  data = 0,
  hello = 1,
  hello_ack = 2,
  reset = 3,    // "I know no such connection", proven by the token that was given for it
  unknown = 4,  // the same without proof: a hint
  retry = 5,    // "say HELLO again, with this cookie"
};

enum packet_flags : std::uint8_t {
  flag_ack_now = 1,  // the sender asks for an acknowledgement without delay
};

struct packet_header {
  packet_type type = packet_type::data;
  std::uint8_t flags = 0;
  std::uint16_t length = 0;
  std::uint32_t connection = 0;
  std::uint64_t number = 0;
  std::uint32_t floor = 0;
};

// A frame: u8 type, u8 flags, u16 length, u32 id, then `length` bytes, padded with zeros to 8.
inline constexpr std::size_t frame_head_bytes = 8;
// FRAG: u32 total and u32 offset precede the data.
inline constexpr std::size_t fragment_head_bytes = frame_head_bytes + 8;
// Fragment data is a multiple of this, but for the last of a message.
inline constexpr std::size_t fragment_unit_bytes = 64;

enum class frame_type : std::uint8_t {
  pad = 0,      // ignored, not ack-eliciting
  message = 1,  // one whole message; id: low half of its message id
  fragment = 2,
  ack = 3,      // id: delay in microseconds; not ack-eliciting
  outcome = 4,  // flags: outcome_kind; id: high half of the message ids; ranges of low halves
  credit = 5,   // u64 bytes, u64 messages: cumulative limits
  ping = 6,
  abandon = 7,            // entries of messages that need not arrive any more
  path_challenge = 8,     // eight random bytes; not ack-eliciting
  path_response = 9,      // the same eight bytes; not ack-eliciting
  nack = 10,              // u32 ids of messages whose fragments stay away; not ack-eliciting
  skippable_from = 0x80,  // unknown types from here on are ignored; below, the packet is malformed
};

enum frame_flags : std::uint8_t {
  frame_wants_delivered = 1,  // message, fragment: the sender asks for an OUTCOME
  frame_in_channel = 2,       // message, fragment: the content begins with a channel head
  frame_ack_again = 1,        // ACK: one before it stated the same largest number
};

// Of a message in an ordered channel, ahead of its payload: u32 sequence, u16 channel, u16 zero.
inline constexpr std::size_t channel_head_bytes = 8;

enum class outcome_kind : std::uint8_t {
  delivered = 1,
  rejected = 2,
  cancelled = 3,  // answer to ABANDON: closed unread
  completed = 4,  // answer to ABANDON: the message had come whole before
};

// ABANDON entry: u32 message id, u32 bytes charged, u32 sequence, u16 channel, u16 flags.
inline constexpr std::size_t abandon_entry_bytes = 16;
inline constexpr std::uint16_t abandon_charged = 1;  // the sender has charged it to its credit

enum class wire_error : std::uint8_t {
  truncated,  // shorter than a header, or than its own length says
  bad_version,
  bad_type,
  bad_length,
  bad_frame,  // a frame runs past the packet, or its body is not of its type's shape
};
[[nodiscard]] const char* to_string(wire_error e) noexcept;

template <class Int>
[[nodiscard]] inline Int load(const std::byte* p) noexcept {
  static_assert(std::endian::native == std::endian::little, "add a byte swap for this CPU");
  Int value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
template <class Int>
inline void store(std::byte* p, Int value) noexcept {
  std::memcpy(p, &value, sizeof value);
}

[[nodiscard]] constexpr std::size_t frame_bytes(std::size_t body_bytes) noexcept {
  return frame_head_bytes + (body_bytes + 7) / 8 * 8;
}

// Full-width id or number whose low half is `low` and that lies nearest to `reference`.
[[nodiscard]] constexpr std::uint64_t expand(std::uint64_t reference, std::uint32_t low) noexcept {
  const auto distance = static_cast<std::int32_t>(low - static_cast<std::uint32_t>(reference));
  const auto wide = static_cast<std::int64_t>(distance);
  if (wide < 0 && reference < static_cast<std::uint64_t>(-wide)) {
    return reference + (std::uint64_t{1} << 32) - static_cast<std::uint64_t>(-wide);
  }
  return reference + static_cast<std::uint64_t>(wide);
}

// Reads and checks the fixed header; the CRC is not looked at.
[[nodiscard]] result<packet_header, wire_error> parse_header(
    std::span<const std::byte> packet) noexcept;

// Writes the header with a zero CRC, then the CRC of header and frames seeded with `crc_seed`.
// `packet` is the whole packet, its frames already in place, or its beginning and `rest` the pieces
// that follow.
void seal_packet(std::span<std::byte> packet, packet_header header, std::uint32_t crc_seed,
                 std::span<const std::span<const std::byte>> rest = {}) noexcept;
[[nodiscard]] bool crc_matches(std::span<const std::byte> packet, std::uint32_t crc_seed) noexcept;

struct frame_view {
  frame_type type = frame_type::pad;
  std::uint8_t flags = 0;
  std::uint32_t id = 0;
  std::span<const std::byte> body;
};

// Walks the frames of a packet. next() gives false at the end; failed() then tells a malformed end.
class frame_reader {
 public:
  explicit frame_reader(std::span<const std::byte> frames) noexcept : rest_(frames) {}
  bool next(frame_view& frame) noexcept {
    if (rest_.empty()) return false;
    if (rest_.size() < frame_head_bytes) return fail();
    const std::byte* p = rest_.data();
    const std::size_t length = load<std::uint16_t>(p + 2);
    const std::size_t whole = frame_bytes(length);
    // The last frame of a packet may leave its padding out.
    if (frame_head_bytes + length > rest_.size()) return fail();
    frame = {static_cast<frame_type>(p[0]), static_cast<std::uint8_t>(p[1]),
             load<std::uint32_t>(p + 4), rest_.subspan(frame_head_bytes, length)};
    rest_ = whole >= rest_.size() ? std::span<const std::byte>() : rest_.subspan(whole);
    return true;
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  bool fail() noexcept {
    failed_ = true;
    return false;
  }
  std::span<const std::byte> rest_;
  bool failed_ = false;
};

// True when every frame has a known or skippable type and a body of its type's shape.
[[nodiscard]] bool frames_well_formed(std::span<const std::byte> frames) noexcept;

// Writes a frame's head at `at`; returns where its body goes.
inline std::byte* write_frame_head(std::byte* at, frame_type type, std::uint8_t flags,
                                   std::size_t body_bytes, std::uint32_t id) noexcept {
  at[0] = static_cast<std::byte>(type);
  at[1] = static_cast<std::byte>(flags);
  store(at + 2, static_cast<std::uint16_t>(body_bytes));
  store(at + 4, id);
  return at + frame_head_bytes;
}

// ACK body: u64 largest, u32 packets below it in the same run, u32 packets received
// with a congestion mark (CE) so far, then pairs
// (u32 missing, u32 run) towards lower numbers.
inline constexpr std::size_t ack_body_bytes_min = 16;
// The first `frames` bytes as readable text, one frame a line: for traces and tests.
[[nodiscard]] std::string describe_packet(std::span<const std::byte> packet);

// Proof that the sender of a RESET gave out the connection id in question. All zero: none.
using reset_token = std::array<std::uint64_t, 2>;

// Body of HELLO and HELLO_ACK.
struct hello {
  std::uint64_t nonce = 0;         // fresh for every attempt of the sender
  std::uint64_t echoed_nonce = 0;  // HELLO_ACK: the nonce that it answers
  std::uint64_t instance = 0;      // fresh at every start of the sending node
  std::uint64_t epoch = 0;         // counts the sessions that this instance opened to this peer
  std::uint64_t credit_bytes = 0;
  std::uint64_t credit_messages = 0;
  std::uint32_t connection = 0;    // the receiver of this puts it into its packets
  std::uint32_t packet_bytes = 0;  // largest packet that the sender of this takes
  // How much may be in flight towards the sender of this; 0: any.
  std::uint32_t rx_capacity_bytes = 0;
  std::uint32_t message_bytes = 0;  // largest message that the sender of this takes; 0: any
  // Whoever presents it later proves that the sender of this forgot the session; zero: none.
  reset_token token{};
  std::uint64_t cookie = 0;  // HELLO: from a RETRY or an earlier HELLO_ACK. HELLO_ACK: for the next
                             // HELLO. 0: none
  // HELLO: check of the session that its sender has in force and doubts; 0: none.
  std::uint64_t held = 0;
};
inline constexpr std::size_t hello_body_bytes = 96;
// Behind the body HELLO has room for messages that may go early, in so many bytes of MSG frames.
inline constexpr std::size_t early_offset = header_bytes + hello_body_bytes;
inline constexpr std::size_t early_bytes_max = hello_bytes_min - early_offset;
inline constexpr std::uint32_t early_messages_max = 16;
// The least first credit of a peer: what goes early is within it.
inline constexpr std::uint64_t first_credit_bytes_min = hello_bytes_min;
inline constexpr std::uint64_t first_credit_messages_min = early_messages_max;
// Hello packets belong to no session: their CRC has this seed.
inline constexpr std::uint32_t hello_crc_seed = 0x4d445031u;

void write_hello(std::span<std::byte> body, const hello& h) noexcept;
[[nodiscard]] result<hello, wire_error> parse_hello(std::span<const std::byte> body) noexcept;

// The HELLO begins with messages behind its body.
[[nodiscard]] inline bool has_early_messages(std::span<const std::byte> hello_packet) noexcept {
  return hello_packet.size() > early_offset &&
         hello_packet[early_offset] == static_cast<std::byte>(frame_type::message);
}
// True when the frames are well-formed, and nothing but messages and padding.
[[nodiscard]] bool only_messages(std::span<const std::byte> frames) noexcept;

// RESET, UNKNOWN and RETRY answer one packet each, are shorter than it, and are never answered. The
// header repeats the trigger's connection id and number. RESET: the token follows.
// RETRY: u64 nonce of the HELLO, u64 cookie.
inline constexpr std::size_t reply_body_bytes = 16;
inline constexpr std::size_t reset_bytes = header_bytes + reply_body_bytes;
inline constexpr std::size_t unknown_bytes = header_bytes;
inline constexpr std::size_t retry_bytes = header_bytes + reply_body_bytes;

// The session's tag, the same on both sides whoever began: both nonces decide.
[[nodiscard]] std::uint64_t session_tag(std::uint64_t nonce_a, std::uint64_t nonce_b) noexcept;
// Names a session to the one who has it, without giving its tag away.
[[nodiscard]] std::uint64_t session_check(std::uint64_t tag) noexcept;
[[nodiscard]] constexpr std::uint32_t crc_seed_of(std::uint64_t tag) noexcept {
  return static_cast<std::uint32_t>(tag ^ tag >> 32);
}

}  // namespace mdp::wire
