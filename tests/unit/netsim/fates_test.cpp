// Fates that are written down instead of drawn, and what an observer of the network is told.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "mdp/netsim/digest.hpp"
#include "mdp/netsim/options.hpp"
#include "tests/unit/netsim/world.hpp"

namespace mdp::netsim::test {
namespace {

using transport::packet_event;
using transport::packet_fate;

struct recorder final : transport::packet_observer {
  void on_place(std::uint32_t place, std::string_view name) noexcept override {
    places[place] = name;
  }
  void on_packet(const packet_event& e, std::span<const std::byte> first,
                 std::span<const buffer::slice> rest) noexcept override {
    events.push_back(e);
    std::size_t bytes = first.size();
    for (const buffer::slice& s : rest) bytes += s.size();
    if (e.fate != packet_fate::closed) {
      EXPECT_EQ(bytes, e.bytes);
    }
  }
  // Numbers of the packets with this fate at this place.
  std::vector<std::uint64_t> numbers(const std::string& place, packet_fate fate) const {
    std::vector<std::uint64_t> out;
    for (const packet_event& e : events) {
      if (e.fate == fate && places.at(e.place) == place) out.push_back(e.number);
    }
    return out;
  }
  std::map<std::uint32_t, std::string> places;
  std::vector<packet_event> events;
};

// Sends `count` packets from a to b, one each 10 us, and takes what arrives until 100 us later.
void talk(world& w, int count, std::vector<std::uint8_t>* arrived = nullptr) {
  w.open("a");
  w.open("b");
  static_cast<void>(w.take(0));
  static_cast<void>(w.take(1));
  for (int i = 0; i < count + 10; ++i) {
    if (i < count) w.send(0, 1, 100, static_cast<std::uint8_t>(i));
    for (std::int64_t turn = 0; turn >= 0;) {
      turn = w.net->advance(at_ns((i + 1) * 10'000));
      if (turn < 0) break;
      for (const auto& d : w.take(static_cast<std::size_t>(turn))) {
        if (arrived != nullptr) arrived->push_back(std::to_integer<std::uint8_t>(d.data.data()[0]));
      }
    }
  }
}

std::string with_fates(const std::string& link, const std::string& fates) {
  return R"({"seed": 7, "links": {"default": )" + link + R"(}, "fates": )" + fates + "}";
}

TEST(Fates, WhatTheScriptSaysHappensAndNothingElse) {
  recorder seen;
  world w(with_fates(R"({"delay_us": 1})", R"([
    {"link": "a/up", "packet": 3, "fate": "drop"},
    {"link": "a/up", "packet": 5, "fate": "duplicate"},
    {"link": "a/up", "packet": 7, "fate": "hold", "hold_us": 35},
    {"link": "a/up", "packet": 9, "fate": "damage"}])"));
  ASSERT_TRUE(w.net->observe(seen));
  std::vector<std::uint8_t> arrived;
  talk(w, 20, &arrived);
  using list = std::vector<std::uint64_t>;
  EXPECT_EQ(seen.numbers("a/up", packet_fate::lost), list{3});
  EXPECT_EQ(seen.numbers("a/up", packet_fate::duplicated), list{5});
  EXPECT_EQ(seen.numbers("a/up", packet_fate::damaged), list{9});
  EXPECT_EQ(seen.numbers("a/up", packet_fate::held), list{7});
  EXPECT_EQ(seen.numbers("a/up", packet_fate::sent).size(), 19u);
  EXPECT_EQ(seen.numbers("b", packet_fate::delivered),
            (list{0, 1, 2, 4, 5, 5, 6, 8, 9, 10, 7, 11, 12, 13, 14, 15, 16, 17, 18, 19}));
  EXPECT_EQ(w.fact("fates_not_met"), "0");
}

TEST(Fates, APacketIsSparedFromEveryDrawnHarm) {
  recorder seen;
  world w(with_fates(R"({"delay_us": 1, "loss_pct": 100})",
                     R"([{"link": "a/up", "packet": 2, "fate": "pass"},
                         {"link": "a/up", "packet": 70, "fate": "drop"},
                         {"link": "x/up", "packet": 0, "fate": "drop"}])"));
  ASSERT_TRUE(w.net->observe(seen));
  talk(w, 5);
  EXPECT_EQ(seen.numbers("a/up", packet_fate::sent), std::vector<std::uint64_t>{2});
  EXPECT_EQ(w.fact("fates_not_met"), "2");
}

constexpr const char* harmful = R"({"delay_us": 1, "jitter_us": 3, "loss_pct": 10,
  "duplicate_pct": 10, "corrupt_pct": 10, "hold_pct": 10, "hold_us": 35,
  "loss": {"model": "periodic", "every": 13}})";

TEST(Fates, OnlyFatesSilencesEveryModel) {
  world w(R"({"only_fates": true, "links": {"default": )" + std::string(harmful) + "}}");
  talk(w, 200);
  EXPECT_EQ(w.fact("packets_delivered"), "200");
  EXPECT_EQ(w.fact("packets_corrupted"), "0");
}

// The fates that a generator drew, written down, make the same run without it.
TEST(Fates, AScriptOfWhatWasDrawnRepeatsTheRun) {
  recorder drawn;
  world first(R"({"seed": 9, "links": {"default": )" + std::string(harmful) + "}}", 1024);
  ASSERT_TRUE(first.net->observe(drawn));
  talk(first, 300);
  std::string fates;
  const auto add = [&](packet_fate fate, const char* word, const char* more) {
    for (const std::uint64_t number : drawn.numbers("a/up", fate)) {
      fates += std::string(fates.empty() ? "" : ",") + R"({"link": "a/up", "packet": )" +
               std::to_string(number) + R"(, "fate": ")" + word + '"' + more + "}";
    }
  };
  add(packet_fate::lost, "drop", "");
  add(packet_fate::duplicated, "duplicate", "");
  add(packet_fate::damaged, "damage", "");
  add(packet_fate::held, "hold", R"(, "hold_us": 35)");
  EXPECT_GT(drawn.numbers("a/up", packet_fate::held).size(), 10u);
  world again(R"({"seed": 9, "only_fates": true, "links": {"default": )" + std::string(harmful) +
                  R"(}, "fates": [)" + fates + "]}",
              1024);
  talk(again, 300);
  EXPECT_EQ(again.fact("digest"), first.fact("digest"));
  EXPECT_EQ(again.fact("fates_not_met"), "0");
}

TEST(Fates, MistakesAreNamed) {
  const auto complaint = [](const std::string& fates) -> std::string {
    try {
      static_cast<void>(make_fabric(with_fates("{}", fates).c_str()));
    } catch (const options_error& e) {
      return e.what();
    }
    return "none";
  };
  EXPECT_EQ(complaint(R"([{"packet": 1, "fate": "drop"}])"),
            "/fates/0: the key \"link\" is missing");
  EXPECT_EQ(complaint(R"([{"link": "a/up", "fate": "drop"}])"),
            "/fates/0: the key \"packet\" is missing");
  EXPECT_EQ(complaint(R"([{"link": "a/up", "packet": 1}])"),
            "/fates/0: the key \"fate\" is missing");
  EXPECT_EQ(complaint(R"([{"link": "a/up", "packet": 1, "fate": "hold"}])"),
            "/fates/0: hold_us goes with the fate \"hold\", and with no other");
  EXPECT_NE(complaint(R"([{"link": "a/up", "packet": 1, "fate": "eat"}])"), "none");
  EXPECT_EQ(complaint("7").substr(0, 7), "/fates:");
}

TEST(Observer, SeesEveryEventAndChangesNone) {
  const std::string options = R"({"seed": 3, "links": {"default": {"rate_mbps": 50, "delay_us": 5,
    "queue_packets": 2, "loss_pct": 20, "mtu_bytes": 100, "down": {"delay_us": 2}}}})";
  recorder seen;
  world watched(options);
  ASSERT_TRUE(watched.net->observe(seen));
  talk(watched, 100);
  world alone(options);
  talk(alone, 100);
  EXPECT_EQ(watched.net->facts(), alone.net->facts());
  const auto count = [&](const std::string& place, packet_fate fate) {
    return std::to_string(seen.numbers(place, fate).size());
  };
  EXPECT_EQ(count("a/up", packet_fate::lost), alone.fact("packets_dropped_loss"));
  EXPECT_EQ(count("b/down", packet_fate::sent), alone.fact("packets_delivered"));
  EXPECT_EQ(count("b", packet_fate::delivered), alone.fact("packets_delivered"));
  EXPECT_FALSE(watched.net->observe(seen)) << "nodes are there already";
}

