#include "agent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "workload/payload.hpp"

namespace mdp::scenario {
namespace {

std::unique_ptr<messaging::messenger> make_messenger(const point_spec& point,
                                                     const peer_group& group,
                                                     const std::string& name, std::uint64_t seed,
                                                     const earlier_processes& before,
                                                     transport::fabric& fabric) {
  messaging::messenger_options options;
  options.fabric = &fabric;
  options.name = name;
  // What a process draws to be told from the one before it must be new.
  options.seed = before.count == 0 ? seed : splitmix64(seed + before.count);
  options.local = before.address;
  options.config = point.protocol.config;
  options.threads = point.protocol.threads;
  options.threads.cpus = group.thread_cpus;
  options.spin = duration(static_cast<std::int64_t>(point.protocol.spin_us * 1000));
  if (!point.transport.bind.empty()) {
    auto local = parse_endpoint_address(point.transport.bind);
    if (!local) throw std::runtime_error("/transports/default/bind: " + local.error());
    options.local = *local;
  }
  return point.protocol.name == "raw" ? messaging::make_raw_messenger(options)
                                      : messaging::make_mdp_messenger(options);
}

messaging::confirm confirm_of(const std::string& text) {
  if (text == "received") return messaging::confirm::received;
  if (text == "delivered") return messaging::confirm::delivered;
  if (text == "both") return messaging::confirm::both;
  return messaging::confirm::none;
}

workload::arrival_plan plan_of(const load_spec& load) {
  using workload::arrival_kind;
  constexpr arrival_kind kinds[] = {arrival_kind::constant, arrival_kind::poisson,
                                    arrival_kind::bursty, arrival_kind::ramp};
  return {load.rate_per_s, kinds[static_cast<std::size_t>(load.arrival)], load.burst_messages,
          load.rate_end_per_s};
}

workload::sender_options options_of(const flow_spec& flow, messaging::messenger& messenger,
                                    std::uint64_t seed) {
  workload::sender_options o;
  o.messenger = &messenger;
  o.sizes = flow.sizes;
  o.expects_reply = flow.pattern == flow_pattern::request_response;
  o.want = messenger.reliable() ? confirm_of(flow.confirm) : messaging::confirm::none;
  if (messenger.reliable()) o.timeout = duration(static_cast<std::int64_t>(flow.timeout_us * 1000));
  o.open_loop = flow.load.mode == load_mode::open;
  o.arrivals = plan_of(flow.load);
  o.in_flight = flow.load.in_flight;
  o.seed = seed;
  for (const auto& [bytes, weight] : flow.sizes) {
    if (bytes < workload::payload_bytes_min)
      throw std::runtime_error(
          fmt::format("/flows: size_bytes {} is below {}, the workload's stamp", bytes,
                      workload::payload_bytes_min));
    if (bytes > messenger.message_bytes_max())
      throw std::runtime_error(
          fmt::format("/flows: size_bytes {} is above the {} bytes that this "
                      "protocol and transport take; lower it, or raise "
                      "max_message_bytes",
                      bytes, messenger.message_bytes_max()));
  }
  return o;
}

}  // namespace

agent::agent(const point_spec& point, const peer_group& group, std::uint32_t index,
             std::uint64_t seed, transport::fabric& fabric, earlier_processes before)
    : point_(point),
      group_(group),
      seed_(seed),
      before_(std::move(before)),
      name_(fmt::format("{}-{}", group.name, index)),
      real_time_(!fabric.caps().virtual_time),
      messenger_(make_messenger(point, group, name_, seed, before_, fabric)),
      events_(512) {}

// Each peer once, however many flows go there; never oneself.
void agent::connect(const std::vector<endpoint_address>& members,
                    std::vector<std::pair<endpoint_address, peer_id>>& connected,
                    std::vector<peer_id>& targets) {
  const endpoint_address self = messenger_->local_address();
  for (const endpoint_address& to : members) {
    if (to == self) continue;
    auto known = std::find_if(connected.begin(), connected.end(),
                              [&](const auto& c) { return c.first == to; });
    if (known == connected.end()) {
      const auto peer = messenger_->connect(to);
      if (!peer) throw std::runtime_error(name_ + ": " + peer.error());
      known = connected.insert(connected.end(), {to, *peer});
    }
    targets.push_back(known->second);
  }
}

workload::sender* agent::sender_at(int flow) const noexcept {
  return flow >= 0 && static_cast<std::size_t>(flow) < sender_of_.size()
             ? sender_of_[static_cast<std::size_t>(flow)]
             : nullptr;
}

void agent::set_up(
    const std::vector<std::pair<std::string, std::vector<endpoint_address>>>& addresses) {
  workload::receiver_options receiving;
  receiving.messenger = messenger_.get();
  receiving.answers.resize(point_.flows.size());
  sender_of_.assign(point_.flows.size(), nullptr);
  std::vector<std::pair<endpoint_address, peer_id>> connected;
  for (std::size_t number = 0; number < point_.flows.size(); ++number) {
    const flow_spec& flow = point_.flows[number];
    if (flow.to == group_.name && flow.pattern == flow_pattern::request_response)
      receiving.answers[number] = {true, flow.reply_bytes};
    if (flow.from != group_.name) continue;
    auto options = options_of(flow, *messenger_, splitmix64(seed_ + senders_.size()));
    options.flow = static_cast<std::uint8_t>(number);
    if (senders_.size() < before_.sequences.size())
      options.first_sequence = before_.sequences[senders_.size()];
    for (const auto& [group, members] : addresses)
      if (group == flow.to) connect(members, connected, options.targets);
    if (options.targets.empty())
      throw std::runtime_error(
          fmt::format("/flows: '{}' has nobody to send to in '{}'", flow.from, flow.to));
    if (first_target_ == no_peer) first_target_ = options.targets.front();
    senders_.push_back(std::make_unique<workload::sender>(std::move(options)));
    sender_of_[number] = senders_.back().get();
  }
  targets_ = connected.size();
  receiver_ = std::make_unique<workload::receiver>(receiving);
  // Simulated time does not pass while a page is found, and very many agents need the memory.
  if (!real_time_) return;
  for (auto& s : senders_) s->metrics().prefault();
  receiver_->metrics().prefault();
}

void agent::begin(const workload::phases& p) noexcept {
  running_ = true;
  for (auto& s : senders_) {
    s->begin(p);
    if (before_.count > 0) s->skip_to(messenger_->now());
  }
  receiver_->begin(p);
  retransmitted_.begin(p.measure_from, p.measure_until);
  next_look_ = p.measure_from;
}

// Once an interval: asking for all counts costs more than a duty cycle. The first look is the
// baseline.
void agent::look_at_retransmissions(time_point now) noexcept {
  for (const auto& [key, value] : messenger_->stats()) {
    if (key != "packets_retransmitted") continue;
    if (retransmissions_known_)
      retransmitted_.count(now - retransmitted_.interval() / 2, value - retransmissions_);
    retransmissions_ = value;
    retransmissions_known_ = true;
  }
  next_look_ = now + retransmitted_.interval();
}

void agent::handle(messaging::event& e) noexcept {
  using messaging::event_kind;
  switch (e.kind) {
    case event_kind::peer_up:
      ++ups_;
      break;
    case event_kind::peer_moved:
      break;
    case event_kind::peer_down:
      ++downs_;
      if (lost_.empty() && point_.run.peer_down == "fail")
        lost_ = fmt::format(
            "{} lost a peer: {}; where that is to be counted, set /run/peer_down to "
            "\"report\"",
            name_, e.reason ? e.reason : "");
      break;
    case event_kind::message:
      // Replies go to the sender that asked for them, everything else to the receiver.
      if (workload::sender* asked = sender_at(workload::reply_to_flow(e.payload.bytes()))) {
        asked->on_event(e);
      } else {
        receiver_->on_event(e);
      }
      break;
    default:
      if (workload::sender* sent = sender_at(workload::flow_of(e.context))) sent->on_event(e);
  }
  e.payload.reset();
}

bool agent::turn(time_point latest) noexcept {
  const time_point now = messenger_->now();
  bool worked = false;
  time_point deadline = latest;
  if (running_) {
    for (auto& s : senders_) {
      worked = s->do_work(now) || worked;
      deadline = std::min(deadline, s->next_deadline());
    }
    worked = receiver_->do_work(now) || worked;
    deadline = std::min(deadline, receiver_->next_deadline());
  }
  if (running_ && now >= next_look_) look_at_retransmissions(now);
  const std::size_t n = messenger_->poll(events_, deadline);
  for (std::size_t i = 0; i < n; ++i) handle(events_[i]);
  return worked || n > 0;
}

bool agent::done() const noexcept {
  return std::all_of(senders_.begin(), senders_.end(), [](const auto& s) { return s->done(); }) &&
         receiver_->done();
}

void agent::snapshot(bool at_end) noexcept {
  stats_[at_end] = messenger_->stats();
  transport_[at_end] = messenger_->transport_counts();
}

void agent::finish(run_record& record) noexcept {
  const time_point now = messenger_->now();
  for (auto& s : senders_) s->finish(now);
  receiver_->finish(now);
  add_measured(record);
  if (!senders_.empty()) record.per_sender.push_back(before_.share);
}

earlier_processes agent::end_process(run_record& record) noexcept {
  before_.sequences.clear();
  for (auto& s : senders_) {
    s->end_process();
    before_.sequences.push_back(s->next_sequence());
  }
  receiver_->finish(messenger_->now());
  add_measured(record);
  ++before_.count;
  before_.address = messenger_->local_address();
  return std::move(before_);
}

void agent::add_measured(run_record& record) noexcept {
  for (auto& s : senders_) {
    const workload::flow_metrics& m = s->metrics();
    before_.share += static_cast<double>(m.completed > 0 ? m.completed : m.sent);
    record.flows.merge(m);
  }
  record.flows.merge(receiver_->metrics());
  record.reliable = messenger_->reliable();
  record.peers["ups"] += ups_;
  record.peers["downs"] += downs_;
  if (retransmissions_known_) {
    record.retransmitted.resize(retransmitted_.delivered.size());
    for (std::size_t i = 0; i < record.retransmitted.size(); ++i)
      record.retransmitted[i] += retransmitted_.delivered[i];
  }
  add_counts(record);
}

void agent::add_counts(run_record& record) const noexcept {
  for (std::size_t i = 0; i < stats_[1].size(); ++i) {
    const std::uint64_t before = i < stats_[0].size() ? stats_[0][i].second : 0;
    const auto& [key, after] = stats_[1][i];
    // A maximum is that of the whole run.
    add_stat(record.stats, key, key == "retry_max" ? after : after - before);
  }
  for (const auto& [name, count] : transport::counter_names)
    record.transport[name] += transport_[1].*count - transport_[0].*count;
}

}  // namespace mdp::scenario
