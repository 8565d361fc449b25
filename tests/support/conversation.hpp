// Two engines with an open session, a sending to b: what most scenarios are made of. Every message
// carries its serial, and what b got is compared byte for byte with what a sent.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/support/engine_pair.hpp"
#include "tests/support/payload.hpp"
#include "tests/support/payload_forms.hpp"

namespace mdp::test {

inline constexpr std::uint8_t both = engine::want_received | engine::want_delivered;

class conversation {
 public:
  explicit conversation(const network_options& options, const engine::config& settings = {},
                        const node_memory& memory = {})
      : net(options),
        random(options.seed ^ 0xc0de),
        a(net.add(settings, memory)),
        b(net.add(settings, memory)) {
    peer = *a.engine->connect(net.now(), b.address);
    net.run_until([this] { return a.app.ups == 1 && b.app.ups == 1; });
  }

  // a, as b knows it.
  [[nodiscard]] peer_id b_peer() const {
    return peer_id{a.engine->find(peer)->shake.theirs.connection};
  }
  // Uniform in [low, high].
  std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
    return low + random.next() % (high - low + 1);
  }
  // Submits one message that wants both confirmations; false when it was refused.
  bool send(std::size_t size, std::uint8_t wants = both) {
    const std::uint64_t serial = sent.size();
    std::string text = payload_of(serial, size);
    if (!forms.submit(*a.engine, net.now(), peer, text, {wants, serial}, serial)) return false;
    sent.push_back(std::move(text));
    return true;
  }
  [[nodiscard]] bool all_delivered() const { return a.app.delivered.size() == sent.size(); }
  bool wait_all(duration at_most = std::chrono::minutes(1)) {
    return net.run_until([this] { return all_delivered(); }, at_most);
  }
  // Every message that was sent arrived once, whole, and was reported once.
  void expect_each_once() {
    ASSERT_EQ(b.app.messages.size(), sent.size());
    for (const auto& [id, text] : b.app.messages) EXPECT_TRUE(text == sent.at(id)) << "id " << id;
    const std::set<std::uint64_t> reported(a.app.delivered.begin(), a.app.delivered.end());
    EXPECT_EQ(reported.size(), sent.size());
    EXPECT_EQ(a.app.delivered.size(), sent.size());
    EXPECT_TRUE(a.app.unknown.empty());
  }
  // Nothing is held when all is done and the last acknowledgements have passed.
  void expect_no_leak() {
    net.run_for(std::chrono::seconds(3));
    EXPECT_TRUE(a.engine->idle());
    EXPECT_TRUE(b.engine->idle());
    EXPECT_TRUE(a.all_blocks_home());
    EXPECT_TRUE(b.all_blocks_home());
    EXPECT_TRUE(forms.all_home());
  }
  // A packet of a's session to b, as a would seal it.
  std::vector<std::byte> sealed(std::uint64_t number, std::span<const std::byte> frames) const {
    std::vector<std::byte> packet(wire::header_bytes + frames.size());
    std::copy(frames.begin(), frames.end(), packet.begin() + wire::header_bytes);
    const engine::peer* session = a.engine->find(peer);
    wire::seal_packet(packet,
                      {wire::packet_type::data, 0, 0, session->shake.theirs.connection, number, 0},
                      session->crc_seed());
    return packet;
  }
  void inject_sealed(std::uint64_t number, std::span<const std::byte> frames) {
    net.inject(b, a.address, sealed(number, frames));
  }

  payload_forms forms;
  engine_network net;
  seeded_random random;
  engine_node& a;
  engine_node& b;
  peer_id peer{};
  std::vector<std::string> sent;  // by serial; ids are the same in the first session
};

// Frames made by hand, appended to one another.
class frames {
 public:
  frames& message(std::uint32_t id, std::size_t size, std::uint8_t flags = 0) {
    head(wire::frame_type::message, flags, size, id);
    return *this;
  }
  frames& fragment(std::uint32_t id, std::uint32_t total, std::uint32_t offset, std::size_t size) {
    std::byte* p = head(wire::frame_type::fragment, 0, 8 + size, id);
    wire::store(p, total);
    wire::store(p + 4, offset);
    return *this;
  }
  // Pairs of numbers as they travel: (missing, run) downwards from [largest - below, largest].
  frames& ack(std::uint64_t largest, std::uint32_t below,
              std::span<const std::pair<std::uint32_t, std::uint32_t>> runs) {
    std::byte* p = head(wire::frame_type::ack, 0, 16 + 8 * runs.size(), 0);
    wire::store(p, largest);
    wire::store(p + 8, below);
    p += 16;
    for (const auto& [missing, run] : runs) {
      wire::store(p, missing);
      wire::store(p + 4, run);
      p += 8;
    }
    return *this;
  }
  frames& outcome(std::uint8_t kind, std::uint32_t first, std::uint32_t count) {
    std::byte* p = head(wire::frame_type::outcome, kind, 8, 0);
    wire::store(p, first);
    wire::store(p + 4, count);
    return *this;
  }
  frames& other(std::uint8_t type, std::size_t size) {
    head(static_cast<wire::frame_type>(type), 0, size, 0);
    return *this;
  }
  operator std::span<const std::byte>() const { return bytes_; }  // NOLINT: meant as its bytes

 private:
  std::byte* head(wire::frame_type type, std::uint8_t flags, std::size_t size, std::uint32_t id) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + wire::frame_bytes(size));
    return wire::write_frame_head(bytes_.data() + at, type, flags, size, id);
  }
  std::vector<std::byte> bytes_;
};

}  // namespace mdp::test