// The digest is the sum of what the chains of the last events say: the observer missed none.
TEST(Observer, TheChainsItSawMakeTheDigest) {
  recorder seen;
  world w(R"({"seed": 5, "links": {"default": )" + std::string(harmful) + "}}", 1024);
  ASSERT_TRUE(w.net->observe(seen));
  talk(w, 300);
  std::map<std::uint32_t, std::uint64_t> chains;
  for (const packet_event& e : seen.events) chains[e.place] = e.chain;
  std::uint64_t sum = 0;
  for (const auto& [place, chain] : chains) sum += splitmix64(chain ^ splitmix64(place));
  EXPECT_EQ(digest_text(sum), w.fact("digest"));
}

TEST(Observer, PacketsOfANodeThatClosedAreTold) {
  recorder seen;
  world w(R"({"links": {"default": {"delay_us": 5}}})");
  ASSERT_TRUE(w.net->observe(seen));
  w.open("a");
  w.open("b");
  w.open("c");
  w.send(0, 1, 60);
  w.send(1, 2, 60);
  w.nodes[2].reset();
  static_cast<void>(w.net->advance(at_ns(4'000)));
  // b goes while its packet travels; a's packet then finds nobody.
  w.nodes[1].reset();
  while (w.net->advance(at_ns(1'000'000)) >= 0) {
  }
  EXPECT_EQ(seen.numbers("b", packet_fate::closed), std::vector<std::uint64_t>{0});
  EXPECT_EQ(seen.numbers("b/up", packet_fate::closed), std::vector<std::uint64_t>{0});
  EXPECT_EQ(w.fact("packets_dropped_closed"), "2");
}

}  // namespace
}  // namespace mdp::netsim::test
