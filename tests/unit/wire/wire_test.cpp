// Checksums, headers, frames, hello.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mdp/base/random.hpp"
#include "mdp/wire/crc32c.hpp"
#include "mdp/wire/packet.hpp"

namespace mdp::wire {
namespace {

std::vector<std::byte> random_bytes(std::size_t size, std::uint64_t seed) {
  seeded_random random(seed);
  std::vector<std::byte> bytes(size);
  for (auto& b : bytes) b = static_cast<std::byte>(random.next());
  return bytes;
}

TEST(crc32c, gives_the_check_value) {
  const std::string digits = "123456789";
  EXPECT_EQ(crc32c(0, std::as_bytes(std::span(digits))), 0xe3069283u);
  EXPECT_EQ(crc32c_portable(0, std::as_bytes(std::span(digits))), 0xe3069283u);
}

TEST(crc32c, implementations_agree_at_every_length) {
  const auto bytes = random_bytes(5000, 1);
  for (std::size_t size = 0; size < 3300; ++size) {
    const std::span<const std::byte> part(bytes.data() + size % 13, size);
    const auto seed = static_cast<std::uint32_t>(size);
    const std::uint32_t expected = crc32c_portable(seed, part);
    ASSERT_EQ(crc32c(seed, part), expected) << size;
    ASSERT_EQ(crc32c_instruction(seed, part), expected) << size;
    ASSERT_EQ(crc32c_folding(seed, part), expected) << size;
  }
}

TEST(crc32c, continues) {
  const auto bytes = random_bytes(1464, 2);
  const std::span<const std::byte> all(bytes);
  EXPECT_EQ(crc32c(crc32c(7, all.first(24)), all.subspan(24)), crc32c(7, all));
}

// R-PKT-1, R-PKT-2
TEST(packet, header_survives_the_wire_and_one_flipped_bit_does_not) {
  std::vector<std::byte> packet(64);
  write_frame_head(packet.data() + header_bytes, frame_type::message, 1, 32, 99);
  const packet_header header{packet_type::data, flag_ack_now,       0,
                             0x12345678,        0x1122334455667788, 17};
  seal_packet(packet, header, 0xabcdef01);
  const auto parsed = parse_header(packet);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->number, header.number);
  EXPECT_EQ(parsed->connection, header.connection);
  EXPECT_EQ(parsed->floor, 17u);
  EXPECT_EQ(parsed->flags, flag_ack_now);
  EXPECT_EQ(parsed->length, 64u);
  EXPECT_TRUE(crc_matches(packet, 0xabcdef01));
  EXPECT_FALSE(crc_matches(packet, 0xabcdef02)) << "the tag is of a different session";
  for (std::size_t bit = 0; bit < packet.size() * 8; ++bit) {
    packet[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    const auto damaged = parse_header(packet);
    EXPECT_FALSE(damaged && crc_matches(packet, 0xabcdef01)) << "bit " << bit;
    packet[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  }
}

TEST(packet, every_truncation_is_refused) {
  std::vector<std::byte> packet(80);
  seal_packet(packet, {}, 1);
  for (std::size_t size = 0; size < packet.size(); ++size)
    EXPECT_FALSE(parse_header({packet.data(), size})) << size;
}

// R-FRM-1
TEST(frames, are_walked_to_the_end) {
  std::vector<std::byte> frames(8 + 8 + 16 + 8);
  write_frame_head(frames.data(), frame_type::ping, 0, 0, 0);
  write_frame_head(frames.data() + 8, static_cast<frame_type>(0x90), 0, 10, 5);
  write_frame_head(frames.data() + 32, frame_type::pad, 0, 0, 0);
  frame_reader reader(frames);
  frame_view frame;
  ASSERT_TRUE(reader.next(frame));
  EXPECT_EQ(frame.type, frame_type::ping);
  ASSERT_TRUE(reader.next(frame));
  EXPECT_EQ(frame.body.size(), 10u);
  ASSERT_TRUE(reader.next(frame));
  EXPECT_EQ(frame.type, frame_type::pad);
  EXPECT_FALSE(reader.next(frame));
  EXPECT_FALSE(reader.failed());
  EXPECT_TRUE(frames_well_formed(frames)) << "unknown types from 0x80 on are skipped";
  frames[8] = std::byte{0x70};
  EXPECT_FALSE(frames_well_formed(frames)) << "unknown types below are not";
}

// R-FRAG-1
TEST(frames, impossible_fragments_are_malformed) {
  std::vector<std::byte> frame(16 + 128);
  std::byte* body = write_frame_head(frame.data(), frame_type::fragment, 0, 8 + 128, 1);
  const auto check = [&](std::uint32_t total, std::uint32_t offset) {
    store(body, total);
    store(body + 4, offset);
    return frames_well_formed(frame);
  };
  EXPECT_TRUE(check(1000, 64));
  EXPECT_TRUE(check(128, 0));
  EXPECT_TRUE(check(0xffffffff, 0xffffff00 - 128));
  EXPECT_FALSE(check(127, 0)) << "past the end";
  EXPECT_FALSE(check(1000, 63)) << "not on a unit";
  EXPECT_FALSE(check(0xffffffff, 0xffffffc0)) << "offset + length wraps";
}

// R-MSG-3: every id within half of the field of the reference comes out whole, at each wrap.
TEST(frames, expand_is_right_across_the_wraps_of_31_and_32_bits) {
  for (const std::uint64_t wrap : {std::uint64_t{1} << 31, std::uint64_t{1} << 32,
                                   3 * (std::uint64_t{1} << 31), std::uint64_t{1} << 47}) {
    for (const std::int64_t at : {-70000, -65536, -1, 0, 1, 65535, 70000}) {
      const std::uint64_t reference = wrap + static_cast<std::uint64_t>(at);
      for (const std::int64_t away : {-2147483647L, -65536L, -1L, 0L, 1L, 65536L, 2147483647L}) {
        if (away < 0 && reference < static_cast<std::uint64_t>(-away)) continue;
        const std::uint64_t id = reference + static_cast<std::uint64_t>(away);
        EXPECT_EQ(expand(reference, static_cast<std::uint32_t>(id)), id);
      }
    }
  }
}

TEST(frames, expand_finds_the_nearest) {
  EXPECT_EQ(expand(0, 5), 5u);
  EXPECT_EQ(expand(0x1'0000'0000, 0xffffffff), 0xffffffffu);
  EXPECT_EQ(expand(0xffffffff, 0), 0x1'0000'0000u);
  EXPECT_EQ(expand(0x5'8000'0000, 0x7fffffff), 0x5'7fffffffu);
  EXPECT_EQ(expand(3, 0xffffffff), 0xffffffffu) << "never below zero";
}

// R-SESS-1
TEST(hello, survives_the_wire) {
  std::vector<std::byte> body(hello_body_bytes);
  hello h{1, 2, 3, 4, 5u << 20, 60, 7, 1472, 9};
  h.message_bytes = 10;
  write_hello(body, h);
  const auto parsed = parse_hello(body);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->nonce, 1u);
  EXPECT_EQ(parsed->echoed_nonce, 2u);
  EXPECT_EQ(parsed->instance, 3u);
  EXPECT_EQ(parsed->epoch, 4u);
  EXPECT_EQ(parsed->credit_bytes, 5u << 20);
  EXPECT_EQ(parsed->credit_messages, 60u);
  EXPECT_EQ(parsed->connection, 7u);
  EXPECT_EQ(parsed->packet_bytes, 1472u);
  EXPECT_EQ(parsed->rx_capacity_bytes, 9u);
  EXPECT_EQ(parsed->message_bytes, 10u);
  body[0] = std::byte{0};
  EXPECT_FALSE(parse_hello(body));
}

TEST(hello, the_tag_does_not_depend_on_who_began) {
  EXPECT_EQ(session_tag(1, 2), session_tag(2, 1));
  EXPECT_NE(session_tag(1, 2), session_tag(1, 3));
}

TEST(describe, is_readable) {
  std::vector<std::byte> packet(48);
  write_frame_head(packet.data() + 24, frame_type::message, 1, 11, 7);
  seal_packet(packet, {packet_type::data, 0, 0, 0x100000, 5, 2}, 0);
  EXPECT_EQ(describe_packet(packet),
            "DATA #5 to 00100000, 48 bytes, floor 2\n  MSG id 7 flags 1 11 bytes");
  EXPECT_EQ(describe_packet({}), "malformed packet: truncated");
}

}  // namespace
}  // namespace mdp::wire
