// What a simulated network is made of, read from the plugin's JSON options.
// Plain values. parse_network_options() throws options_error; what() is one line that begins with
// the JSON pointer of the culprit, e.g. `/links/wan/loss_pct: 120 is above 100`.
#pragma once
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>

#include "mdp/netsim/fate_script.hpp"
#include "mdp/netsim/fault_timeline.hpp"
#include "mdp/netsim/link.hpp"
#include "mdp/netsim/topology.hpp"

namespace mdp::netsim {

class options_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A node's attachment to the centre: `up` towards it, `down` from it (ideal unless asked for).
struct attachment {
  link_spec up;
  link_spec down = {.delay_ns = 0, .mtu_bytes = mtu_bytes_max};
  bool has_down = false;            // asked for: a trunk without it is the same both ways
  bool nat = false;                 // its node is behind one ...
  std::int64_t nat_timeout_ns = 0;  // ... that forgets it after so much silence; 0: never
};

struct network_options {
  std::uint64_t seed = 1;
  std::map<std::string, attachment> links;   // always has "default"
  std::map<std::string, std::string> nodes;  // node or group of nodes -> link
  topology_spec topology;
  std::map<std::string, fate_script> scripts;  // by link's name, "client-0/up"
  bool only_fates = false;                     // nothing but the scripts harms a packet
  std::vector<node_fault> faults;              // as written

  // Of the node's own name, else of its group ("client" for "client-7"), else the default.
  [[nodiscard]] const attachment& attachment_of(const std::string& node) const;
  // Null: everything that happens to this link's packets is drawn.
  [[nodiscard]] const fate_script* script_of(const std::string& link) const;
};

[[nodiscard]] network_options parse_network_options(const char* json_text);
[[nodiscard]] const char* network_options_schema() noexcept;

}  // namespace mdp::netsim
