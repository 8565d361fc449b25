#include "agent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "workload/payload.hpp"

namespace mdp::scenario {
namespace {

std::unique_ptr<messaging::messenger> make_messenger(const point_spec& point,
                                                     const std::string& name, std::uint64_t seed,
                                                     transport::fabric& fabric) {
  messaging::messenger_options options;
  options.fabric = &fabric;
  options.name = name;
  options.seed = seed;
  options.config = point.protocol.config;
  options.single_thread = point.protocol.single_thread;
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

workload::sender_options options_of(const flow_spec& flow, messaging::messenger& messenger,
                                    std::uint64_t seed) {
  workload::sender_options o;
  o.messenger = &messenger;
  o.sizes = flow.sizes;
  o.expects_reply = flow.pattern == flow_pattern::request_response;
  o.want = messenger.reliable() ? confirm_of(flow.confirm) : messaging::confirm::none;
  o.open_loop = flow.load.mode == load_mode::open;
  o.poisson = flow.load.arrival == arrivals::poisson;
  o.rate_per_s = flow.load.rate_per_s;
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
             std::uint64_t seed, transport::fabric& fabric)
    : point_(point),
      group_(group),
      seed_(seed),
      name_(fmt::format("{}-{}", group.name, index)),
      messenger_(make_messenger(point, name_, seed, fabric)),
      events_(512) {}

void agent::set_up(
    const std::vector<std::pair<std::string, std::vector<endpoint_address>>>& addresses) {
  const endpoint_address self = messenger_->local_address();
  workload::receiver_options receiving;
  receiving.messenger = messenger_.get();
  std::vector<endpoint_address> connected;
  for (const flow_spec& flow : point_.flows) {
    if (flow.to == group_.name && flow.pattern == flow_pattern::request_response) {
      receiving.replies = true;
      receiving.reply_bytes = flow.reply_bytes;
    }
    if (flow.from != group_.name) continue;
    // Messages carry a sequence but not their flow: two flows of one peer could not be told apart.
    const bool receives = std::any_of(point_.flows.begin(), point_.flows.end(),
                                      [&](const flow_spec& f) { return f.to == group_.name; });
    if (!senders_.empty() || receives)
      throw std::runtime_error(
          fmt::format("/flows: '{}' has more than one flow, or sends and "
                      "receives; give each flow a peer group of its own",
                      group_.name));
    auto options = options_of(flow, *messenger_, splitmix64(seed_ + senders_.size()));
    for (const auto& [group, members] : addresses) {
      if (group != flow.to) continue;
      for (const endpoint_address& to : members) {
        if (to == self) continue;
        const auto peer = messenger_->connect(to);
        if (!peer) throw std::runtime_error(name_ + ": " + peer.error());
        options.targets.push_back(*peer);
        if (std::find(connected.begin(), connected.end(), to) == connected.end())
          connected.push_back(to);
      }
    }
    if (options.targets.empty())
      throw std::runtime_error(
          fmt::format("/flows: '{}' has nobody to send to in '{}'", flow.from, flow.to));
    senders_.push_back(std::make_unique<workload::sender>(std::move(options)));
  }
  targets_ = connected.size();
  receiver_ = std::make_unique<workload::receiver>(receiving);
}

void agent::begin(const workload::phases& p) noexcept {
  running_ = true;
  for (auto& s : senders_) s->begin(p);
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
      if (lost_.empty()) lost_ = fmt::format("{} lost a peer: {}", name_, e.reason ? e.reason : "");
      break;
    case event_kind::message:
      // Replies come to the senders that ask for them, everything else to the receiver.
      if (!senders_.empty() && group_.name != point_.flows[0].to) {
        for (auto& s : senders_) s->on_event(e);
      } else {
        receiver_->on_event(e);
      }
      break;
    default:
      for (auto& s : senders_) s->on_event(e);
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
  for (auto& s : senders_) {
    s->finish(now);
    const workload::flow_metrics& m = s->metrics();
    record.per_sender.push_back(static_cast<double>(m.completed > 0 ? m.completed : m.sent));
    record.flows.merge(m);
  }
  receiver_->finish(now);
  record.flows.merge(receiver_->metrics());
  record.reliable = messenger_->reliable();
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
    std::uint64_t& sum = record.stats[key];
    // A maximum is no count: the largest of all, over the whole run.
    if (key == "retry_max")
      sum = std::max(sum, after);
    else
      sum += after - before;
  }
  for (const auto& [name, count] : transport::counter_names)
    record.transport[name] += transport_[1].*count - transport_[0].*count;
}

}  // namespace mdp::scenario
