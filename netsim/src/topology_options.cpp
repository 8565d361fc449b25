#include "topology_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "option_reader.hpp"

namespace mdp::netsim {
namespace {

const std::string root = "/topology";

constexpr std::array<std::string_view, 6> shapes{"dumbbell", "line", "ring",
                                                 "tree",     "mesh", "graph"};
enum class shape : std::uint8_t { dumbbell, line, ring, tree, mesh, graph };

// The section as it stands, before the links' names are looked up.
struct draft {
  shape form = shape::graph;
  std::uint32_t routers = 0;
  std::uint32_t branches = 2;
  const option_value* trunk = nullptr;
  const option_value* trunks = nullptr;
  const option_value* homes = nullptr;
};

draft read_draft(const option_value& v) {
  draft d;
  bool shaped = false;
  const auto number = [](std::uint32_t& into, std::uint64_t min) {
    return [&into, min](const option_value& n, const std::string& p) {
      into = static_cast<std::uint32_t>(whole_number_of(n, p, min, routers_max));
    };
  };
  const auto keep = [](const option_value*& into) {
    return [&into](const option_value& n, const std::string&) { into = &n; };
  };
  read_object(v, root,
              {{"shape",
                [&](const option_value& n, const std::string& p) {
                  d.form = static_cast<shape>(choice_of(n, p, shapes));
                  shaped = true;
                }},
               {"routers", number(d.routers, 2)},
               {"branches", number(d.branches, 1)},
               {"trunk", keep(d.trunk)},
               {"trunks", keep(d.trunks)},
               {"homes", keep(d.homes)}});
  if (!shaped) refuse(root, "needs the key shape: " + listed(shapes));
  if (d.form == shape::dumbbell) d.routers = 2;
  if (d.form == shape::graph) {
    if (d.trunks == nullptr) refuse(root, "a graph needs the key trunks");
  } else {
    if (d.trunk == nullptr) refuse(root, "this shape needs the key trunk: a link's name");
    if (d.routers == 0) refuse(root, "this shape needs the key routers");
    if (d.trunks != nullptr) refuse(root + "/trunks", "only a graph lists its trunks");
  }
  return d;
}

const attachment& link_of(const option_value& v, const std::string& pointer,
                          const network_options& options) {
  expect(v, option_kind::string, pointer);
  const auto found = options.links.find(v.text);
  if (found == options.links.end()) refuse(pointer, fmt::format("no link \"{}\"", v.text));
  return found->second;
}

// A link without `down` is the same both ways.
void add_trunk(topology_spec& spec, std::uint32_t from, std::uint32_t to, const attachment& wires) {
  spec.trunks.push_back({from, to, wires.up, wires.has_down ? wires.down : wires.up});
}

void make_shape(topology_spec& spec, const draft& d, const attachment& wires) {
  const std::uint32_t n = d.routers;
  for (std::uint32_t r = 0; r < n; ++r) spec.routers.push_back(fmt::format("r{}", r));
  if (d.form == shape::dumbbell) spec.routers = {"left", "right"};
  for (std::uint32_t r = 1; r < n; ++r) {
    if (d.form == shape::mesh) {
      for (std::uint32_t other = 0; other < r; ++other) add_trunk(spec, other, r, wires);
    } else {
      add_trunk(spec, d.form == shape::tree ? (r - 1) / d.branches : r - 1, r, wires);
    }
  }
  if (d.form == shape::ring && n > 2) add_trunk(spec, n - 1, 0, wires);
}

std::uint32_t router_named(topology_spec& spec, const std::string& name) {
  const auto found = std::find(spec.routers.begin(), spec.routers.end(), name);
  if (found == spec.routers.end()) spec.routers.push_back(name);
  return static_cast<std::uint32_t>(std::find(spec.routers.begin(), spec.routers.end(), name) -
                                    spec.routers.begin());
}

void read_trunk(topology_spec& spec, const option_value& v, const std::string& pointer,
                const network_options& options) {
  std::array<std::string, 2> ends;
  const attachment* wires = nullptr;
  const auto name = [](std::string& into) {
    return [&into](const option_value& n, const std::string& p) {
      expect(n, option_kind::string, p);
      into = n.text;
    };
  };
  read_object(v, pointer,
              {{"from", name(ends[0])},
               {"to", name(ends[1])},
               {"link", [&](const option_value& n, const std::string& p) {
                  wires = &link_of(n, p, options);
                }}});
  if (ends[0].empty() || ends[1].empty() || wires == nullptr) {
    refuse(pointer, "a trunk needs from, to and link");
  }
  if (ends[0] == ends[1]) refuse(pointer, "a trunk leads from one router to another");
  const std::uint32_t from = router_named(spec, ends[0]);
  const std::uint32_t to = router_named(spec, ends[1]);
  for (const trunk_spec& t : spec.trunks) {
    if (std::minmax(t.from, t.to) == std::minmax(from, to)) {
      refuse(pointer, fmt::format("a second trunk between {} and {}", ends[0], ends[1]));
    }
  }
  add_trunk(spec, from, to, *wires);
}

void read_homes(topology_spec& spec, const option_value& v) {
  const std::string pointer = root + "/homes";
  expect(v, option_kind::object, pointer);
  for (const option_member& m : v.members) {
    const std::string at = child(pointer, m.name);
    expect(m.value, option_kind::string, at);
    const auto found = std::find(spec.routers.begin(), spec.routers.end(), m.value.text);
    if (found == spec.routers.end()) refuse(at, fmt::format("no router \"{}\"", m.value.text));
    spec.homes[m.name] = static_cast<std::uint32_t>(found - spec.routers.begin());
  }
}

void expect_routes(const topology_spec& spec) {
  const route_table routes(spec);
  for (std::uint32_t r = 1; r < spec.routers.size(); ++r) {
    if (routes.next(0, r) != no_way) continue;
    refuse(root + "/trunks",
           fmt::format("no route from {} to {}", spec.routers[0], spec.routers[r]));
  }
}

}  // namespace

topology_spec read_topology(const option_value& v, const network_options& options) {
  topology_spec spec;
  if (v.kind == option_kind::string) {
    if (v.text != "star") refuse(root, "unknown topology; known: star, or an object with a shape");
    return spec;
  }
  const draft d = read_draft(v);
  spec.routers.clear();
  if (d.form == shape::graph) {
    const std::string pointer = root + "/trunks";
    expect(*d.trunks, option_kind::array, pointer);
    for (std::size_t i = 0; i < d.trunks->members.size(); ++i) {
      read_trunk(spec, d.trunks->members[i].value, child(pointer, std::to_string(i)), options);
    }
    if (spec.routers.empty()) refuse(pointer, "is empty");
    if (spec.routers.size() > routers_max) refuse(pointer, "has more than 1024 routers");
  } else {
    make_shape(spec, d, link_of(*d.trunk, root + "/trunk", options));
  }
  if (d.homes != nullptr) read_homes(spec, *d.homes);
  expect_routes(spec);
  return spec;
}

}  // namespace mdp::netsim
