#include "mdp/netsim/options.hpp"

#include <fmt/format.h>

#include <functional>
#include <vector>

#include "option_tree.hpp"

namespace mdp::netsim {
namespace {

// Upper limits that keep all sums far below 2^63.
constexpr std::uint64_t time_us_max = 3'600'000'000;  // one hour
constexpr std::uint64_t rate_mbps_max = 10'000'000;   // 10 Tb/s
constexpr std::uint64_t count_max = 1'000'000'000;

[[noreturn]] void refuse(const std::string& pointer, const std::string& message) {
  throw options_error(fmt::format("{}: {}", pointer.empty() ? "/" : pointer, message));
}

void expect(const option_value& v, option_kind kind, const std::string& pointer) {
  if (v.kind == kind) return;
  refuse(pointer, fmt::format("expected {}, found {}", to_string(kind), to_string(v.kind)));
}

decimal number_of(const option_value& v, const std::string& pointer, std::uint64_t max) {
  expect(v, option_kind::number, pointer);
  const auto value = parse_decimal(v.text);
  if (!value) refuse(pointer, v.text + " has more than 18 digits or a huge exponent");
  if (value->negative) refuse(pointer, v.text + " is negative");
  // 10^-6 of the unit is fine enough to compare with a limit that is a whole number.
  const auto micros = value->scaled(6);
  if (!micros || *micros > max * 1'000'000) {
    refuse(pointer, fmt::format("{} is above {}", v.text, max));
  }
  return *value;
}

std::uint64_t whole_number_of(const option_value& v, const std::string& pointer, std::uint64_t min,
                              std::uint64_t max) {
  const decimal value = number_of(v, pointer, max);
  if (value.exponent < 0) refuse(pointer, v.text + " is no whole number");
  const std::uint64_t whole = *value.scaled(0);
  if (whole < min) refuse(pointer, fmt::format("{} is below {}", v.text, min));
  return whole;
}

std::int64_t time_of(const option_value& v, const std::string& pointer) {
  return static_cast<std::int64_t>(*number_of(v, pointer, time_us_max).scaled(3));
}

struct link_key {
  const char* name;
  void (*read)(link_spec&, const option_value&, const std::string& pointer);
};

constexpr link_key link_keys[] = {
    {"rate_mbps",
     [](link_spec& s, const option_value& v, const std::string& p) {
       const decimal rate = number_of(v, p, rate_mbps_max);
       s.rate_bps = *rate.scaled(6);
       if (s.rate_bps == 0 && rate.digits != 0) refuse(p, v.text + " is below 1 bit/s");
     }},
    {"delay_us",
     [](link_spec& s, const option_value& v, const std::string& p) { s.delay_ns = time_of(v, p); }},
    {"jitter_us", [](link_spec& s, const option_value& v,
                     const std::string& p) { s.jitter_ns = time_of(v, p); }},
    {"reorder",
     [](link_spec& s, const option_value& v, const std::string& p) {
       expect(v, option_kind::boolean, p);
       s.reorder = v.boolean;
     }},
    {"queue_packets",
     [](link_spec& s, const option_value& v, const std::string& p) {
       s.queue_packets = static_cast<std::uint32_t>(whole_number_of(v, p, 0, count_max));
     }},
    {"queue_bytes",
     [](link_spec& s, const option_value& v, const std::string& p) {
       s.queue_bytes = whole_number_of(v, p, 0, 1'000 * count_max);
     }},
    {"loss_pct",
     [](link_spec& s, const option_value& v, const std::string& p) {
       const auto loss = probability_of_percent(number_of(v, p, 100));
       if (!loss) refuse(p, v.text + " is above 100");
       s.loss = *loss;
     }},
    {"mtu_bytes",
     [](link_spec& s, const option_value& v, const std::string& p) {
       s.mtu_bytes = static_cast<std::uint32_t>(whole_number_of(v, p, 1, 65535));
       if (s.mtu_bytes > mtu_bytes_max) s.mtu_bytes = mtu_bytes_max;
     }},
};

std::string known_link_keys(bool down_too) {
  std::string all;
  for (const link_key& key : link_keys)
    all += fmt::format("{}{}", all.empty() ? "" : ", ", key.name);
  return down_too ? all + ", down" : all;
}

// False when the key is none of a link's.
bool read_link_key(link_spec& spec, const option_member& m, const std::string& pointer) {
  for (const link_key& key : link_keys) {
    if (m.name != key.name) continue;
    key.read(spec, m.value, pointer);
    return true;
  }
  return false;
}

attachment read_attachment(const option_value& v, const std::string& pointer) {
  expect(v, option_kind::object, pointer);
  attachment wires;
  for (const option_member& m : v.members) {
    const std::string at = child(pointer, m.name);
    if (m.name == "down") {
      expect(m.value, option_kind::object, at);
      for (const option_member& d : m.value.members) {
        const std::string below = child(at, d.name);
        if (!read_link_key(wires.down, d, below)) {
          refuse(below, "unknown key; known: " + known_link_keys(false));
        }
      }
    } else if (!read_link_key(wires.up, m, at)) {
      refuse(at, "unknown key; known: " + known_link_keys(true));
    }
  }
  return wires;
}

void read_nodes(network_options& options, const option_value& v) {
  expect(v, option_kind::object, "/nodes");
  for (const option_member& m : v.members) {
    const std::string at = child("/nodes", m.name);
    expect(m.value, option_kind::string, at);
    if (!options.links.contains(m.value.text)) {
      std::string known;
      for (const auto& [name, wires] : options.links) known += (known.empty() ? "" : ", ") + name;
      refuse(at, fmt::format("no link \"{}\"; links: {}", m.value.text, known));
    }
    options.nodes.emplace(m.name, m.value.text);
  }
}

}  // namespace

network_options parse_network_options(const char* json_text) {
  const option_value root = parse_option_tree(json_text);
  expect(root, option_kind::object, "");
  network_options options;
  const option_value* nodes = nullptr;
  for (const option_member& m : root.members) {
    const std::string at = child("", m.name);
    if (m.name == "seed") {
      options.seed = seed_of(m.value, at);
    } else if (m.name == "links") {
      expect(m.value, option_kind::object, at);
      for (const option_member& l : m.value.members) {
        options.links.emplace(l.name, read_attachment(l.value, child(at, l.name)));
      }
    } else if (m.name == "nodes") {
      nodes = &m.value;
    } else if (m.name == "topology") {
      expect(m.value, option_kind::string, at);
      if (m.value.text != "star") refuse(at, "unknown topology; known: star");
    } else {
      refuse(at, "unknown key; known: seed, links, nodes, topology");
    }
  }
  options.links.try_emplace("default");
  if (nodes != nullptr) read_nodes(options, *nodes);
  return options;
}

const attachment& network_options::attachment_of(const std::string& node) const {
  auto found = nodes.find(node);
  if (found == nodes.end()) {
    const std::size_t dash = node.rfind('-');
    if (dash != std::string::npos &&
        node.find_first_not_of("0123456789", dash + 1) == std::string::npos) {
      found = nodes.find(node.substr(0, dash));
    }
  }
  return links.at(found == nodes.end() ? "default" : found->second);
}

const char* network_options_schema() noexcept {
  return R"({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "seed": {
      "type": "integer", "minimum": 0, "default": 1,
      "description": "decides every packet's fate"
    },
    "topology": { "type": "string", "enum": ["star"], "default": "star" },
    "links": {
      "type": "object",
      "additionalProperties": {
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "rate_mbps": { "type": "number", "minimum": 0, "description": "0: unlimited" },
          "delay_us": { "type": "number", "minimum": 0, "default": 1 },
          "jitter_us": { "type": "number", "minimum": 0, "default": 0 },
          "reorder": { "type": "boolean", "default": false },
          "queue_packets": { "type": "integer", "minimum": 0, "default": 1000 },
          "queue_bytes": { "type": "integer", "minimum": 0, "default": 0 },
          "loss_pct": { "type": "number", "minimum": 0, "maximum": 100, "default": 0 },
          "mtu_bytes": { "type": "integer", "minimum": 1, "maximum": 65535, "default": 1472 },
          "down": { "type": "object", "description": "the same keys for the way to the node" }
        }
      },
      "description": "link name -> its properties from the node to the centre"
    },
    "nodes": {
      "type": "object",
      "additionalProperties": { "type": "string" },
      "description": "node (client-0) or group (client) -> link name; others take \"default\""
    }
  }
})";
}

}  // namespace mdp::netsim
