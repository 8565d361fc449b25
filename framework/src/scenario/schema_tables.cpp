// What may stand in a scenario file, as data.
#include <array>

#include "schema.hpp"

namespace mdp::scenario {
namespace {

constexpr double bytes_max = 16.0 * 1024 * 1024;

constexpr type_def t_any{};
constexpr type_def t_boolean{.kind = type_kind::boolean};
constexpr type_def t_text{.kind = type_kind::text};
constexpr type_def t_options{.kind = type_kind::map, .element = &t_any};
constexpr type_def t_seed{.kind = type_kind::integer, .min = 0, .max = 18446744073709551615.0};
constexpr type_def t_count{.kind = type_kind::integer, .min = 1, .max = 65536};
constexpr type_def t_processes{.kind = type_kind::integer, .min = 0, .max = 256};
constexpr type_def t_cpu{.kind = type_kind::integer, .min = 0, .max = 4095};
constexpr type_def t_cpu_list{.kind = type_kind::list, .element = &t_cpu};
constexpr type_def t_positive_s{.kind = type_kind::number, .min = 0.001, .max = 86400};
constexpr type_def t_seconds{.kind = type_kind::number, .min = 0, .max = 86400};
constexpr type_def t_micros{.kind = type_kind::number, .min = 0, .max = 3.6e9};
constexpr type_def t_percent{.kind = type_kind::number, .min = 0, .max = 100};
constexpr type_def t_rate{.kind = type_kind::number, .min = 0.001, .max = 1e9};
constexpr type_def t_mbps{.kind = type_kind::number, .min = 0.001, .max = 1e6};
constexpr type_def t_in_flight{.kind = type_kind::integer, .min = 1, .max = 1e6};
constexpr type_def t_queue{.kind = type_kind::integer, .min = 0, .max = 1e9};
constexpr type_def t_mtu{.kind = type_kind::integer, .min = 64, .max = 65535};
constexpr type_def t_number_of_packet{.kind = type_kind::integer, .min = 0, .max = 1e12};
constexpr type_def t_numbers_of_packets{.kind = type_kind::list, .element = &t_number_of_packet};
constexpr type_def t_texts{.kind = type_kind::list, .element = &t_text};
constexpr type_def t_skew{.kind = type_kind::integer, .min = -100'000, .max = 100'000};
constexpr type_def t_change_us{.kind = type_kind::number, .min = 0, .max = 2.592e12};
constexpr type_def t_reply{.kind = type_kind::integer, .min = 0, .max = bytes_max};
constexpr type_def t_sizes{.kind = type_kind::sizes, .min = 1, .max = bytes_max};
constexpr type_def t_repetitions{.kind = type_kind::integer, .min = 1, .max = 1000};

constexpr std::array<const char*, 1> schema_names{"mdp-scenario/1"};
constexpr std::array<const char*, 2> protocols{"mdp", "raw"};
constexpr std::array<const char*, 3> idle_strategies{"park", "yield", "spin"};
constexpr std::array<const char*, 3> patterns{"request_response", "stream", "bidirectional_stream"};
constexpr std::array<const char*, 2> load_modes{"open", "closed"};
constexpr std::array<const char*, 4> arrival_kinds{"constant", "poisson", "bursty", "ramp"};
constexpr std::array<const char*, 4> confirmations{"none", "received", "delivered", "both"};
constexpr std::array<const char*, 2> orders{"interleaved", "sequential"};
constexpr std::array<const char*, 2> pinnings{"auto", "none"};
constexpr std::array<const char*, 2> changes{"seed", "nothing"};
constexpr std::array<const char*, 5> plot_kinds{"load_curve", "percentiles", "throughput_bars",
                                                "latency_over_time", "trace"};

constexpr std::array<const char*, 2> steady_states{"report", "require"};
constexpr std::array<const char*, 2> peer_downs{"fail", "report"};
constexpr type_def t_peer_down{.kind = type_kind::choice, .choices = peer_downs};
constexpr type_def t_steady{.kind = type_kind::choice, .choices = steady_states};

constexpr std::array<const char*, 4> jitter_shapes{"uniform", "normal", "lognormal", "pareto"};
constexpr std::array<const char*, 4> corrupt_kinds{"bit", "header", "payload", "checksum"};
constexpr std::array<const char*, 5> fate_words{"pass", "drop", "duplicate", "damage", "hold"};
constexpr std::array<const char*, 7> node_fault_kinds{
    "partition", "pause", "clock_step", "clock_skew", "rebind", "crash", "restart"};
constexpr std::array<const char*, 4> disciplines{"drop_tail", "red", "codel", "fq_codel"};
constexpr std::array<const char*, 5> loss_models{"gilbert_elliott", "four_state", "periodic",
                                                 "list", "pattern"};

constexpr type_def t_schema{.kind = type_kind::choice, .choices = schema_names};
constexpr type_def t_protocol_name{.kind = type_kind::choice, .choices = protocols};
constexpr type_def t_idle{.kind = type_kind::choice, .choices = idle_strategies};
constexpr type_def t_pattern{.kind = type_kind::choice, .choices = patterns};
constexpr type_def t_load_mode{.kind = type_kind::choice, .choices = load_modes};
constexpr type_def t_arrivals{.kind = type_kind::choice, .choices = arrival_kinds};
constexpr type_def t_confirm{.kind = type_kind::choice, .choices = confirmations};
constexpr type_def t_order{.kind = type_kind::choice, .choices = orders};
constexpr type_def t_pinning{.kind = type_kind::choice, .choices = pinnings};
constexpr type_def t_changes{.kind = type_kind::choice, .choices = changes};
constexpr type_def t_jitter_shape{.kind = type_kind::choice, .choices = jitter_shapes};
constexpr type_def t_corrupt_kind{.kind = type_kind::choice, .choices = corrupt_kinds};
constexpr type_def t_loss_model{.kind = type_kind::choice, .choices = loss_models};
constexpr type_def t_discipline{.kind = type_kind::choice, .choices = disciplines};
constexpr type_def t_node_fault_kind{.kind = type_kind::choice, .choices = node_fault_kinds};
constexpr type_def t_fate_word{.kind = type_kind::choice, .choices = fate_words};
constexpr type_def t_plot{.kind = type_kind::choice, .choices = plot_kinds};

constexpr std::array transport_fields{
    field_def{"plugin", &t_text, true, "Transport plugin, as `mdp list transports` names it"},
    field_def{"options", &t_options, false, "Options of the plugin; it states which it has"},
    field_def{"bind", &t_text, false, "Local address host:port; default: loopback, any port"},
};
constexpr type_def t_transport{.kind = type_kind::record, .fields = transport_fields};
constexpr std::array transports_fields{
    field_def{"default", &t_transport, true, "The transport that every peer uses"},
};
constexpr type_def t_transports{.kind = type_kind::record, .fields = transports_fields};

constexpr std::array protocol_fields{
    field_def{"name", &t_protocol_name, false,
              "mdp (default): reliable messages; raw: bare datagrams, the limit of a transport"},
    field_def{"config", &t_options, false, "Settings of the protocol; see `mdp list config`"},
    field_def{"threads", &t_text, false,
              "Where a node works: inline (default): on the application's thread; single, pair, "
              "pipeline: on 1, 2 or 3 threads of its own; sharded:N: on N, peers divided"},
    field_def{"idle", &t_idle, false,
              "What those threads do with nothing to do: park (default) sleeps; yield; spin"},
    field_def{"spin_us", &t_micros, false, "Busy-poll so long before sleeping; default 50"},
};
constexpr type_def t_protocol{.kind = type_kind::record, .fields = protocol_fields};

constexpr std::array peer_fields{
    field_def{"count", &t_count, false, "Number of peers in the group; default 1"},
    field_def{"link", &t_text, false, "Simulator: the link that attaches each peer"},
    field_def{"cpus", &t_cpu_list, false, "Pin the group to these CPUs; default: as run.cpus says"},
    field_def{"thread_cpus", &t_cpu_list, false,
              "Pin the threads of its nodes (see threads), one CPU each in order"},
    field_def{"processes", &t_processes, false,
              "Processes of their own that share these peers; default 0: one with all such groups"},
};
constexpr type_def t_peer{.kind = type_kind::record, .fields = peer_fields};
constexpr type_def t_peers{.kind = type_kind::map, .element = &t_peer};

constexpr std::array loss_fields{
    field_def{"model", &t_loss_model, true, "How losses depend on each other, or which they are"},
    field_def{"to_bad_pct", &t_percent, false, "gilbert_elliott: from good to bad, each packet"},
    field_def{"to_good_pct", &t_percent, false, "gilbert_elliott: from bad to good, each packet"},
    field_def{"good_loss_pct", &t_percent, false, "gilbert_elliott: lost when good; default 0"},
    field_def{"bad_loss_pct", &t_percent, false, "gilbert_elliott: lost when bad; default 100"},
    field_def{"p13_pct", &t_percent, false, "four_state, as netem: a burst of losses begins"},
    field_def{"p31_pct", &t_percent, false, "four_state: the burst ends"},
    field_def{"p32_pct", &t_percent, false, "four_state: within the burst, packets pass"},
    field_def{"p23_pct", &t_percent, false, "four_state: within the burst, losses again"},
    field_def{"p14_pct", &t_percent, false, "four_state: a loss alone"},
    field_def{"every", &t_number_of_packet, false, "periodic: one packet of so many"},
    field_def{"offset", &t_number_of_packet, false, "periodic: the first; default 0"},
    field_def{"packets", &t_numbers_of_packets, false, "list: exactly these, from 0, ascending"},
    field_def{"pattern", &t_text, false, "pattern: 1 passes, 0 is lost, again and again"},
};
constexpr type_def t_loss{.kind = type_kind::record, .fields = loss_fields};
constexpr type_def t_red_packets{.kind = type_kind::integer, .min = 1, .max = 65536};
constexpr type_def t_red_shift{.kind = type_kind::integer, .min = 1, .max = 16};
constexpr type_def t_codel_us{.kind = type_kind::number, .min = 0, .max = 3e6};
constexpr type_def t_quantum{.kind = type_kind::integer, .min = 1, .max = 1e6};
constexpr std::array discipline_fields{
    field_def{"discipline", &t_discipline, true,
              "drop_tail; red: random early detection; codel (RFC 8289); fq_codel (RFC 8290)"},
    field_def{"ecn", &t_boolean, false, "Mark ECT packets instead of dropping; default true"},
    field_def{"target_us", &t_codel_us, false, "codel: waiting time to stay below; default 5000"},
    field_def{"interval_us", &t_codel_us, false, "codel: some round trips; default 100000"},
    field_def{"flows", &t_red_packets, false, "fq_codel: places for pairs of peers; default 1024"},
    field_def{"quantum_bytes", &t_quantum, false, "fq_codel: a flow's turn; default 1514"},
    field_def{"min_packets", &t_red_packets, false, "red: average to begin at; default 50"},
    field_def{"max_packets", &t_red_packets, false, "red: where max_pct is reached; default 150"},
    field_def{"max_pct", &t_percent, false, "red: default 10; it rises to 100 at twice as many"},
    field_def{"weight_shift", &t_red_shift, false,
              "red: the newest weighs 2^-shift; default 9 (0.2 %)"},
};
constexpr type_def t_discipline_fields{.kind = type_kind::record, .fields = discipline_fields};
constexpr std::array change_fields{
    field_def{"at_us", &t_change_us, true, "Virtual time from which on this holds"},
    field_def{"carrier", &t_boolean, false, "false: every packet is dropped"},
    field_def{"rate_mbps", &t_mbps, false, "For links that have a rate"},
    field_def{"delay_us", &t_micros, false, "Propagation delay of one way"},
    field_def{"jitter_us", &t_micros, false, "Random addition to the delay"},
    field_def{"loss_pct", &t_percent, false, "Independent random loss"},
    field_def{"mtu_bytes", &t_mtu, false, "Larger datagrams are dropped"},
};
constexpr type_def t_change{.kind = type_kind::record, .fields = change_fields};
constexpr type_def t_link_changes{.kind = type_kind::list, .element = &t_change};
constexpr type_def t_gap{.kind = type_kind::integer, .min = 1, .max = 1e9};
constexpr type_def t_delivery{.kind = type_kind::integer, .min = 0, .max = 3.6e6};
constexpr type_def t_deliveries{
    .kind = type_kind::list, .min = 1, .max = 100'000, .element = &t_delivery};
constexpr std::array wire_fields{
    field_def{"rate_mbps", &t_mbps, false, "Rate in 10^6 bit/s; absent: unlimited"},
    field_def{"delay_us", &t_micros, false, "Propagation delay of one way"},
    field_def{"jitter_us", &t_micros, false, "Random addition to the delay, 0 to this"},
    field_def{"reorder", &t_boolean, false, "Whether jitter may change the order of packets"},
    field_def{"queue_packets", &t_queue, false, "Packets that may wait for the link; 0: unlimited"},
    field_def{"queue_bytes", &t_queue, false, "Bytes that may wait for the link; 0: unlimited"},
    field_def{"loss_pct", &t_percent, false, "Independent random loss of packets"},
    field_def{"mtu_bytes", &t_mtu, false, "Larger datagrams are dropped"},
    field_def{"jitter_shape", &t_jitter_shape, false,
              "uniform (default), normal (deviation), lognormal (median), pareto (minimum)"},
    field_def{"mark_packets", &t_queue, false, "From so many queued on, ECT becomes CE; 0: never"},
    field_def{"loss", &t_loss, false, "Loss with memory or by plan, besides loss_pct"},
    field_def{"duplicate_pct", &t_percent, false, "Packets that go twice"},
    field_def{"corrupt_pct", &t_percent, false, "Packets that arrive damaged"},
    field_def{
        "corrupt_kind", &t_corrupt_kind, false,
        "One bit anywhere (default), in the header, in the payload; checksum: it still holds"},
    field_def{"hold_pct", &t_percent, false, "Packets held back, so that others overtake them"},
    field_def{"hold_us", &t_micros, false, "For how long"},
    field_def{"reorder_pct", &t_percent, false, "Packets that go without delay (netem's reorder)"},
    field_def{"reorder_gap", &t_gap, false, "Only every so-manieth packet may; default 1"},
    field_def{"reorder_correlation_pct", &t_percent, false, "How like the last each draw is"},
    field_def{"loss_correlation_pct", &t_percent, false, "The same of loss_pct (as netem)"},
    field_def{"delay_correlation_pct", &t_percent, false, "The same of jitter_us"},
    field_def{"duplicate_correlation_pct", &t_percent, false, "The same of duplicate_pct"},
    field_def{"corrupt_correlation_pct", &t_percent, false, "The same of corrupt_pct"},
    field_def{"trace_file", &t_text, false,
              "Instead of a rate: mahimahi's delivery trace, relative to this file"},
    field_def{"deliveries_ms", &t_deliveries, false,
              "Its content: when 1,504 bytes can go, milliseconds; repeated"},
    field_def{"burst_bytes", &t_queue, false,
              "Depth of a token bucket filled at rate_mbps; 0 (default): none"},
    field_def{"peak_mbps", &t_mbps, false, "How fast a burst goes out; absent: at once"},
    field_def{"queue", &t_discipline_fields, false, "Whom the queue drops or marks, and when"},
    field_def{"changes", &t_link_changes, false, "What the link is like later, by time"},
};
constexpr type_def t_wire{.kind = type_kind::record, .fields = wire_fields};
constexpr field_def down_field{"down", &t_wire, false,
                               "What arrives at the peer; default: no delay, no limit"};
// A wire's, and the other direction.
constexpr field_def nat_field{"nat_timeout_us", &t_micros, false,
                              "The peer is behind a NAT that forgets it after so much silence"};
constexpr auto link_fields = [] {
  std::array<field_def, wire_fields.size() + 2> all{};
  for (std::size_t i = 0; i < wire_fields.size(); ++i) all[i] = wire_fields[i];
  all[wire_fields.size()] = nat_field;
  all.back() = down_field;
  return all;
}();
constexpr type_def t_link{.kind = type_kind::record, .fields = link_fields};
constexpr type_def t_links{.kind = type_kind::map, .element = &t_link};
constexpr std::array fate_fields{
    field_def{"link", &t_text, true, "A link by its full name, e.g. client-0/up"},
    field_def{"packet", &t_number_of_packet, true, "Its number on that link, from 0"},
    field_def{"fate", &t_fate_word, true, "pass: nothing harms it; drop, duplicate, damage, hold"},
    field_def{"hold_us", &t_micros, false, "hold: by how much longer it travels"},
};
constexpr type_def t_fate{.kind = type_kind::record, .fields = fate_fields};
constexpr type_def t_fates{.kind = type_kind::list, .min = 0, .max = 100'000, .element = &t_fate};
constexpr std::array node_fault_fields{
    field_def{
        "kind", &t_node_fault_kind, true,
        "partition: cut off from all others; pause: does not run; clock_step, clock_skew: its "
        "clock jumps, or runs fast; rebind: its NAT gives it another port; crash: its process "
        "ends, with all that it knows; restart: so it does, and after for_us another begins"},
    field_def{"at_us", &t_change_us, true, "Virtual time when it begins"},
    field_def{"for_us", &t_change_us, false, "How long it lasts; absent: for good"},
    field_def{"nodes", &t_texts, true, "Peers (client-0) or groups (client) that it befalls"},
    field_def{"step_us", &t_micros, false, "clock_step: forward by so much"},
    field_def{"skew_ppm", &t_skew, false, "clock_skew: gains so many millionths; may be negative"},
};
constexpr type_def t_node_fault{.kind = type_kind::record, .fields = node_fault_fields};
constexpr type_def t_node_faults{
    .kind = type_kind::list, .min = 0, .max = 64, .element = &t_node_fault};
constexpr std::array network_fields{
    field_def{"links", &t_links, true, "Kinds of links by name; \"default\" attaches the others"},
    field_def{"topology", &t_any, false,
              "\"star\" (default), or an object: shape, routers, trunk, homes; see the simulator"},
    field_def{"fates", &t_fates, false, "What becomes of single packets, whatever is drawn"},
    field_def{"only_fates", &t_boolean, false,
              "Nothing else is lost, duplicated, damaged or held back; default false"},
    field_def{"faults", &t_node_faults, false, "What happens to peers, by time"},
    field_def{"swarm", &t_boolean, false,
              "Each seed leaves out a random half of the kinds of faults; default false"},
};
constexpr type_def t_network{.kind = type_kind::record, .fields = network_fields};

constexpr std::array load_fields{
    field_def{"mode", &t_load_mode, true,
              "open: sends by the clock, whatever happens; closed: keeps in_flight outstanding"},
    field_def{"arrivals", &t_arrivals, false, "open: constant (default), poisson, bursty or ramp"},
    field_def{"rate_per_s", &t_rate, false,
              "open: messages per second of each sender; ramp: at the start"},
    field_def{"burst_messages", &t_in_flight, false,
              "bursty: messages at one instant; the mean rate stays"},
    field_def{"rate_end_per_s", &t_rate, false, "ramp: messages per second at the end"},
    field_def{"in_flight", &t_in_flight, false, "closed: messages outstanding of each sender"},
};
constexpr type_def t_load{.kind = type_kind::record, .fields = load_fields};
constexpr std::array flow_fields{
    field_def{"from", &t_text, true, "Sending peer group"},
    field_def{"to", &t_text, true, "Receiving peer group"},
    field_def{"pattern", &t_pattern, true,
              "request_response, stream (one way) or bidirectional_stream (one each way)"},
    field_def{"size_bytes", &t_sizes, true,
              "Bytes of a message, or a distribution {bytes: weight}"},
    field_def{"reply_bytes", &t_reply, false, "request_response: 0 (default) = as the request"},
    field_def{"load", &t_load, true, "How messages are offered"},
    field_def{"confirm", &t_confirm, false, "Confirmations wanted; default delivered"},
    field_def{"timeout_us", &t_micros, false,
              "A message not confirmed by then is given up; default 0: none is"},
};
constexpr type_def t_flow{.kind = type_kind::record, .fields = flow_fields};
constexpr type_def t_flows{.kind = type_kind::list, .min = 1, .max = 256, .element = &t_flow};

constexpr std::array trace_fields{
    field_def{"peer", &t_text, true, "Whose packets: group and number, \"client-0\""},
    field_def{"from_s", &t_seconds, false,
              "Virtual time from which on packets are listed, 2,000 at most; default 0"},
};
constexpr type_def t_trace{.kind = type_kind::record, .fields = trace_fields};
constexpr std::array run_fields{
    field_def{"warmup_s", &t_seconds, false, "Load before measuring; default 1"},
    field_def{"measure_s", &t_positive_s, false, "Measured time; default 5"},
    field_def{"drain_s", &t_seconds, false, "Longest wait for what is outstanding; default 2"},
    field_def{"repetitions", &t_repetitions, false, "Runs of each point; default 1"},
    field_def{"repetitions_max", &t_repetitions, false,
              "Repeat up to so often until the medians are precise; default: repetitions"},
    field_def{"precision_pct", &t_percent, false,
              "Half the 95 % interval of rate and p99 that is precise enough; default 5"},
    field_def{"order", &t_order, false, "interleaved (default, shuffled) or sequential"},
    field_def{"cpus", &t_pinning, false, "auto (default): one CPU a peer group; none: not pinned"},
    field_def{"repeat_changes", &t_changes, false,
              "What differs between repetitions; default seed"},
    field_def{"verify_determinism", &t_boolean, false,
              "Simulator: run each repetition twice; the digests must be equal"},
    field_def{"steady_state", &t_steady, false,
              "report (default), or require: without it the point is inconclusive"},
    field_def{"peer_down", &t_peer_down, false,
              "fail (default): a peer reported down ends the repetition; report: it is counted"},
    field_def{"time_limit_s", &t_positive_s, false, "Real time of one repetition; default 300"},
    field_def{"trace", &t_trace, false, "Simulator: what became of one peer's packets"},
};
constexpr type_def t_run{.kind = type_kind::record, .fields = run_fields};

constexpr std::array assert_fields{
    field_def{"expect", &t_text, true,
              "<metric> <op> <number>: \"latency.response.p99_us <= 500\""},
    field_def{"where", &t_options, false, "Only at points where these variables have these values"},
};
constexpr type_def t_assert{.kind = type_kind::record, .fields = assert_fields};
constexpr type_def t_asserts{.kind = type_kind::list, .min = 0, .max = 1000, .element = &t_assert};

constexpr std::array compare_fields{
    field_def{"var", &t_text, true, "Sweep variable whose values are compared"},
    field_def{"baseline", &t_any, true, "Its value that the others are compared with"},
    field_def{"min_effect_pct", &t_percent, false,
              "Smaller differences are not reported; default 5"},
};
constexpr type_def t_compare{.kind = type_kind::record, .fields = compare_fields};

constexpr type_def t_positive{.kind = type_kind::number, .min = 1e-9, .max = 1e12};
constexpr type_def t_search_trials{.kind = type_kind::integer, .min = 1, .max = 32};
constexpr std::array search_fields{
    field_def{"var", &t_text, true, "Variable whose highest value is sought"},
    field_def{"from", &t_positive, true, "Lowest value tried"},
    field_def{"to", &t_positive, true, "Highest value tried"},
    field_def{"precision_pct", &t_percent, false, "Ends when the bounds are so close; default 5"},
    field_def{"trials", &t_search_trials, false,
              "Trials of full length that each bound rests on; default 3"},
    field_def{"exceed_pct", &t_percent, false,
              "So many of them may fail at a value that passes; default 50, below 100"},
    field_def{"shortest_pct", &t_percent, false,
              "Length of the first trials, of run.measure_s; default 10, at least 0.1"},
};
constexpr type_def t_search{.kind = type_kind::record, .fields = search_fields};

constexpr type_def t_plots{.kind = type_kind::list, .min = 0, .max = 16, .element = &t_plot};
constexpr type_def t_percentiles{
    .kind = type_kind::list, .min = 1, .max = 32, .element = &t_percent};
constexpr std::array report_fields{
    field_def{"percentiles", &t_percentiles, false, "Percentiles in the report"},
    field_def{"plots", &t_plots, false, "Plots in the report"},
};
constexpr type_def t_report{.kind = type_kind::record, .fields = report_fields};

constexpr std::array scenario_fields{
    field_def{"$schema", &t_text, false, "For editors: where the JSON Schema is; has no effect"},
    field_def{"schema", &t_schema, true, "Version of this format"},
    field_def{"name", &t_text, true, "Short name: letters, digits, - and _"},
    field_def{"description", &t_text, true, "One sentence: which question the scenario answers"},
    field_def{"extends", &t_text, false,
              "File to merge this one onto (RFC 7396), relative to this"},
    field_def{"seed", &t_seed, false, "Seed of every random decision; default 1"},
    field_def{"vars", &t_options, false, "Variables for ${name}, with their values"},
    field_def{"sweep", &t_options, false,
              "Variable -> list of values, or {from, to, points, scale: lin | log}"},
    field_def{"transports", &t_transports, true, "Transport plugins used"},
    field_def{"protocol", &t_protocol, false, "Protocol above the transport"},
    field_def{"peers", &t_peers, true, "Peer groups by name"},
    field_def{"network", &t_network, false, "The simulated network (plugin netsim only)"},
    field_def{"flows", &t_flows, true, "Who sends what to whom"},
    field_def{"run", &t_run, false, "Durations and repetitions"},
    field_def{"assert", &t_asserts, false, "Gates: exit code 1 when one does not hold"},
    field_def{"compare", &t_compare, false, "Comparison between values of one sweep variable"},
    field_def{"search", &t_search, false,
              "Highest value of a variable at which every assertion holds"},
    field_def{"report", &t_report, false, "Contents of the report"},
};
constexpr type_def t_scenario{.kind = type_kind::record, .fields = scenario_fields};

}  // namespace

const type_def& scenario_type() noexcept {
  return t_scenario;
}

}  // namespace mdp::scenario
