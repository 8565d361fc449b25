#include "fault_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mdp/netsim/link_models.hpp"
#include "mdp/netsim/philox.hpp"
#include "option_reader.hpp"

namespace mdp::netsim {
namespace {

constexpr std::uint64_t at_us_max = 30 * 86'400'000'000;  // a month
constexpr std::int64_t skew_ppm_max = 100'000;
constexpr std::array<std::string_view, 7> kinds{"partition", "pause", "clock_step", "clock_skew",
                                                "rebind",    "crash", "restart"};

std::int64_t skew_of(const option_value& v, const std::string& pointer) {
  expect(v, option_kind::number, pointer);
  const auto value = parse_decimal(v.text);
  const auto whole = value ? value->scaled(0) : std::nullopt;
  if (!whole || value->exponent < 0 || *whole > static_cast<std::uint64_t>(skew_ppm_max)) {
    refuse(pointer,
           fmt::format("{} is no whole number from -{} to {}", v.text, skew_ppm_max, skew_ppm_max));
  }
  const auto ppm = static_cast<std::int64_t>(*whole);
  return value->negative ? -ppm : ppm;
}

std::vector<std::string> nodes_of(const option_value& v, const std::string& pointer) {
  expect(v, option_kind::array, pointer);
  std::vector<std::string> nodes;
  for (std::size_t i = 0; i < v.members.size(); ++i) {
    expect(v.members[i].value, option_kind::string, child(pointer, std::to_string(i)));
    nodes.push_back(v.members[i].value.text);
  }
  if (nodes.empty()) refuse(pointer, "is empty");
  return nodes;
}

// Which of the optional keys stand there.
struct given_keys {
  bool kind = false, at = false, lasts = false, step = false, skew = false;
};

void expect_together(const node_fault& fault, const given_keys& given, const std::string& pointer) {
  if (!given.kind) refuse(pointer, "needs the key kind: " + listed(kinds));
  if (!given.at) refuse(pointer, "needs the key at_us");
  if (fault.nodes.empty()) refuse(pointer, "needs the key nodes");
  if (given.step != (fault.kind == fault_kind::clock_step)) {
    refuse(pointer, "step_us goes with the kind clock_step, and with no other");
  }
  if (given.skew != (fault.kind == fault_kind::clock_skew)) {
    refuse(pointer, "skew_ppm goes with the kind clock_skew, and with no other");
  }
  if (fault.kind == fault_kind::crash && given.lasts) {
    refuse(child(pointer, "for_us"), "a crash is for good; the kind restart lasts");
  }
  if (fault.kind == fault_kind::restart && !given.lasts) {
    refuse(pointer, "the kind restart needs the key for_us");
  }
  const bool moment = fault.kind == fault_kind::clock_step || fault.kind == fault_kind::rebind;
  if (moment && given.lasts) refuse(child(pointer, "for_us"), "this kind of fault does not last");
}

node_fault read_fault(const option_value& v, const std::string& pointer) {
  node_fault fault;
  given_keys given;
  std::int64_t lasts_ns = 0;
  read_object(v, pointer,
              {{"kind",
                [&](const option_value& n, const std::string& p) {
                  fault.kind = static_cast<fault_kind>(choice_of(n, p, kinds));
                  given.kind = true;
                }},
               {"at_us",
                [&](const option_value& n, const std::string& p) {
                  fault.at_ns = time_of(n, p, at_us_max);
                  given.at = true;
                }},
               {"for_us",
                [&](const option_value& n, const std::string& p) {
                  lasts_ns = time_of(n, p, at_us_max);
                  if (lasts_ns == 0) refuse(p, "is no time");
                  given.lasts = true;
                }},
               {"step_us",
                [&](const option_value& n, const std::string& p) {
                  fault.step_ns = time_of(n, p);
                  given.step = true;
                }},
               {"skew_ppm",
                [&](const option_value& n, const std::string& p) {
                  fault.skew_ppm = skew_of(n, p);
                  given.skew = true;
                }},
               {"nodes", [&](const option_value& n, const std::string& p) {
                  fault.nodes = nodes_of(n, p);
                }}});
  expect_together(fault, given, pointer);
  if (given.lasts) fault.until_ns = fault.at_ns + lasts_ns;
  return fault;
}

// What swarm testing takes away from a link, one bit each.
enum class link_part : unsigned { loss, loss_model, duplicates, damage, hold, changes, count };

void thin_out(link_spec& spec, std::uint64_t kept) {
  const auto has = [&](link_part part) { return (kept >> static_cast<unsigned>(part) & 1) != 0; };
  if (!has(link_part::loss)) spec.loss = {};
  if (spec.models == nullptr) return;
  link_models models = *spec.models;
  if (!has(link_part::loss_model)) models.loss = {};
  if (!has(link_part::duplicates)) models.duplicate = {};
  if (!has(link_part::damage)) models.corrupt = {};
  if (!has(link_part::hold)) models.hold = {};
  if (!has(link_part::changes)) models.changes.clear();
  spec.models = std::make_shared<const link_models>(std::move(models));
}

}  // namespace

void read_faults(const option_value& v, network_options& options) {
  expect(v, option_kind::array, "/faults");
  if (v.members.size() > partitions_max) {
    refuse("/faults", fmt::format("has more than {} faults", partitions_max));
  }
  for (std::size_t i = 0; i < v.members.size(); ++i) {
    options.faults.push_back(read_fault(v.members[i].value, child("/faults", std::to_string(i))));
  }
}

// Groce et al., "Swarm Testing" (ISSTA 2012): tests that leave some kinds of faults out find what
// tests with all of them at once do not reach.
void choose_swarm(network_options& options) {
  const std::uint64_t kept = fate_draws(draw_key(options.seed, "swarm", draw_purpose::swarm), 0)[0];
  for (auto& [name, wires] : options.links) {
    thin_out(wires.up, kept);
    thin_out(wires.down, kept);
  }
  for (trunk_spec& trunk : options.topology.trunks) {
    thin_out(trunk.forth, kept);
    thin_out(trunk.back, kept);
  }
  const std::uint64_t kept_faults = kept >> static_cast<unsigned>(link_part::count);
  std::erase_if(options.faults, [&](const node_fault& fault) {
    return (kept_faults >> static_cast<unsigned>(fault.kind) & 1) == 0;
  });
}

}  // namespace mdp::netsim
