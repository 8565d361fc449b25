// Each fault of the simulator twice: as MDP outlives it, and as it cannot. What both applications
// are told then is what docs/protocol.md promises; docs/faults.md is the table of these trials.
#include "tests/support/fault_trial.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

namespace mdp::test {
namespace {

using messaging::event_kind;
using namespace std::chrono_literals;

enum class ends {
  outlived,     // every message is delivered; nobody is told of anything
  interrupted,  // the peer is told down for a while; then all is delivered in the same session
  cut_off,      // both are told that the peer is down; the pinned session waits, unresolved
  unheard,      // the same, but the server hears: only the client is told
  dead,         // the same, but the server is gone for good and can be told nothing
  forgotten,    // the server's process is gone, and its successor knows nothing: unknown
  refused,      // no session begins: told down; what waited for one is unknown, the rest refused
  timed_out,    // messages are given up, each told so, while the peer stays up
};

constexpr const char* plain = R"("delay_us": 2500)";  // a link
// Forth and back in 1.9 s: by a true clock within the connect_timeout of 2 s.
constexpr const char* far_away = R"("delay_us": 950000)";

// Their names in docs/faults.md, in this order.
constexpr const char* end_names[] = {"outlived", "interrupted", "cut off", "unheard",
                                     "dead",     "forgotten",   "refused", "timed out"};

struct trial {
  const char* name;
  ends end;
  const char* faults = "";         // of nodes
  const char* client = plain;      // the link of the client ...
  const char* server = plain;      // ... and of the server
  const char* happened = nullptr;  // a count of the simulator that shows it; null: none does
  std::size_t message_bytes = 8;
  duration timeout{};
  std::string fates{};  // of single packets
};

// fault_table_test.cpp reads it.
void PrintTo(const trial& t, std::ostream* out) {
  *out << end_names[static_cast<std::size_t>(t.end)];
}

fault_ending run(const trial& t) {
  fault_setting s;
  s.network = fmt::format(R"({{"links": {{"c": {{{}}}, "s": {{{}}}}}, "faults": [{}],
                              "fates": [{}], "nodes": {{"client": "c", "server": "s"}}}})",
                          t.client, t.server, t.faults, t.fates);
  s.message_bytes = t.message_bytes;
  s.timeout = t.timeout;
  return fault_conversation(s).run();
}

class node_and_link_faults : public testing::TestWithParam<trial> {};

// R-LIVE-2, R-SESS-6, R-SESS-10, R-TIME-1, R-TIME-2, R-PATH-1, R-PMTU-5, R-PKT-2
TEST_P(node_and_link_faults, end_as_promised) {
  const trial& t = GetParam();
  const fault_ending seen = run(t);
  constexpr int messages = 40;
  const int delivered = seen.count(event_kind::delivered);
  const int late =
      seen.count(event_kind::timed_out_received) + seen.count(event_kind::timed_out_delivered);
  const int unknown = seen.count(event_kind::unknown);
  const int unresolved = static_cast<int>(seen.unresolved);
  EXPECT_EQ(seen.ambiguous(), 0);
  EXPECT_EQ(seen.invented(), 0);
  EXPECT_EQ(seen.damaged, 0);
  EXPECT_EQ(delivered + late + unknown + unresolved + seen.refused, messages);
  if (t.happened != nullptr) {
    EXPECT_GT(seen.facts.at(t.happened), 0u) << t.happened;
  }
  const auto is_one_of = [&](std::initializer_list<ends> list) {
    return std::find(list.begin(), list.end(), t.end) != list.end();
  };
  EXPECT_EQ(delivered == messages, is_one_of({ends::outlived, ends::interrupted}));
  EXPECT_EQ(unresolved > 0, is_one_of({ends::cut_off, ends::unheard, ends::dead}));
  EXPECT_EQ(unknown > 0, is_one_of({ends::forgotten, ends::refused}));
  EXPECT_EQ(late > 0, is_one_of({ends::timed_out}));
  EXPECT_EQ(seen.refused > 0, is_one_of({ends::refused}));
  const bool again = is_one_of({ends::forgotten, ends::interrupted});
  EXPECT_EQ(seen.client_ups, t.end == ends::refused ? 0 : again ? 2 : 1);
  EXPECT_EQ(seen.client_downs > 0, !is_one_of({ends::outlived, ends::timed_out}));
  if (!is_one_of({ends::interrupted})) {
    EXPECT_EQ(seen.server_downs > 0, is_one_of({ends::cut_off}));
  }
  EXPECT_EQ(delivered > 0, !is_one_of({ends::refused})) << "before the fault";
  if (is_one_of({ends::forgotten})) {
    EXPECT_TRUE(seen.of_message.at(messages - 1).contains(event_kind::delivered)) << "it goes on";
  }
  if (t.end == ends::unheard) {
    EXPECT_GT(seen.taken.size(), static_cast<std::size_t>(delivered));
  }
}

