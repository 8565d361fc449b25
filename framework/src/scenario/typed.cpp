#include "typed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mdp/base/endpoint_address.hpp"
#include "schema.hpp"
#include "typed_parts.hpp"

namespace mdp::scenario {
namespace {

constexpr const char* simulator = "netsim";
constexpr std::uint32_t peers_max = 4096;  // of a run in real time: each has a thread
constexpr std::uint32_t simulated_peers_max = 65536;
constexpr std::size_t flows_max = 256;  // a message names its flow in 8 bits

void check_plugin(const json_value& transport, const load_context& context) {
  const json_value& plugin = *transport.find("plugin");
  if (context.plugin_names) {
    const std::vector<std::string> known = context.plugin_names();
    if (std::find(known.begin(), known.end(), plugin.text) == known.end()) {
      fail(plugin, "/transports/default/plugin",
           fmt::format(
               "there is no transport plugin \"{}\"{}; found: {} (see `mdp list transports`)",
               plugin.text, did_you_mean(plugin.text, known),
               known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
    }
  }
  const json_value* options = transport.find("options");
  if (options == nullptr || !context.plugin_options_schema) return;
  const std::optional<std::string> schema = context.plugin_options_schema(plugin.text);
  if (!schema) return;
  check_options(*options, parse_json(*schema, plugin.text + " options schema"),
                "/transports/default/options", fmt::format("the plugin {}", plugin.text));
}

// The simulator's options: those given, the network section, and the seed.
json_value simulator_options(const json_value& document, const json_value& options) {
  json_value out = options;
  const json_value* seed = document.find("seed");
  out.set("seed", seed != nullptr ? *seed : make_unsigned(1));
  const json_value* links = document.at("network", "links");
  if (links != nullptr) out.set("links", *links);
  for (const char* key : {"topology", "fates", "only_fates", "faults", "swarm"}) {
    const json_value* given = document.at("network", key);
    if (given != nullptr) out.set(key, *given);
  }
  json_value nodes = make_object();
  for (const json_member& group : document.find("peers")->members) {
    const json_value* link = group.value.find("link");
    if (link == nullptr) continue;
    const std::uint32_t count = count_of(&group.value, "count", 1);
    for (std::uint32_t i = 0; i < count; ++i) {
      nodes.set(fmt::format("{}-{}", group.name, i), make_string(link->text));
    }
  }
  if (!nodes.members.empty()) out.set("nodes", nodes);
  return out;
}

transport_spec make_transport(const json_value& document, const load_context& context) {
  const json_value& transport = *document.at("transports", "default");
  check_plugin(transport, context);
  transport_spec out;
  out.plugin = transport.find("plugin")->text;
  out.bind = text_of(&transport, "bind", "");
  if (!out.bind.empty()) {
    if (auto local = parse_endpoint_address(out.bind); !local)
      fail(*transport.find("bind"), "/transports/default/bind", local.error());
  }
  const json_value* given = transport.find("options");
  json_value options = given != nullptr ? *given : make_object();
  if (out.plugin == simulator) options = simulator_options(document, options);
  out.options_json = dump(options);
  return out;
}

std::vector<int> cpus_of(const json_value& in, const char* name) {
  std::vector<int> cpus;
  if (const json_value* list = in.find(name); list != nullptr)
    for (const json_value& c : list->items) cpus.push_back(static_cast<int>(c.number));
  return cpus;
}

thread_plan make_threads(const json_value& document, const json_value* protocol,
                         const std::string& name) {
  const json_value* text = protocol == nullptr ? nullptr : protocol->find("threads");
  if (text == nullptr) return {};
  const std::string at = "/protocol/threads";
  auto plan = parse_thread_plan(text->text);
  if (!plan) fail(*text, at, plan.error());
  if (plan->layout == thread_layout::inline_) return *plan;
  if (name == "raw") fail(*text, at, "the protocol raw runs \"inline\" only");
  if (text_of(document.at("transports", "default"), "plugin", "") == simulator)
    fail(*text, at, "a simulated network has no real time for threads: choose \"inline\"");
  plan->idle = *parse_idle_strategy(text_of(protocol, "idle", "park"));
  return *plan;
}

protocol_spec make_protocol(const json_value& document, const load_context& context) {
  const json_value* in = document.find("protocol");
  protocol_spec out;
  out.name = text_of(in, "name", "mdp");
  out.threads = make_threads(document, in, out.name);
  out.spin_us = number_of(in, "spin_us", out.spin_us);
  const json_value* config = in == nullptr ? nullptr : in->find("config");
  if (config == nullptr) return out;
  std::vector<protocol_key> keys;
  if (context.protocol_keys) keys = context.protocol_keys(out.name);
  std::vector<std::string> names;
  for (const protocol_key& k : keys) names.push_back(k.name);
  for (const json_member& m : config->members) {
    const std::string at = pointer_child("/protocol/config", m.name);
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const protocol_key& k) { return k.name == m.name; });
    if (context.protocol_keys && key == keys.end()) {
      throw scenario_error(locate(m.where, at,
                                  fmt::format("the protocol {} has no setting \"{}\"{}", out.name,
                                              m.name, did_you_mean(m.name, names))));
    }
    if (key != keys.end() && !key->choices.empty()) {
      if (!m.value.is(json_kind::string) ||
          std::find(key->choices.begin(), key->choices.end(), m.value.text) == key->choices.end())
        fail(m.value, at, fmt::format("must be one of {}", fmt::join(key->choices, ", ")));
      out.config.emplace_back(m.name, m.value.text);
      continue;
    }
    if (!m.value.is_number()) fail(m.value, at, "must be a number");
    if (key != keys.end() && !(m.value.number >= key->min && m.value.number <= key->max)) {
      fail(m.value, at,
           fmt::format("must be {} to {} {}, not {}", make_number(key->min).text,
                       make_number(key->max).text, key->unit, m.value.text));
    }
    out.config.emplace_back(m.name, m.value.text);
  }
  return out;
}

std::uint32_t processes_of(const json_value& document, const json_value& peer, std::uint32_t peers,
                           const std::string& at) {
  const std::uint32_t processes = count_of(&peer, "processes", 0);
  if (processes == 0) return 0;
  if (text_of(document.at("transports", "default"), "plugin", "") == simulator) {
    fail(*peer.find("processes"), at + "/processes",
         fmt::format("must be 0 with {}: virtual time is one process", simulator));
  }
  if (processes > peers) {
    fail(*peer.find("processes"), at + "/processes",
         fmt::format("must not exceed the {} peers that share them, not {}", peers, processes));
  }
  return processes;
}

std::vector<peer_group> make_peers(const json_value& document) {
  std::vector<peer_group> out;
  const json_value& peers = *document.find("peers");
  const json_value* links = document.at("network", "links");
  const bool simulated = text_of(document.at("transports", "default"), "plugin", "") == simulator;
  const std::uint32_t most = simulated ? simulated_peers_max : peers_max;
  std::uint32_t total = 0;
  for (const json_member& m : peers.members) {
    peer_group group;
    group.name = m.name;
    group.count = count_of(&m.value, "count", 1);
    group.link = text_of(&m.value, "link", "");
    group.cpus = cpus_of(m.value, "cpus");
    group.thread_cpus = cpus_of(m.value, "thread_cpus");
    const std::string at = pointer_child("/peers", m.name);
    if (!group.link.empty() && (links == nullptr || links->find(group.link) == nullptr)) {
      const std::vector<std::string> known =
          links == nullptr ? std::vector<std::string>{} : names_of(*links);
      fail(*m.value.find("link"), at + "/link",
           fmt::format("network.links has no \"{}\"{}", group.link,
                       did_you_mean(group.link, known)));
    }
    group.processes = processes_of(document, m.value, group.count, at);
    total += group.count;
    if (total > most) fail(m.value, at, fmt::format("more than {} peers in all", most));
    out.push_back(std::move(group));
  }
  if (out.empty()) fail(peers, "/peers", "must name at least one group of peers");
  return out;
}

run_spec make_run(const json_value& document) {
  const json_value* in = document.find("run");
  run_spec out;
  out.warmup_s = number_of(in, "warmup_s", out.warmup_s);
  out.measure_s = number_of(in, "measure_s", out.measure_s);
  out.drain_s = number_of(in, "drain_s", out.drain_s);
  out.repetitions = count_of(in, "repetitions", out.repetitions);
  out.repetitions_max = count_of(in, "repetitions_max", out.repetitions_max);
  out.precision_pct = number_of(in, "precision_pct", out.precision_pct);
  if (out.repetitions_max != 0 && out.repetitions_max < out.repetitions) {
    fail(*in->find("repetitions_max"), "/run/repetitions_max",
         fmt::format("must not be less than the {} repetitions", out.repetitions));
  }
  if (out.repetitions_max == 0 && in != nullptr && in->find("precision_pct") != nullptr) {
    fail(*in->find("precision_pct"), "/run/precision_pct",
         "has no meaning without \"repetitions_max\"");
  }
  out.order = text_of(in, "order", out.order);
  out.cpus = text_of(in, "cpus", out.cpus);
  out.repeat_changes = text_of(in, "repeat_changes", out.repeat_changes);
  out.verify_determinism = flag_of(in, "verify_determinism", out.verify_determinism);
  out.steady_state = text_of(in, "steady_state", out.steady_state);
  out.peer_down = text_of(in, "peer_down", out.peer_down);
  out.time_limit_s = number_of(in, "time_limit_s", out.time_limit_s);
  const json_value* trace = in == nullptr ? nullptr : in->find("trace");
  out.trace = {text_of(trace, "peer", ""), number_of(trace, "from_s", 0)};
  return out;
}

// The traced peer must be one that sends.
void check_trace(const json_value& document, const point_spec& point) {
  if (point.run.trace.peer.empty()) return;
  std::vector<std::string> senders;
  for (const peer_group& group : point.peers) {
    const bool sends = std::any_of(point.flows.begin(), point.flows.end(), [&](const auto& f) {
      return f.from == group.name || f.pattern == flow_pattern::request_response;
    });
    for (std::uint32_t i = 0; sends && i < group.count; ++i)
      senders.push_back(fmt::format("{}-{}", group.name, i));
  }
  if (std::find(senders.begin(), senders.end(), point.run.trace.peer) != senders.end()) return;
  fail(*document.at("run", "trace", "peer"), "/run/trace/peer",
       fmt::format("no peer \"{}\" sends; the first that does is \"{}\"", point.run.trace.peer,
                   senders.front()));
}

}  // namespace

point_spec make_point(const json_value& document, const load_context& context) {
  point_spec out;
  const json_value* seed = document.find("seed");
  out.seed = seed == nullptr ? 1 : seed->as_unsigned().value_or(1);
  out.transport = make_transport(document, context);
  out.protocol = make_protocol(document, context);
  out.peers = make_peers(document);
  const json_value& flows = *document.find("flows");
  for (std::size_t i = 0; i < flows.items.size(); ++i) {
    out.flows.push_back(make_flow(flows.items[i], fmt::format("/flows/{}", i), out.peers));
    if (flows.items[i].find("pattern")->text != "bidirectional_stream") continue;
    // Within a group every peer sends to every other already.
    if (out.flows.back().from == out.flows.back().to) continue;
    out.flows.push_back(out.flows.back());
    std::swap(out.flows.back().from, out.flows.back().to);
  }
  if (out.flows.size() > flows_max) {
    fail(flows, "/flows", fmt::format("more than {} flows, each direction counted", flows_max));
  }
  out.run = make_run(document);
  if (out.run.verify_determinism && out.transport.plugin != simulator) {
    fail(*document.at("run", "verify_determinism"), "/run/verify_determinism",
         fmt::format("only the plugin {} repeats itself exactly, not {}", simulator,
                     out.transport.plugin));
  }
  check_trace(document, out);
  if (const json_value* asserts = document.find("assert"); asserts != nullptr) {
    for (std::size_t i = 0; i < asserts->items.size(); ++i) {
      out.asserts.push_back(
          make_assert(asserts->items[i], fmt::format("/assert/{}", i), document.find("vars")));
    }
  }
  return out;
}

}  // namespace mdp::scenario
