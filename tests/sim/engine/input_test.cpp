// Bad input, one packet at a time, put before a session that lives: each is counted under its own
// cause and changes nothing else. docs/protocol.md R-ACK-2.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "forgery.hpp"
#include "tests/support/conversation.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
using packet_bytes = std::vector<std::byte>;

constexpr int repetitions = 50;  // what one of them leaks, so many make plain

engine::config narrow() {
  engine::config c;
  c.max_peers = 1;
  c.receive_window_bytes = 100'000;
  c.receive_window_messages = 100;
  c.max_message_bytes = 90'000;
  c.reassembly_bytes = 1 << 16;
  return c;
}

// A session in which one packet was lost, and both sides are at rest.
class victim : public conversation {
 public:
  victim() : conversation({.delay = 1ms}, narrow()) {
    net.filter = [this](const engine_node& from, std::span<const std::byte> packet) {
      if (&from != &a || type_of(packet) != wire::packet_type::data || lost) return true;
      lost = wire::parse_header(packet)->number;
      return false;
    };
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(send(5000));
    EXPECT_TRUE(wait_all());
    net.run_for(3s);
    b.engine->blacklist(net.now(), shunned);
  }
  [[nodiscard]] std::uint32_t next_id() const { return static_cast<std::uint32_t>(sent.size()); }
  // Frames that are good by themselves, of the messages that come next: with 6,000 bytes where the
  // real one has 5,000.
  [[nodiscard]] frames good() const {
    frames f;
    f.fragment(next_id(), 6000, 0, 640).message(next_id() + 1, 10);
    return f;
  }
  [[nodiscard]] packet_bytes sealed_next(std::span<const std::byte> f) const {
    return sealed(10'000, f);
  }
  [[nodiscard]] const wire::hello& said_by_b() const { return a.engine->find(peer)->shake.theirs; }
  [[nodiscard]] const wire::hello& said_by_a() const {
    return b.engine->find(b_peer())->shake.theirs;
  }

  std::optional<std::uint64_t> lost;  // number of a packet that b never got
  endpoint_address elsewhere = simulated_address(77);
  endpoint_address shunned = simulated_address(78);
};

struct bad_input {
  const char* name;
  const char* cause;  // the count that rises
  std::function<packet_bytes(const victim&)> make;
  std::function<endpoint_address(const victim&)> from = [](const victim& v) { return v.a.address; };
};

packet_bytes with(packet_bytes packet, std::size_t at, unsigned value) {
  packet[at] = static_cast<std::byte>(value);
  return packet;
}

// The frames behind two good ones.
template <class Append>
std::function<packet_bytes(const victim&)> after_good(Append append) {
  return [append](const victim& v) {
    frames f = v.good();
    append(f, v.next_id());
    return v.sealed_next(f);
  };
}

endpoint_address from_elsewhere(const victim& v) {
  return v.elsewhere;
}

packet_bytes plain(const victim& v) {
  return v.sealed_next(v.good());
}

packet_bytes mistagged(const victim& v) {
  packet_bytes p = plain(v);
  wire::seal_packet(p, *wire::parse_header(p), 12345);
  return p;
}

const bad_input inputs[] = {
    {"empty", "rejected_malformed", [](const victim&) { return packet_bytes{}; }},
    {"short_header", "rejected_malformed",
     [](const victim& v) {
       packet_bytes p = plain(v);
       p.resize(wire::header_bytes - 1);
       return p;
     }},
    {"cut_off", "rejected_malformed",
     [](const victim& v) {
       packet_bytes p = plain(v);
       p.resize(p.size() - 8);
       return p;
     }},
    {"other_version", "rejected_malformed",
     [](const victim& v) { return with(plain(v), 0, 0xf0); }},
    {"other_type", "rejected_malformed",
     [](const victim& v) {
       packet_bytes p = plain(v);
       return with(p, 0, std::to_integer<unsigned>(p[0]) | 15u);
     }},
    {"short_hello", "rejected_malformed",
     [](const victim&) {
       packet_bytes p(wire::hello_bytes_min - 8);
       wire::seal_packet(p, {wire::packet_type::hello}, wire::hello_crc_seed);
       return p;
     }},
    {"no_credit_in_hello", "rejected_malformed",
     [](const victim& v) {
       wire::hello h = v.said_by_a();
       h.credit_messages = 1;
       return hello_packet(h);
     }},
    {"frame_of_unknown_type", "rejected_malformed",
     after_good([](frames& f, std::uint32_t) { f.other(0x42, 8); })},
    {"fragment_beyond_its_total", "rejected_malformed",
     after_good([](frames& f, std::uint32_t id) { f.fragment(id, 640, 640, 64); })},
    {"outcome_of_no_kind", "rejected_malformed",
     after_good([](frames& f, std::uint32_t) { f.outcome(9, 0, 1); })},
    {"damaged", "rejected_checksum",
     [](const victim& v) { return with(plain(v), wire::header_bytes + 20, 0x55); }},
    {"damaged_hello", "rejected_checksum",
     [](const victim& v) {
       return with(hello_packet(v.said_by_a()), wire::header_bytes + 9, 0x55);
     }},
    {"wrong_tag", "rejected_checksum", mistagged},
    {"other_generation_of_the_slot", "rejected_no_session",
     [](const victim& v) {
       packet_bytes p = plain(v);
       wire::store(p.data() + 4, wire::load<std::uint32_t>(p.data() + 4) + (1u << 20));
       return p;
     }},
    {"wrong_tag_from_elsewhere", "rejected_wrong_source", mistagged, from_elsewhere},
    {"ack_of_what_was_never_sent", "rejected_bad_ack",
     after_good([](frames& f, std::uint32_t) { f.ack(std::uint64_t{1} << 40, 0, {}); })},
    {"ack_below_zero", "rejected_bad_ack",
     after_good([](frames& f, std::uint32_t) { f.ack(0, 1, {}); })},
    {"outcome_of_what_was_never_sent", "rejected_bad_outcome",
     after_good([](frames& f, std::uint32_t) { f.outcome(1, 0, 0xffffffff); })},
    {"outcome_behind_a_good_ack", "rejected_bad_outcome",
     after_good([](frames& f, std::uint32_t) { f.ack(0, 0, {}).outcome(2, 1u << 31, 1); })},
    {"more_messages_than_the_credit", "rejected_flow_control",
     after_good([](frames& f, std::uint32_t id) {
       for (std::uint32_t i = 2; i < 110; ++i) f.message(id + i, 1);
     })},
    {"larger_than_any_message", "rejected_too_large",
     after_good([](frames& f, std::uint32_t id) { f.fragment(id + 2, 90'001, 0, 640); })},
    {"totals_that_disagree", "rejected_conflict",
     after_good([](frames& f, std::uint32_t id) { f.fragment(id, 6001, 640, 640); })},
    {"whole_and_fragment_that_disagree", "rejected_conflict",
     after_good([](frames& f, std::uint32_t id) { f.message(id, 5000); })},
    {"number_below_all_that_is_kept", "rejected_old",
     [](const victim& v) { return v.sealed(*v.lost, v.good()); }},
    {"id_beyond_the_window", "rejected_window",
     after_good([](frames& f, std::uint32_t id) { f.message(id + 65536, 10); })},
    {"more_than_reassembly_holds", "rejected_no_memory",
     after_good([](frames& f, std::uint32_t id) { f.fragment(id + 2, 80'000, 0, 640); })},
    {"one_peer_too_many", "rejected_peer_limit",
     [](const victim&) {
       wire::hello h;
       h.nonce = 5;
       h.instance = 55;
       h.packet_bytes = 1472;
       h.credit_bytes = 1 << 20;
       h.credit_messages = 1000;
       return hello_packet(h);
     },
     from_elsewhere},
    {"hello_of_an_earlier_session", "rejected_stale_hello",
     [](const victim& v) {
       wire::hello h = v.said_by_a();
       h.nonce ^= 1;
       return hello_packet(h);
     }},
    {"hello_of_its_own", "rejected_reflected",
     [](const victim& v) { return hello_packet(v.said_by_b()); }},
    {"from_a_blacklisted_address", "rejected_blacklisted", plain,
     [](const victim& v) { return v.shunned; }},
    {"reset_about_nothing_sent", "rejected_reset",
     [](const victim&) { return reply_packet(wire::packet_type::reset, 1, 1 << 30, 2, 3); }},
    {"unknown_about_nothing_sent", "rejected_reset",
     [](const victim&) { return reply_packet(wire::packet_type::unknown, 1, 1 << 30); }},
    {"retry_to_no_hello", "rejected_cookie",
     [](const victim& v) {
       return reply_packet(wire::packet_type::retry, v.said_by_b().connection, 0, 1, 2);
     }},
};

using figures = std::map<std::string, std::uint64_t>;

// All that the node counts, and what it says of its peer.
figures figures_of(const victim& v) {
  figures all;
  engine::for_each_stat(v.b.engine->counts(),
                        [&](const char* name, std::uint64_t value) { all[name] = value; });
  const engine::peer_counts p = *v.b.engine->peer_stats(v.b_peer());
  all["peer.packets_received"] = p.packets_received;
  all["peer.wire_bytes_received"] = p.wire_bytes_received;
  all["peer.messages_received"] = p.messages_received;
  all["peer.confirmed_delivered"] = p.confirmed_delivered;
  all["peer.window_bytes"] = p.window_bytes;
  all["peers"] = v.b.engine->peer_count();
  all["events"] = v.b.app.messages.size() + v.b.app.others.size() + v.b.app.downs.size();
  all["rx blocks"] = v.b.rx.available();
  all["blocks"] = v.b.blocks.available();
  // An answer, which is limited by itself (R-RESET-*), is no change.
  all.erase("resets_sent");
  return all;
}

// What differs, for people to read.
std::string difference(const figures& expected, const figures& found) {
  std::string text;
  for (const auto& [name, value] : found)
    if (expected.at(name) != value)
      text += name + " is " + std::to_string(value) + ", expected " +
              std::to_string(expected.at(name)) + "; ";
  return text;
}

class input : public testing::TestWithParam<bad_input> {};

// R-ACK-2, R-ACK-4, R-ACK-6, R-OUT-2, R-FLOW-1, R-FRAG-2, R-DUP-2
TEST_P(input, is_counted_under_its_cause_and_changes_nothing_else) {
  victim v;
  ASSERT_TRUE(v.lost);
  figures expected = figures_of(v);
  const packet_bytes packet = GetParam().make(v);
  for (int i = 0; i < repetitions; ++i) {
    v.net.inject(v.b, GetParam().from(v), packet);
    ++expected[GetParam().cause];
    ASSERT_EQ(difference(expected, figures_of(v)), "") << "after " << i + 1;
  }
  // The messages whose ids it bore arrive whole, and their credit is still there.
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(v.send(i % 2 == 0 ? 5000 : 100));
  ASSERT_TRUE(v.wait_all(10s));
  v.expect_each_once();
  v.expect_no_leak();
  EXPECT_EQ(v.a.app.downs.size() + v.b.app.downs.size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(each, input, testing::ValuesIn(inputs),
                         [](const auto& row) { return std::string(row.param.name); });

// Every cause has its row above, or its test below.
TEST(inputs, every_cause_is_tried) {
  std::set<std::string> missing;
  engine::for_each_stat(engine::stats{}, [&](const std::string& name, std::uint64_t) {
    if (name.starts_with("rejected_")) missing.insert(name);
  });
  for (const bad_input& i : inputs) missing.erase(i.cause);
  EXPECT_EQ(missing, std::set<std::string>{"rejected_path"}) << "which refuses no packet";
}

// R-PATH-2, R-ACK-2: it may just be late, so that the rest of its packet counts.
TEST(inputs, a_path_response_to_no_challenge_is_ignored_by_itself) {
  victim v;
  figures expected = figures_of(v);
  const packet_bytes packet =
      v.sealed_next(frames().other(static_cast<std::uint8_t>(wire::frame_type::path_response), 8));
  v.net.inject(v.b, v.a.address, packet);
  for (const std::string prefix : {"", "peer."}) {
    ++expected[prefix + "packets_received"];
    expected[prefix + "wire_bytes_received"] += packet.size();
  }
  ++expected["rejected_path"];
  EXPECT_EQ(difference(expected, figures_of(v)), "");
}

// R-PATH-1: only a packet that is accepted is evidence that its sender has moved.
TEST(inputs, a_refused_packet_from_elsewhere_begins_no_validation) {
  victim v;
  const auto sent_elsewhere = [&v](const frames& f) {
    const std::uint64_t before = v.net.packets_dropped;  // nobody is there
    v.net.inject(v.b, v.elsewhere, v.sealed_next(f));
    v.net.run_for(50ms);
    return v.net.packets_dropped - before;
  };
  EXPECT_EQ(sent_elsewhere(v.good().outcome(1, 0, 0xffffffff)), 0u);
  EXPECT_EQ(v.b.engine->counts().rejected_bad_outcome, 1u);
  EXPECT_GT(sent_elsewhere(v.good()), 0u) << "which a good one does";
}

// R-OUT-2: the work that one packet makes is bounded by what we keep for its sender.
TEST(inputs, outcomes_that_name_the_same_messages_over_and_over_are_refused) {
  victim v;
  v.a.app.confirms = false;
  constexpr std::uint64_t count = 2000;
  for (std::uint64_t i = 0; i < count; ++i) {
    ASSERT_TRUE(
        v.b.engine->submit(v.net.now(), v.b_peer(), bytes_of("x"), {engine::want_delivered, i}));
    if (i % 50 == 49) v.net.run_for(50ms);
  }
  frames often;
  for (int i = 0; i < 20; ++i) often.outcome(3, 0, count);
  const std::uint64_t before = v.b.engine->counts().rejected_bad_outcome;
  v.inject_sealed(20'000, often);
  EXPECT_EQ(v.b.engine->counts().rejected_bad_outcome, before + 1);
  frames twice;
  for (int i = 0; i < 2; ++i) twice.outcome(1, 0, count);
  v.inject_sealed(20'001, twice);
  v.net.run_for(50ms);
  EXPECT_EQ(v.b.engine->counts().rejected_bad_outcome, before + 1);
  EXPECT_EQ(v.b.app.delivered.size(), count);
}

// R-ACK-2, R-FRAG-2: the first one stands, and what the other one reserved is free again.
TEST(inputs, a_whole_message_stands_against_a_fragment_behind_it_that_disagrees) {
  victim v;
  figures before = figures_of(v);
  constexpr std::uint32_t count =
      60;  // of 6,000 bytes each: thrice the credit, five times reassembly
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t id = v.next_id() + i;
    v.net.inject(v.b, v.a.address,
                 v.sealed(10'000 + i, frames().message(id, 10).fragment(id, 6000, 640, 640)));
    v.net.run_for(10ms);
  }
  const figures after = figures_of(v);
  EXPECT_EQ(after.at("messages_received"), before.at("messages_received") + count);
  EXPECT_EQ(after.at("messages_duplicate"), before.at("messages_duplicate") + count);
  EXPECT_EQ(after.at("rx blocks"), before.at("rx blocks"));
  v.expect_no_leak();
}

// R-OUT-2, R-CONF-2
TEST(inputs, outcomes_repeated_a_thousand_times_are_one_event_each) {
  victim v;
  v.a.app.confirms = false;
  constexpr std::uint64_t count = 20;
  for (std::uint64_t i = 0; i < count; ++i)
    ASSERT_TRUE(
        v.b.engine->submit(v.net.now(), v.b_peer(), bytes_of("x"), {engine::want_delivered, i}));
  v.net.run_for(100ms);
  ASSERT_EQ(v.a.app.messages.size(), count);
  ASSERT_TRUE(v.b.app.delivered.empty());
  frames many;
  for (int i = 0; i < 20; ++i) many.outcome(1, 0, 10).outcome(2, 0, 10).outcome(1, 5, 10);
  for (std::uint64_t n = 0; n < 50; ++n) v.inject_sealed(10'000 + n, many);
  v.net.run_for(100ms);
  EXPECT_EQ(v.b.app.delivered.size(), 15u) << "ids 0 .. 14; 15 .. 19 were not named";
  EXPECT_TRUE(v.b.app.others.empty()) << "the first outcome of a message stands";
  EXPECT_EQ(v.b.engine->counts().confirmed_delivered, 15u);
  EXPECT_EQ(v.b.engine->counts().rejected_bad_outcome, 0u);
}

}  // namespace
}  // namespace mdp::test