// What becomes of these packets of the client.
std::string fates(int first, int last, const std::string& fate) {
  std::string all;
  for (int packet = first; packet <= last; ++packet) {
    all += fmt::format(R"({}{{"link": "client/up", "packet": {}, "fate": {}}})",
                       all.empty() ? "" : ",", packet, fate);
  }
  return all;
}

const trial link_trials[] = {
    {"link_comes_back", ends::outlived, "",
     R"("delay_us": 2500, "changes": [{"at_us": 1e6, "carrier": false},
                  {"at_us": 3e6, "carrier": true}])",
     plain, "packets_dropped_carrier"},
    {"link_stays_down", ends::cut_off, "",
     R"("delay_us": 2500, "changes": [{"at_us": 1e6, "carrier": false}])",
     R"("delay_us": 2500, "changes": [{"at_us": 1e6, "carrier": false}])",
     "packets_dropped_carrier"},
    {"all_is_lost_for_two_seconds", ends::outlived, "",
     R"("delay_us": 2500, "changes": [{"at_us": 1e6, "loss_pct": 100},
                  {"at_us": 3e6, "loss_pct": 0}])",
     plain, "packets_dropped_loss"},
    {"all_is_lost_for_good", ends::cut_off, "",
     R"("delay_us": 2500, "changes": [{"at_us": 1e6, "loss_pct": 100}])", plain,
     "packets_dropped_loss"},
    {"answers_are_lost_for_two_seconds", ends::outlived, "", plain,
     R"("delay_us": 2500, "changes": [{"at_us": 1e6, "loss_pct": 100},
                  {"at_us": 3e6, "loss_pct": 0}])",
     "packets_dropped_loss"},
    {"answers_are_lost_for_good", ends::unheard, "", plain,
     R"("delay_us": 2500, "changes": [{"at_us": 1e6, "loss_pct": 100}])", "packets_dropped_loss"},
    {"delay_grows_to_a_second", ends::outlived, "",
     R"("delay_us": 2500, "changes": [{"at_us": 1e6, "delay_us": 1e6}])"},
    {"delay_grows_beyond_the_connect_timeout", ends::cut_off, "",
     R"("delay_us": 2500, "changes": [{"at_us": 1e6, "delay_us": 4e6}])"},
    {"rate_falls", ends::outlived, "",
     R"("rate_mbps": 10, "delay_us": 2500, "changes": [{"at_us": 1e6, "rate_mbps": 0.5}])", plain,
     nullptr, 3000},
    {"rate_falls_below_the_load", ends::timed_out, "",
     R"("rate_mbps": 10, "delay_us": 2500, "queue_packets": 20,
        "changes": [{"at_us": 1e6, "rate_mbps": 0.5}])",
     plain, "packets_dropped_queue", 20'000, 1s},
    {"jitter_grows_to_half_a_second", ends::outlived, "",
     R"("delay_us": 2500, "reorder": true, "changes": [{"at_us": 1e6, "jitter_us": 5e5}])", plain,
     nullptr, 3000},
    {"jitter_grows_to_an_hour", ends::cut_off, "",
     R"("delay_us": 2500, "changes": [{"at_us": 1e6, "jitter_us": 3.6e9}])"},
    {"mtu_falls_to_the_base", ends::outlived, "",
     R"("delay_us": 2500, "changes": [{"at_us": 1e6, "mtu_bytes": 1200}])",
     R"("delay_us": 2500, "mtu_bytes": 9000)", "packets_dropped_mtu", 20'000},
    {"mtu_falls_below_the_base", ends::timed_out, "",
     R"("delay_us": 2500, "changes": [{"at_us": 1e6, "mtu_bytes": 600}])",
     R"("delay_us": 2500, "mtu_bytes": 9000)", "packets_dropped_mtu", 20'000, 2s},
    {"every_other_packet_comes_twice", ends::outlived, "",
     R"("delay_us": 2500, "duplicate_pct": 50)", R"("delay_us": 2500, "duplicate_pct": 50)",
     "packets_duplicated", 3000},
    {"copies_take_the_rate", ends::timed_out, "",
     R"("rate_mbps": 1.7, "delay_us": 2500, "queue_packets": 100, "duplicate_pct": 100)", plain,
     "packets_duplicated", 20'000, 1s},
    {"bits_flip", ends::outlived, "", R"("delay_us": 2500, "corrupt_pct": 20)",
     R"("delay_us": 2500, "corrupt_pct": 20)", "packets_corrupted", 3000},
    {"a_bit_of_every_packet_flips", ends::refused, "", R"("delay_us": 2500, "corrupt_pct": 100)",
     plain, "packets_corrupted"},
    {"headers_are_damaged", ends::outlived, "",
     R"("delay_us": 2500, "corrupt_pct": 20, "corrupt_kind": "header")",
     R"("delay_us": 2500, "corrupt_pct": 20, "corrupt_kind": "header")", "packets_corrupted", 3000},
    {"payloads_are_damaged", ends::outlived, "",
     R"("delay_us": 2500, "corrupt_pct": 20, "corrupt_kind": "payload")",
     R"("delay_us": 2500, "corrupt_pct": 20)", "packets_corrupted", 3000},
    {"damage_passes_the_internet_checksum", ends::outlived, "",
     R"("delay_us": 2500, "corrupt_pct": 20, "corrupt_kind": "checksum")",
     R"("delay_us": 2500, "corrupt_pct": 20, "corrupt_kind": "checksum")", "packets_corrupted",
     3000},
    {"every_header_is_damaged", ends::refused, "",
     R"("delay_us": 2500, "corrupt_pct": 100, "corrupt_kind": "header")", plain,
     "packets_corrupted"},
    {"every_payload_is_damaged", ends::refused, "",
     R"("delay_us": 2500, "corrupt_pct": 100, "corrupt_kind": "payload")", plain,
     "packets_corrupted"},
    {"all_damage_passes_the_internet_checksum", ends::refused, "",
     R"("delay_us": 2500, "corrupt_pct": 100, "corrupt_kind": "checksum")", plain,
     "packets_corrupted"},
    {"half_is_overtaken", ends::outlived, "",
     R"("delay_us": 2500, "hold_pct": 50, "hold_us": 50000)",
     R"("delay_us": 2500, "hold_pct": 50, "hold_us": 50000)", nullptr, 20'000},
    {"all_are_held_beyond_the_connect_timeout", ends::refused, "",
     R"("delay_us": 2500, "hold_pct": 100, "hold_us": 3e6)"},
    {"queue_of_two", ends::outlived, "", R"("rate_mbps": 10, "delay_us": 2500, "queue_packets": 2)",
     plain, "packets_dropped_queue", 20'000},
    {"queue_of_two_and_too_little_rate", ends::timed_out, "",
     R"("rate_mbps": 1, "delay_us": 2500, "queue_packets": 2)", plain, "packets_dropped_queue",
     20'000, 1s},
};

const trial loss_trials[] = {
    {"bursts_are_lost", ends::outlived, "",
     R"("delay_us": 2500, "loss": {"model": "gilbert_elliott", "to_bad_pct": 10,
        "to_good_pct": 50})",
     plain, "packets_dropped_loss"},
    {"a_burst_does_not_end", ends::cut_off, "",
     R"("delay_us": 2500, "loss": {"model": "gilbert_elliott", "to_bad_pct": 5,
        "to_good_pct": 0})",
     plain, "packets_dropped_loss"},
    {"bursts_have_gaps", ends::outlived, "",
     R"("delay_us": 2500, "loss": {"model": "four_state", "p13_pct": 10, "p31_pct": 20,
        "p32_pct": 30, "p23_pct": 50, "p14_pct": 2})",
     plain, "packets_dropped_loss"},
    {"a_burst_has_no_gap_and_no_end", ends::cut_off, "",
     R"("delay_us": 2500, "loss": {"model": "four_state", "p13_pct": 2, "p31_pct": 0,
        "p32_pct": 0, "p23_pct": 0, "p14_pct": 0})",
     plain, "packets_dropped_loss"},
    {"every_third_is_lost", ends::outlived, "",
     R"("delay_us": 2500, "loss": {"model": "periodic", "every": 3})", plain,
     "packets_dropped_loss", 3000},
    {"each_is_lost", ends::refused, "",
     R"("delay_us": 2500, "loss": {"model": "periodic", "every": 1})", plain,
     "packets_dropped_loss"},
    {"one_of_three_passes", ends::outlived, "",
     R"("delay_us": 2500, "loss": {"model": "pattern", "pattern": "001"})", plain,
     "packets_dropped_loss", 3000},
    {"a_pattern_of_losses_alone", ends::refused, "",
     R"("delay_us": 2500, "loss": {"model": "pattern", "pattern": "0"})", plain,
     "packets_dropped_loss"},
    {"the_first_and_some_are_lost", ends::outlived, "",
     R"("delay_us": 2500, "loss": {"model": "list", "packets": [0, 1, 5, 6, 7, 20]})", plain,
     "packets_dropped_loss"},
    {"more_are_listed_than_are_sent_to_connect", ends::refused, "",
     R"("delay_us": 2500, "loss": {"model": "list",
        "packets": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]})",
     plain, "packets_dropped_loss"},
};

