// relay: a scenario's simulated network in real time, between any UDP programs.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <stdexcept>

#include "commands.hpp"
#include "drops.hpp"
#include "mdp/plugin/plugin_loader.hpp"
#include "output.hpp"
#include "relay_engine.hpp"

namespace mdp::cli {
namespace {

using scenario::json_value;

std::atomic<bool> stopped{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

extern "C" void on_stop(int) {
  if (stopped.exchange(true)) ::_exit(exit_interrupted);
}

endpoint_address address_of(const std::string& text, const char* option) {
  auto address = parse_endpoint_address(text);
  if (!address) throw scenario::scenario_error(fmt::format("{}: {}", option, address.error()));
  return *address;
}

// The simulator's options of the scenario's first point; every member of a group takes the group's
// link, however many there will be.
std::string simulator_options(const scenario::point_spec& point) {
  if (point.transport.plugin != "netsim") {
    throw scenario::scenario_error("a relay needs a scenario with a simulated network");
  }
  json_value options = scenario::parse_json(point.transport.options_json, "network");
  json_value nodes =
      options.find("nodes") == nullptr ? scenario::make_object() : *options.find("nodes");
  for (const scenario::peer_group& g : point.peers) {
    if (!g.link.empty()) nodes.set(g.name, scenario::make_string(g.link));
  }
  if (!nodes.members.empty()) options.set("nodes", nodes);
  return scenario::dump(options);
}

double micros(std::int64_t ns) {
  return static_cast<double>(ns) / 1000;
}

std::string report_of(const relay_engine& engine, const transport::fabric_facts& facts) {
  const relay_counts& c = engine.counts();
  const metrics::histogram& late = engine.lateness();
  std::string out = fmt::format(
      "clients {}\nto the target: {} came, {} went on\nto the clients: {} came, {} went on\n",
      engine.clients(), c.from_clients, c.to_target, c.from_target, c.to_clients);
  if (c.refused > 0) out += fmt::format("of too many clients: {}\n", c.refused);
  if (c.blocked > 0) out += fmt::format("refused by the kernel: {}\n", c.blocked);
  out += "late by";
  for (const double p : {50.0, 99.0, 99.9}) {
    if (const auto value = late.percentile(p))
      out += fmt::format(" p{} {:.0f} µs", p, micros(*value));
  }
  out += fmt::format(" max {:.0f} µs\n", micros(late.max()));
  for (const auto& [name, value] : facts) {
    if (name.starts_with("packets_") && value != "0") out += fmt::format("{} {}\n", name, value);
  }
  for (const auto& [name, value] : facts) {
    if (!name.starts_with("dropped.")) continue;
    const std::string link = name.substr(8);
    for (const auto& [other, total] : facts) {
      if (other == "drops." + link) out += link_drops_text(link, total, value);
    }
  }
  return out;
}

}  // namespace

int relay(const relay_arguments& arguments) {
  const scenario::scenario_spec spec =
      scenario::load_scenario(arguments.file, make_load_options(arguments.load));
  const scenario::point_spec& point = spec.points.at(0);
  relay_options options;
  options.listen = address_of(arguments.listen, "--listen");
  options.target = address_of(arguments.target, "--to");
  options.client_group = point.flows.at(0).from;
  options.server_group = point.flows.at(0).to;
  const auto real = plugin::create_fabric("socket");
  const auto simulated = plugin::create_fabric("netsim", simulator_options(point));
  relay_engine engine(options, *real, *simulated);
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // sleeps end when they should
  struct sigaction action {};
  action.sa_handler = on_stop;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  say(fmt::format("relay: {} -> {}, as {}\n", to_string(engine.listening()),
                  to_string(options.target), spec.name));
  const auto begun = std::chrono::steady_clock::now();
  const std::chrono::duration<double> length(arguments.seconds);
  while (!stopped &&
         (arguments.seconds == 0 || std::chrono::steady_clock::now() - begun < length)) {
    engine.turn(std::chrono::milliseconds(20));
  }
  fmt::print("{}", report_of(engine, simulated->facts()));
  const auto tail = engine.lateness().percentile(99.9);
  const double late_us = micros(tail ? *tail : engine.lateness().max());
  if (late_us <= arguments.late_us) return exit_pass;
  say(
      fmt::format("mdp: datagrams went on {:.0f} µs late, more than {:g} µs: this machine is too "
                  "busy for such a network (--late-us)\n",
                  late_us, arguments.late_us));
  return exit_gate_failed;
}

}  // namespace mdp::cli
