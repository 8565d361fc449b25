#include "typed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <regex>

#include "mdp/base/endpoint_address.hpp"
#include "schema.hpp"

namespace mdp::scenario {
namespace {

constexpr const char* simulator = "netsim";
constexpr std::uint32_t peers_max = 4096;
constexpr std::size_t flows_max = 256;  // a message names its flow in 8 bits

std::string text_of(const json_value* parent, const char* key, const std::string& preset) {
  const json_value* v = parent == nullptr ? nullptr : parent->find(key);
  return v == nullptr ? preset : v->text;
}

double number_of(const json_value* parent, const char* key, double preset) {
  const json_value* v = parent == nullptr ? nullptr : parent->find(key);
  return v == nullptr ? preset : v->number;
}

std::uint32_t count_of(const json_value* parent, const char* key, std::uint32_t preset) {
  return static_cast<std::uint32_t>(number_of(parent, key, preset));
}

bool flag_of(const json_value* parent, const char* key, bool preset) {
  const json_value* v = parent == nullptr ? nullptr : parent->find(key);
  return v == nullptr ? preset : v->boolean;
}

std::vector<std::string> names_of(const json_value& object) {
  std::vector<std::string> names;
  for (const json_member& m : object.members) names.push_back(m.name);
  return names;
}

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

std::vector<peer_group> make_peers(const json_value& document) {
  std::vector<peer_group> out;
  const json_value& peers = *document.find("peers");
  const json_value* links = document.at("network", "links");
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
    total += group.count;
    if (total > peers_max) fail(m.value, at, fmt::format("more than {} peers in all", peers_max));
    out.push_back(std::move(group));
  }
  if (out.empty()) fail(peers, "/peers", "must name at least one group of peers");
  return out;
}

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
  out.time_limit_s = number_of(in, "time_limit_s", out.time_limit_s);
  return out;
}

assert_spec make_assert(const json_value& in, const std::string& pointer, const json_value* vars) {
  static const std::regex form(R"(\s*([a-z0-9_]+(?:\.[a-z0-9_]+)+)\s*(<=|>=|==|!=|<|>))"
                               R"(\s*(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)\s*)");
  assert_spec out;
  const json_value& expect = *in.find("expect");
  std::smatch part;
  if (!std::regex_match(expect.text, part, form)) {
    fail(expect, pointer + "/expect",
         fmt::format("\"{}\" is not of the form \"latency.response.p99_us <= 500\"", expect.text));
  }
  out.expect = fmt::format("{} {} {}", part[1].str(), part[2].str(), part[3].str());
  const json_value* where = in.find("where");
  if (where == nullptr) return out;
  for (const json_member& m : where->members) {
    if (vars == nullptr || vars->find(m.name) == nullptr) {
      const std::vector<std::string> known =
          vars == nullptr ? std::vector<std::string>{} : names_of(*vars);
      throw scenario_error(locate(
          m.where, pointer + pointer_child("/where", m.name),
          fmt::format("there is no variable \"{}\"{}", m.name, did_you_mean(m.name, known))));
    }
    out.where[m.name] = dump(m.value);
  }
  return out;
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
  if (const json_value* asserts = document.find("assert"); asserts != nullptr) {
    for (std::size_t i = 0; i < asserts->items.size(); ++i) {
      out.asserts.push_back(
          make_assert(asserts->items[i], fmt::format("/assert/{}", i), document.find("vars")));
    }
  }
  return out;
}

compare_spec make_compare(const json_value& document) {
  const json_value* in = document.find("compare");
  compare_spec out;
  if (in == nullptr) return out;
  const json_value& var = *in->find("var");
  const json_value& baseline = *in->find("baseline");
  for (const char* end : {"var", "baseline"}) {
    const json_value& v = *in->find(end);
    if (v.is(json_kind::object) || v.is(json_kind::array) || v.is(json_kind::null)) {
      fail(v, fmt::format("/compare/{}", end), "must be one value");
    }
  }
  out.var = var.text;
  out.baseline = baseline.is(json_kind::string) ? baseline.text : dump(baseline);
  out.min_effect_pct = number_of(in, "min_effect_pct", out.min_effect_pct);
  return out;
}

search_spec make_search(const json_value& document) {
  const json_value* in = document.find("search");
  search_spec out;
  if (in == nullptr) return out;
  const json_value& from = *in->find("from");
  const json_value& to = *in->find("to");
  out.var = in->find("var")->text;
  out.from = from.number;
  out.to = to.number;
  out.precision_pct = number_of(in, "precision_pct", out.precision_pct);
  out.whole = from.is(json_kind::integer) && to.is(json_kind::integer);
  if (out.from > out.to) fail(to, "/search/to", "must not be less than \"from\"");
  if (out.precision_pct < 0.1) {
    fail(*in->find("precision_pct"), "/search/precision_pct", "must be 0.1 or more");
  }
  const json_value* vars = document.find("vars");
  if (vars == nullptr || vars->find(out.var) == nullptr) {
    const std::vector<std::string> known =
        vars == nullptr ? std::vector<std::string>{} : names_of(*vars);
    fail(*in->find("var"), "/search/var",
         fmt::format("\"{}\" is not in vars{}", out.var, did_you_mean(out.var, known)));
  }
  if (document.at("sweep", out.var) != nullptr) {
    fail(*in->find("var"), "/search/var", fmt::format("\"{}\" is swept already", out.var));
  }
  const json_value* asserts = document.find("assert");
  if (asserts == nullptr || asserts->items.empty()) {
    fail(*in, "/search", "needs \"assert\": the conditions that the highest value must meet");
  }
  return out;
}

report_spec make_report(const json_value& document) {
  const json_value* in = document.find("report");
  report_spec out;
  if (in == nullptr) return out;
  if (const json_value* list = in->find("percentiles"); list != nullptr) {
    out.percentiles.clear();
    for (const json_value& v : list->items) out.percentiles.push_back(v.number);
  }
  if (const json_value* list = in->find("plots"); list != nullptr) {
    out.plots.clear();
    for (const json_value& v : list->items) out.plots.push_back(v.text);
  }
  return out;
}

}  // namespace mdp::scenario