const trial fate_trials[] = {
    {"some_are_dropped",
     ends::outlived,
     "",
     plain,
     plain,
     "packets_dropped_loss",
     8,
     {},
     fates(3, 9, R"("drop")")},
    {"the_first_are_dropped",
     ends::refused,
     "",
     plain,
     plain,
     "packets_dropped_loss",
     8,
     {},
     fates(0, 30, R"("drop")")},
    {"some_are_doubled",
     ends::outlived,
     "",
     plain,
     plain,
     "packets_duplicated",
     8,
     {},
     fates(0, 30, R"("duplicate")")},
    {"some_are_damaged",
     ends::outlived,
     "",
     plain,
     plain,
     "packets_corrupted",
     8,
     {},
     fates(3, 9, R"("damage")")},
    {"the_first_are_damaged",
     ends::refused,
     "",
     plain,
     plain,
     "packets_corrupted",
     8,
     {},
     fates(0, 30, R"("damage")")},
    {"some_are_held",
     ends::outlived,
     "",
     plain,
     plain,
     nullptr,
     8,
     {},
     fates(3, 9, R"("hold", "hold_us": 300000)")},
    {"the_first_are_held",
     ends::refused,
     "",
     plain,
     plain,
     nullptr,
     8,
     {},
     fates(0, 30, R"("hold", "hold_us": 3e6)")},
};

