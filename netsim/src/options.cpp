#include "mdp/netsim/options.hpp"

#include <fmt/format.h>

#include "fate_options.hpp"
#include "fault_options.hpp"
#include "link_options.hpp"
#include "option_reader.hpp"
#include "topology_options.hpp"

namespace mdp::netsim {
namespace {

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
  const option_value* topology = nullptr;
  bool swarm = false;
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
      topology = &m.value;
    } else if (m.name == "fates") {
      read_fates(m.value, options);
    } else if (m.name == "only_fates") {
      options.only_fates = boolean_of(m.value, at);
    } else if (m.name == "faults") {
      read_faults(m.value, options);
    } else if (m.name == "swarm") {
      swarm = boolean_of(m.value, at);
    } else {
      refuse(at,
             "unknown key; known: seed, links, nodes, topology, fates, only_fates, faults, swarm");
    }
  }
  for (auto& [link, script] : options.scripts) script.only = options.only_fates;
  options.links.try_emplace("default");
  if (nodes != nullptr) read_nodes(options, *nodes);
  if (topology != nullptr) options.topology = read_topology(*topology, options);
  if (swarm) choose_swarm(options);
  return options;
}

const attachment& network_options::attachment_of(const std::string& node) const {
  auto found = nodes.find(node);
  if (found == nodes.end()) found = nodes.find(group_of(node));
  return links.at(found == nodes.end() ? "default" : found->second);
}

const fate_script* network_options::script_of(const std::string& link) const {
  static const fate_script nothing{.only = true};
  const auto found = scripts.find(link);
  if (found != scripts.end()) return &found->second;
  return only_fates ? &nothing : nullptr;
}

}  // namespace mdp::netsim
