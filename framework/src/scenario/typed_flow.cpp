// A flow: who sends what to whom, by which clock.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "schema.hpp"
#include "typed_parts.hpp"

namespace mdp::scenario {
namespace {

load_spec make_load(const json_value& load, const std::string& pointer) {
  load_spec out;
  out.mode = load.find("mode")->text == "open" ? load_mode::open : load_mode::closed;
  const std::string arrival = text_of(&load, "arrivals", "constant");
  out.arrival = arrival == "poisson"  ? arrivals::poisson
                : arrival == "bursty" ? arrivals::bursty
                : arrival == "ramp"   ? arrivals::ramp
                                      : arrivals::constant;
  out.burst_messages = count_of(&load, "burst_messages", 1);
  out.rate_end_per_s = number_of(&load, "rate_end_per_s", 0);
  out.rate_per_s = number_of(&load, "rate_per_s", 0);
  out.in_flight = count_of(&load, "in_flight", 1);
  const bool open = out.mode == load_mode::open;
  if (open && load.find("rate_per_s") == nullptr) {
    fail(load, pointer, "an open load needs \"rate_per_s\"");
  }
  for (const auto& [key, kind] : {std::pair("burst_messages", arrivals::bursty),
                                  std::pair("rate_end_per_s", arrivals::ramp)}) {
    const json_value* v = load.find(key);
    if (open && out.arrival == kind && v == nullptr) {
      fail(load, pointer, fmt::format("arrivals \"{}\" need \"{}\"", arrival, key));
    }
    if (v != nullptr && !(open && out.arrival == kind)) {
      fail(*v, fmt::format("{}/{}", pointer, key),
           fmt::format("has no meaning for {}", open ? arrival + " arrivals" : "a closed load"));
    }
  }
  for (const char* foreign : {"rate_per_s", "arrivals", "in_flight"}) {
    const bool of_closed = std::string_view(foreign) == "in_flight";
    const json_value* v = load.find(foreign);
    if (v != nullptr && of_closed == open) {
      fail(*v, fmt::format("{}/{}", pointer, foreign),
           fmt::format("has no meaning for {} load", open ? "an open" : "a closed"));
    }
  }
  return out;
}

}  // namespace

flow_spec make_flow(const json_value& flow, const std::string& pointer,
                    const std::vector<peer_group>& peers) {
  std::vector<std::string> groups;
  for (const peer_group& g : peers) groups.push_back(g.name);
  for (const char* end : {"from", "to"}) {
    const json_value& name = *flow.find(end);
    if (std::find(groups.begin(), groups.end(), name.text) == groups.end()) {
      fail(name, fmt::format("{}/{}", pointer, end),
           fmt::format("there is no peer group \"{}\"{}", name.text,
                       did_you_mean(name.text, groups)));
    }
  }
  flow_spec out;
  out.from = flow.find("from")->text;
  out.to = flow.find("to")->text;
  const bool alone = std::any_of(peers.begin(), peers.end(), [&](const peer_group& g) {
    return g.name == out.to && g.count == 1;
  });
  if (out.from == out.to && alone) {
    fail(*flow.find("to"), pointer + "/to",
         "a group that sends to itself needs a count of 2 or more: no peer sends to itself");
  }
  const bool requests = flow.find("pattern")->text == "request_response";
  out.pattern = requests ? flow_pattern::request_response : flow_pattern::stream;
  const json_value& sizes = *flow.find("size_bytes");
  if (sizes.is_number()) {
    out.sizes.emplace_back(static_cast<std::uint32_t>(sizes.number), 1.0);
  } else {
    double sum = 0;
    for (const json_member& m : sizes.members) sum += m.value.number;
    for (const json_member& m : sizes.members) {
      std::uint32_t bytes = 0;
      std::from_chars(m.name.data(), m.name.data() + m.name.size(), bytes);
      out.sizes.emplace_back(bytes, m.value.number / sum);
    }
  }
  out.reply_bytes = count_of(&flow, "reply_bytes", 0);
  out.load = make_load(*flow.find("load"), pointer + "/load");
  out.confirm = text_of(&flow, "confirm", "delivered");
  out.timeout_us = number_of(&flow, "timeout_us", 0);
  if (out.timeout_us > 0 && out.confirm == "none") {
    fail(*flow.find("timeout_us"), pointer + "/timeout_us",
         "has no meaning without confirmations: see \"confirm\"");
  }
  return out;
}

}  // namespace mdp::scenario
