// What the plugin tells others about its options.
#include "mdp/netsim/options.hpp"

namespace mdp::netsim {

const char* network_options_schema() noexcept {
  return R"({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "seed": {
      "type": "integer", "minimum": 0, "default": 1,
      "description": "decides every packet's fate"
    },
    "topology": {
      "type": ["string", "object"], "default": "star",
      "description": "star, or shape (dumbbell, line, ring, tree, mesh, graph), routers, trunk"
    },
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
          "jitter_shape": { "type": "string",
                            "enum": ["uniform", "normal", "lognormal", "pareto"] },
          "mark_packets": { "type": "integer", "minimum": 0, "default": 0 },
          "loss": { "type": "object",
                    "description": "gilbert_elliott, four_state, periodic, list or pattern" },
          "duplicate_pct": { "type": "number", "minimum": 0, "maximum": 100, "default": 0 },
          "corrupt_pct": { "type": "number", "minimum": 0, "maximum": 100, "default": 0 },
          "corrupt_kind": { "type": "string", "enum": ["bit", "header", "payload", "checksum"] },
          "hold_pct": { "type": "number", "minimum": 0, "maximum": 100, "default": 0 },
          "hold_us": { "type": "number", "minimum": 0, "default": 0 },
          "reorder_pct": { "type": "number", "minimum": 0, "maximum": 100, "default": 0 },
          "reorder_gap": { "type": "integer", "minimum": 1, "default": 1 },
          "loss_correlation_pct": { "type": "number", "minimum": 0, "maximum": 100 },
          "delay_correlation_pct": { "type": "number", "minimum": 0, "maximum": 100 },
          "duplicate_correlation_pct": { "type": "number", "minimum": 0, "maximum": 100 },
          "corrupt_correlation_pct": { "type": "number", "minimum": 0, "maximum": 100 },
          "reorder_correlation_pct": { "type": "number", "minimum": 0, "maximum": 100 },
          "deliveries_ms": { "type": "array", "items": { "type": "integer", "minimum": 0 },
                             "description": "when 1,504 bytes can go; repeated, as mahimahi does" },
          "burst_bytes": { "type": "integer", "minimum": 0, "default": 0 },
          "peak_mbps": { "type": "number", "minimum": 0, "description": "0: at once" },
          "queue": { "type": "object",
                     "description": "discipline (drop_tail, red, codel, fq_codel) and its keys" },
          "changes": { "type": "array", "description": "what the link is like from at_us on" },
          "mtu_bytes": { "type": "integer", "minimum": 1, "maximum": 65535, "default": 1472 },
          "nat_timeout_us": { "type": "number", "minimum": 0,
                              "description": "behind a NAT; it forgets after so much silence" },
          "down": { "type": "object", "description": "the same keys for the way to the node" }
        }
      },
      "description": "link name -> its properties from the node to the centre"
    },
    "nodes": {
      "type": "object",
      "additionalProperties": { "type": "string" },
      "description": "node (client-0) or group (client) -> link name; others take \"default\""
    },
    "fates": {
      "type": "array",
      "description": "objects link, packet, fate (pass, drop, duplicate, damage, hold), hold_us"
    },
    "only_fates": {
      "type": "boolean", "default": false,
      "description": "links lose, duplicate, damage and hold back nothing but what fates say"
    },
    "faults": {
      "type": "array",
      "description": "what happens to nodes: kind, at_us, for_us, nodes, step_us, skew_ppm"
    },
    "swarm": {
      "type": "boolean", "default": false,
      "description": "each seed leaves out a random half of the kinds of faults"
    }
  }
})";
}

}  // namespace mdp::netsim