const trial node_trials[] = {
    {"partition_heals", ends::outlived,
     R"({"kind": "partition", "at_us": 1e6, "for_us": 2e6, "nodes": ["server"]})"},
    {"partition_lasts", ends::cut_off,
     R"({"kind": "partition", "at_us": 1e6, "nodes": ["server"]})"},
    {"pause_ends", ends::outlived,
     R"({"kind": "pause", "at_us": 1e6, "for_us": 2e6, "nodes": ["server"]})"},
    {"pause_lasts", ends::dead, R"({"kind": "pause", "at_us": 1e6, "nodes": ["server"]})"},
    {"sender_is_rebound", ends::outlived,
     R"({"kind": "rebind", "at_us": 1e6, "nodes": ["client"]})"},
    {"receiver_is_rebound", ends::cut_off,
     R"({"kind": "rebind", "at_us": 1e6, "nodes": ["server"]})"},
    {"nat_of_the_sender_forgets_it", ends::outlived, "",
     R"("delay_us": 2500, "nat_timeout_us": 50000)"},
    {"nat_of_the_receiver_forgets_it", ends::cut_off, "", plain,
     R"("delay_us": 2500, "nat_timeout_us": 50000)"},
    {"clock_steps_a_second", ends::outlived,
     R"({"kind": "clock_step", "at_us": 1e6, "nodes": ["client"], "step_us": 1e6})"},
    {"clock_steps_beyond_the_peer_timeout", ends::interrupted,
     R"({"kind": "clock_step", "at_us": 1.03e6, "nodes": ["client"], "step_us": 4e6})",
     R"("delay_us": 25000)", R"("delay_us": 25000)"},
    {"clock_runs_fast", ends::outlived,
     R"({"kind": "clock_skew", "at_us": 0, "nodes": ["server"], "skew_ppm": 100000})"},
    {"true_clocks_over_a_long_way", ends::outlived, "", far_away, far_away},
    {"clock_runs_too_fast_for_a_long_way", ends::refused,
     R"({"kind": "clock_skew", "at_us": 0, "nodes": ["client"], "skew_ppm": 100000})", far_away,
     far_away},
    {"clock_runs_fast_through_a_partition", ends::interrupted,
     R"({"kind": "clock_skew", "at_us": 0, "nodes": ["client"], "skew_ppm": 100000},
        {"kind": "partition", "at_us": 1e6, "for_us": 2.8e6, "nodes": ["server"]})"},
    {"server_restarts", ends::forgotten,
     R"({"kind": "restart", "at_us": 1e6, "for_us": 5e5, "nodes": ["server"]})"},
    {"server_crashes", ends::dead, R"({"kind": "crash", "at_us": 1e6, "nodes": ["server"]})"},
};

const auto name_of = [](const auto& about) { return std::string(about.param.name); };
INSTANTIATE_TEST_SUITE_P(links, node_and_link_faults, testing::ValuesIn(link_trials), name_of);
INSTANTIATE_TEST_SUITE_P(losses, node_and_link_faults, testing::ValuesIn(loss_trials), name_of);
INSTANTIATE_TEST_SUITE_P(fates, node_and_link_faults, testing::ValuesIn(fate_trials), name_of);
INSTANTIATE_TEST_SUITE_P(nodes, node_and_link_faults, testing::ValuesIn(node_trials), name_of);

}  // namespace
}  // namespace mdp::test
