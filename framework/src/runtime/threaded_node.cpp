#include "threaded_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace mdp::runtime {
namespace {

using messaging::refusal;

// Between two looks at whether everything has its end.
constexpr duration idle_check = std::chrono::microseconds(500);

void check(const node_options& options) {
  if (!options.fabric) throw std::runtime_error("a node needs a fabric");
  const thread_plan& plan = options.threads;
  const std::string name = to_string(plan);
  if (options.fabric->caps().virtual_time)
    throw std::runtime_error(
        fmt::format("threads: '{}' needs real time; a simulated network runs with 'inline'", name));
  if (plan.shards < 1 || plan.shards > shards_max)
    throw std::runtime_error(
        fmt::format("threads: {} shards are outside 1 .. {}", plan.shards, shards_max));
  const bool shares = plan.layout != thread_layout::single &&
                      (plan.layout != thread_layout::sharded || plan.shards > 1);
  if (shares && !options.fabric->caps().shares_port)
    throw std::runtime_error(
        fmt::format("threads: this transport cannot share a port between threads as '{}' needs; "
                    "'inline' and 'single' run on every one",
                    name));
}

// A shard's part of what is bounded for the whole node.
node_options share_of(node_options options, std::size_t count) {
  const auto part = [count](double& whole) {
    whole = std::max(1.0, static_cast<double>(static_cast<std::uint64_t>(whole) / count));
  };
  part(options.config.max_peers);
  part(options.config.resets_per_second);
  if (options.config.max_half_open > 0) part(options.config.max_half_open);
  return options;
}

}  // namespace

threaded_node::threaded_node(const node_options& options) : spin_(options.spin) {
  check(options);
  start(options, options.threads.layout == thread_layout::sharded ? options.threads.shards : 1);
}

// What was not polled still holds memory of the shards.
threaded_node::~threaded_node() {
  for (shard* s : shards_) s->ask_for([s](inline_node&) { s->fall_silent(); });
  messaging::event dropped[64];
  while (events_.take(dropped) > 0) {
  }
  for (messaging::event& e : dropped) e.payload.reset();
  threads_.clear();
}

void threaded_node::start(const node_options& options, std::size_t count) {
  node_options own = share_of(options, count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto make = [&] {
      const shard_place place{static_cast<unsigned>(i), static_cast<unsigned>(count)};
      auto made = std::make_unique<shard>(own, place, events_);
      shards_.push_back(made.get());
      return made;
    };
    threads_.push_back(
        std::make_unique<agent_thread>(thread_of(options.threads, i, "mdp-node"), make));
    // A port that the system chose is every shard's.
    own.local = shards_.front()->locals().front();
    for (std::size_t j = 0; j < own.more_locals.size(); ++j)
      own.more_locals[j] = shards_.front()->locals()[j + 1];
    if (own.seed != 0) ++own.seed;
  }
}

shard& threaded_node::owner_of(const endpoint_address& peer) const noexcept {
  return *shards_[transport::sharer_of(peer, static_cast<std::uint32_t>(shards_.size()))];
}

result<message_id, refusal> threaded_node::submit(peer_id to, std::span<const std::byte> payload,
                                                  const messaging::send_options& options) noexcept {
  shard& owner = owner_of(to);
  return owner.submit(owner.place().inner(to), {{&payload, 1}, payload.size(), nullptr}, options);
}

result<message_id, refusal> threaded_node::submit_zero_copy(
    peer_id to, const buffer::slice& payload, const messaging::send_options& options) noexcept {
  shard& owner = owner_of(to);
  const std::span<const std::byte> bytes = payload.bytes();
  return owner.submit(owner.place().inner(to), {{&bytes, 1}, bytes.size(), &payload}, options);
}

std::size_t threaded_node::submit_batch(std::span<const submission> items,
                                        std::span<submit_result> results) noexcept {
  std::size_t written = 0;
  for (const submission& item : items) {
    engine::payload_parts message{item.parts};
    for (const auto& part : item.parts) message.bytes += part.size();
    for (const peer_id to : item.to) {
      if (written == results.size()) return written;
      shard& owner = owner_of(to);
      results[written++] = owner.submit(owner.place().inner(to), message, item.options);
    }
  }
  return written;
}

std::size_t threaded_node::poll(std::span<messaging::event> out, time_point deadline) noexcept {
  if (out.empty()) return 0;
  const time_point spin_until = now() + spin_;
  for (;;) {
    const std::size_t n = events_.take(out);
    std::uint64_t answering = 0;  // by shard
    for (const messaging::event& e : out.first(n))
      if (owner_of(e.peer).on_taken(e))
        answering |= std::uint64_t{1} << shard_of(e.peer, shards_.size());
    for (; answering != 0; answering &= answering - 1)  // confirmations wait for nothing
      shards_[static_cast<std::size_t>(std::countr_zero(answering))]->wake();
    const time_point time = now();
    if (n > 0 || time >= deadline) return n;
    if (time >= spin_until) events_.sleep(deadline - time);
  }
}

result<void, refusal> threaded_node::wait_writable(peer_id to, std::size_t bytes,
                                                   time_point deadline) noexcept {
  if (bytes > message_bytes_max()) return failure(refusal::too_large);
  shard& owner = owner_of(to);
  return owner.wait_writable(owner.place().inner(to), deadline);
}

result<void, refusal> threaded_node::answer(peer_id from, message_id id, bool accepted) noexcept {
  shard& owner = owner_of(from);
  return owner.answer(owner.place().inner(from), id, accepted);
}

bool threaded_node::idle() const noexcept {
  return std::all_of(shards_.begin(), shards_.end(),
                     [](shard* s) { return s->ask([&](inline_node&) { return s->idle(); }); });
}

bool threaded_node::shutdown(time_point deadline) noexcept {
  for (shard* s : shards_) s->close();
  while (!idle() && now() < deadline)
    std::this_thread::sleep_for(std::min<duration>(idle_check, deadline - now()));
  bool clean = true;
  for (shard* s : shards_) clean = s->ask([&](inline_node&) { return s->finish(); }) && clean;
  return clean;
}

}  // namespace mdp::runtime
