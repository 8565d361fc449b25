#include "mdp/runtime/config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "mdp/base/number.hpp"

namespace mdp {
namespace {

// A number, or the position of a word among the choices.
struct row {
  messaging::config_key key;
  double node_config::*number = nullptr;
  std::size_t (*chosen)(const node_config&) = nullptr;
  void (*choose)(node_config&, std::size_t) = nullptr;
};

constexpr std::array profile_names{"fixed", "lan", "wan"};
constexpr std::array zero_rtt_names{"off", "proven", "any"};
constexpr std::array congestion_names{"fixed", "cubic", "swift", "bbr", "ledbat"};

void apply_profile(node_config& c, config_profile profile) {
  c.profile = profile;
  const bool lan = profile == config_profile::lan;
  const bool wan = profile == config_profile::wan;
  const auto pick = [&](double lan_value, double wan_value, double otherwise) {
    return lan ? lan_value : wan ? wan_value : otherwise;
  };
  const node_config d;
  c.initial_rtt_ms = pick(1, 333, d.initial_rtt_ms);  // wan: RFC 9002 section 6.2.2
  c.connect_timeout_ms = pick(2000, 10000, d.connect_timeout_ms);
  c.heartbeat_after_ms = pick(500, 5000, d.heartbeat_after_ms);
  c.heartbeat_period_ms = pick(500, 5000, d.heartbeat_period_ms);
  c.peer_timeout_ms = pick(3000, 30000, d.peer_timeout_ms);
  c.max_ack_delay_ms = pick(1, 25, d.max_ack_delay_ms);
  c.timer_granularity_us = pick(100, 1000, d.timer_granularity_us);
  c.pto_max_ms = pick(500, 4000, d.pto_max_ms);
  c.congestion_control = lan   ? congestion_control_kind::swift
                         : wan ? congestion_control_kind::cubic
                               : congestion_control_kind::fixed;
}

// name, unit, description, min, max, member (the default is the member's own).
std::vector<row> make_rows() {
  const node_config defaults;
  std::vector<row> rows;
  const auto add = [&](const char* name, const char* unit, const char* description, double min,
                       double max, double node_config::*member) {
    rows.push_back({{name, unit, description, min, max, defaults.*member}, member});
  };
  using c = node_config;
  rows.push_back({{"profile", "choice", "where the other keys start from", 0, 0, 0, profile_names},
                  nullptr,
                  [](const c& from) { return static_cast<std::size_t>(from.profile); },
                  [](c& to, std::size_t i) { apply_profile(to, static_cast<config_profile>(i)); }});
  add("initial_rtt_ms", "ms", "round-trip time assumed before the first sample", 0.01, 10000,
      &c::initial_rtt_ms);
  add("connect_timeout_ms", "ms", "how long a session may take to be established", 1, 600000,
      &c::connect_timeout_ms);
  add("heartbeat_after_ms", "ms", "silence of a peer after which heartbeats begin", 1, 600000,
      &c::heartbeat_after_ms);
  add("heartbeat_period_ms", "ms", "time between heartbeats", 1, 600000, &c::heartbeat_period_ms);
  add("peer_timeout_ms", "ms", "silence of a peer after which its session is lost", 10, 3600000,
      &c::peer_timeout_ms);
  add("max_peers", "1", "peers known at one time", 1, 1048575, &c::max_peers);
  add("max_half_open", "1", "strangers not proven yet; beyond, HELLO is answered by a cookie", 0,
      1048575, &c::max_half_open);
  add("resets_per_second", "1/s", "answers to packets of sessions that are not known here", 1,
      1000000, &c::resets_per_second);
  rows.push_back({{"zero_rtt", "choice", "whose idempotent messages are taken with their HELLO", 0,
                   0, 0, zero_rtt_names},
                  nullptr,
                  [](const c& from) { return static_cast<std::size_t>(from.zero_rtt); },
                  [](c& to, std::size_t i) { to.zero_rtt = static_cast<zero_rtt_policy>(i); }});
  add("max_ack_delay_ms", "ms", "longest delay of an acknowledgement (also at most RTT/4)", 0, 1000,
      &c::max_ack_delay_ms);
  add("ack_frequency_packets", "packets", "acknowledge at the latest after so many packets", 1, 256,
      &c::ack_frequency_packets);
  add("timer_granularity_us", "us", "floor of loss and probe time-outs", 1, 100000,
      &c::timer_granularity_us);
  add("pto_max_ms", "ms", "cap of the probe time-out's doubling", 1, 60000, &c::pto_max_ms);
  add("max_message_bytes", "bytes", "largest message sent or taken", 1, 1073741824,
      &c::max_message_bytes);
  add("min_packet_bytes", "bytes", "size that path MTU discovery begins with and falls to", 1200,
      65507, &c::min_packet_bytes);
  add("max_packet_bytes", "bytes", "largest packet sent or taken (UDP payload)", 1200, 65507,
      &c::max_packet_bytes);
  add("pmtu_discovery", "0/1",
      "1: find out what the path carries, from min_packet_bytes up (RFC 8899)", 0, 1,
      &c::pmtu_discovery);
  add("pmtu_raise_s", "s", "how often larger packets are tried again on a known path", 1, 86400,
      &c::pmtu_raise_s);
  add("max_enqueued_messages", "messages", "of one peer: queued or awaiting a confirmation", 1,
      65536, &c::max_enqueued_messages);
  add("max_enqueued_packets", "packets", "of all peers: queued or in flight; preallocated", 64,
      4194304, &c::max_enqueued_packets);
  add("max_enqueued_bytes", "bytes",
      "of one peer: packets queued or in flight; the message that reaches it is taken whole", 1,
      17179869184.0, &c::max_enqueued_bytes);
  add("receive_window_bytes", "bytes", "payload a peer may send beyond what the application took",
      1200, 17179869184.0, &c::receive_window_bytes);
  add("receive_window_messages", "messages", "the same in messages", 16, 65536,
      &c::receive_window_messages);
  add("reassembly_bytes_max", "bytes", "memory for messages of several packets, of all peers",
      65536, 68719476736.0, &c::reassembly_bytes_max);
  add("receive_pool_bytes", "bytes", "blocks that packets are received into; preallocated", 1048576,
      17179869184.0, &c::receive_pool_bytes);
  rows.push_back({{"congestion_control", "choice", "what bounds the bytes in flight to one peer", 0,
                   0, 0, congestion_names},
                  nullptr,
                  [](const c& from) { return static_cast<std::size_t>(from.congestion_control); },
                  [](c& to, std::size_t i) {
                    to.congestion_control = static_cast<congestion_control_kind>(i);
                  }});
  add("ecn", "0/1", "let the network mark packets instead of dropping them (RFC 3168)", 0, 1,
      &c::ecn);
  add("congestion_window_bytes", "bytes", "fixed: window of bytes in flight to one peer", 4096,
      4294967296.0, &c::congestion_window_bytes);
  add("initial_window_packets", "packets", "window at the start of a session, unless fixed", 2,
      1000, &c::initial_window_packets);
  add("swift_target_us", "us", "swift: queueing delay aimed at (1/8 of the round trip if larger)",
      1, 1000000, &c::swift_target_us);
  return rows;
}

const std::vector<row>& rows() {
  static const std::vector<row> all = make_rows();
  return all;
}

// Levenshtein distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> line(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) line[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = line[0];
    line[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = line[j];
      line[j] = std::min({line[j] + 1, line[j - 1] + 1, changed});
    }
  }
  return line[b.size()];
}

