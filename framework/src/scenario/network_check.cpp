#include "network_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mdp::scenario {
namespace {

// What a peer without messages takes with its tables and actors (measured: 245 kB; with messages
// 330 kB), and less than an end of a session (3.5 kB): a run that is refused could not have ended.
constexpr std::uint64_t peer_bytes = 240'000;
constexpr std::uint64_t session_bytes = 2000;

// The setting of a point, else its preset.
double setting(const point_spec& point, const load_context& context, const std::string& name) {
  for (const auto& [key, text] : point.protocol.config) {
    if (key == name) return std::stod(text);
  }
  if (!context.protocol_keys) return 0;
  for (const protocol_key& key : context.protocol_keys(point.protocol.name)) {
    if (key.name == name) return key.preset;
  }
  return 0;
}

// Below it no packet of the protocol passes: not even the first. A change of a link may go there:
// what comes of it is a question that a scenario may ask.
void check_mtu(const json_value& wire, const std::string& pointer, double floor) {
  const json_value* mtu = wire.find("mtu_bytes");
  if (mtu == nullptr || mtu->number >= floor) return;
  fail(*mtu, pointer + "/mtu_bytes",
       fmt::format("{} is below {}, the protocol's min_packet_bytes: no session could begin",
                   mtu->text, floor));
}

void check_mtus(const json_value& document, const point_spec& point, const load_context& context) {
  const json_value* links = document.at("network", "links");
  const double floor = setting(point, context, "min_packet_bytes");
  if (links == nullptr) return;
  for (const json_member& link : links->members) {
    const std::string at = pointer_child("/network/links", link.name);
    check_mtu(link.value, at, floor);
    if (const json_value* down = link.value.find("down")) check_mtu(*down, at + "/down", floor);
  }
}

// "client-7" of the group "client".
bool is_member(const std::string& name, const std::vector<peer_group>& peers) {
  return std::any_of(peers.begin(), peers.end(), [&](const peer_group& group) {
    if (!name.starts_with(group.name + "-")) return false;
    std::uint32_t number = 0;
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + group.name.size() + 1, end, number);
    return error == std::errc{} && stop == end && number < group.count &&
           name == fmt::format("{}-{}", group.name, number);
  });
}

bool is_peer(const std::string& name, const std::vector<peer_group>& peers) {
  return is_member(name, peers) ||
         std::any_of(peers.begin(), peers.end(),
                     [&](const peer_group& group) { return name == group.name; });
}

void check_homes(const json_value& document, const point_spec& point) {
  const json_value* homes = document.at("network", "topology", "homes");
  if (homes == nullptr) return;
  std::vector<std::string> groups;
  for (const peer_group& group : point.peers) groups.push_back(group.name);
  for (const json_member& home : homes->members) {
    if (is_peer(home.name, point.peers)) continue;
    throw scenario_error(locate(
        home.where, pointer_child("/network/topology/homes", home.name),
        fmt::format("there is no peer \"{}\"{}", home.name, did_you_mean(home.name, groups))));
  }
}

void check_fault_nodes(const json_value& document, const point_spec& point) {
  const json_value* faults = document.at("network", "faults");
  if (faults == nullptr) return;
  std::vector<std::string> groups;
  for (const peer_group& group : point.peers) groups.push_back(group.name);
  for (std::size_t i = 0; i < faults->items.size(); ++i) {
    const json_value& nodes = *faults->items[i].find("nodes");
    for (std::size_t n = 0; n < nodes.items.size(); ++n) {
      const std::string& name = nodes.items[n].text;
      if (is_peer(name, point.peers)) continue;
      fail(nodes.items[n], fmt::format("/network/faults/{}/nodes/{}", i, n),
           fmt::format("there is no peer \"{}\"{}", name, did_you_mean(name, groups)));
    }
  }
}