const row* find_row(std::string_view key) {
  for (const row& r : rows())
    if (key == r.key.name) return &r;
  return nullptr;
}

std::string unknown_key(std::string_view key) {
  const auto& all = rows();
  const auto nearest = std::min_element(all.begin(), all.end(), [&](const row& a, const row& b) {
    return distance(key, a.key.name) < distance(key, b.key.name);
  });
  return fmt::format("unknown protocol key '{}'; did you mean '{}'?", key, nearest->key.name);
}

result<void, std::string> set_choice(node_config& config, const row& r, std::string_view value) {
  const auto& choices = r.key.choices;
  const auto found = std::find(choices.begin(), choices.end(), value);
  if (found == choices.end())
    return failure(
        fmt::format("{}: '{}' is not one of {}", r.key.name, value, fmt::join(choices, ", ")));
  r.choose(config, static_cast<std::size_t>(found - choices.begin()));
  return {};
}

}  // namespace

result<void, std::string> node_config::set(std::string_view key, std::string_view value) {
  const row* found = find_row(key);
  if (!found) return failure(unknown_key(key));
  if (!found->number) return set_choice(*this, *found, value);
  double number = 0;
  if (!parse_number(value, number) || !std::isfinite(number))
    return failure(fmt::format("{}: '{}' is not a number", key, value));
  if (number < found->key.min || number > found->key.max)
    return failure(fmt::format("{}: {} is outside {} .. {} {}", key, value, found->key.min,
                               found->key.max, found->key.unit));
  this->*(found->number) = number;
  return {};
}

result<void, std::string> node_config::set_all(
    std::span<const std::pair<std::string, std::string>> values) {
  node_config changed = *this;
  for (const bool profiles : {true, false}) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto& [key, value] = values[i];
      if ((key == "profile") != profiles) continue;
      for (std::size_t j = 0; j < i; ++j)
        if (values[j].first == key) return failure(fmt::format("{}: given twice", key));
      if (auto set = changed.set(key, value); !set) return set;
    }
  }
  if (changed.min_packet_bytes > changed.max_packet_bytes)
    return failure(fmt::format("min_packet_bytes: {} is more than max_packet_bytes, {}",
                               changed.min_packet_bytes, changed.max_packet_bytes));
  *this = changed;
  return {};
}

std::string node_config::get(std::string_view key) const {
  const row* found = find_row(key);
  if (!found) return {};
  if (!found->number) return found->key.choices[found->chosen(*this)];
  return fmt::format("{}", this->*(found->number));
}

std::span<const messaging::config_key> config_keys() noexcept {
  static const std::vector<messaging::config_key> keys = [] {
    std::vector<messaging::config_key> all;
    for (const row& r : rows()) all.push_back(r.key);
    return all;
  }();
  return keys;
}

}  // namespace mdp