// Links of peers only: the simulator names those between routers.
void check_fate_links(const json_value& document, const point_spec& point) {
  const json_value* fates = document.at("network", "fates");
  if (fates == nullptr) return;
  for (std::size_t i = 0; i < fates->items.size(); ++i) {
    const json_value* link = fates->items[i].find("link");
    if (link == nullptr) continue;  // the simulator's own check asks for it
    const std::size_t slash = std::min(link->text.rfind('/'), link->text.size());
    const std::string way = link->text.substr(slash);
    if (way != "/up" && way != "/down") continue;
    if (is_member(link->text.substr(0, slash), point.peers)) continue;
    fail(*link, fmt::format("/network/fates/{}/link", i),
         fmt::format("there is no link \"{}\"; the first of these peers is on {}-0{}", link->text,
                     point.peers.front().name, way));
  }
}

// Each peer of `from` has a session with each of `to`; both ends keep it.
std::uint64_t sessions_of(const point_spec& point) {
  const auto count = [&](const std::string& name) -> std::uint64_t {
    for (const peer_group& group : point.peers) {
      if (group.name == name) return group.count;
    }
    return 0;
  };
  std::uint64_t ends = 0;
  for (const flow_spec& flow : point.flows) {
    const std::uint64_t pairs = flow.from == flow.to ? count(flow.from) * (count(flow.to) - 1) / 2
                                                     : count(flow.from) * count(flow.to);
    ends = std::max(ends, 2 * pairs);
  }
  return ends;
}

void check_memory(const json_value& document, const point_spec& point,
                  const load_context& context) {
  if (!context.memory_bytes) return;
  std::uint64_t peers = 0;
  for (const peer_group& group : point.peers) peers += group.count;
  const std::uint64_t needed =
      peers * peer_bytes + (point.protocol.name == "mdp" ? sessions_of(point) * session_bytes : 0);
  const std::uint64_t there = context.memory_bytes();
  if (needed <= there) return;
  fail(*document.find("peers"), "/peers",
       fmt::format("{} peers with {} sessions take {} MB at the least, this machine has {} MB",
                   peers, sessions_of(point) / 2, needed / 1'000'000, there / 1'000'000));
}

// The value that a JSON pointer names, or the nearest above it that stands in the document.
const json_value& value_at(const json_value& document, const std::string& pointer) {
  const json_value* at = &document;
  for (std::size_t from = 1; from < pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', from), pointer.size());
    const std::string name = pointer.substr(from, end - from);
    const json_value* next = at->find(name);
    std::size_t index = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (at->is(json_kind::array) && error == std::errc{} && index < at->items.size()) {
      next = &at->items[index];
    }
    if (next == nullptr) return *at;
    at = next;
    from = end + 1;
  }
  return *at;
}

// The simulator's own keys stand in the section `network`, unless they were given as options.
std::string pointer_in(const json_value& document, const std::string& own) {
  const std::string first = own.substr(1, own.find('/', 1) - 1);
  if (first == "seed") return own;
  const bool in_section = document.at("network", first) != nullptr;
  return (in_section ? "/network" : "/transports/default/options") + own;
}

void check_options(const json_value& document, const point_spec& point,
                   const load_context& context) {
  if (!context.options_refusal) return;
  const std::string refusal =
      context.options_refusal(point.transport.plugin, point.transport.options_json);
  if (refusal.empty()) return;
  const std::size_t end = refusal.find(": ");
  if (!refusal.starts_with('/') || end == std::string::npos) {
    fail(*document.find("transports"), "/transports/default", refusal);
  }
  const std::string pointer = pointer_in(document, refusal.substr(0, end));
  fail(value_at(document, pointer), pointer, refusal.substr(end + 2));
}

}  // namespace

void check_simulation(const json_value& document, const point_spec& point,
                      const load_context& context) {
  check_homes(document, point);
  check_fault_nodes(document, point);
  check_fate_links(document, point);
  check_mtus(document, point, context);
  check_memory(document, point, context);
  check_options(document, point, context);
}

}  // namespace mdp::scenario
