// Nodes of one fabric, on real sockets or in the simulator, run until something is true.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/runtime/node.hpp"

namespace mdp::test {

struct node_variant {
  const char* plugin;
  const char* threads;  // "inline", "sharded:2"

  [[nodiscard]] bool is_inline() const { return std::string_view(threads) == "inline"; }
};

[[nodiscard]] inline std::string name_of(const node_variant& v) {
  std::string name = std::string(v.plugin) + "_" + v.threads;
  std::erase(name, ':');
  return name;
}

class node_world {
 public:
  // Throws plugin::plugin_error when the plugin cannot be used here.
  explicit node_world(const node_variant& v)
      : fabric_(plugin::create_fabric(
            v.plugin,
            std::string(v.plugin) == "netsim"
                ? R"({"seed": 7, "links": {"default": {"rate_mbps": 1000, "delay_us": 100}}})"
                : "{}",
            {MDP_PLUGIN_DIR})),
        threads_(*parse_thread_plan(v.threads)) {}
  // Over a decorator of the plugin's fabric.
  using decorate =
      std::function<std::shared_ptr<transport::fabric>(std::shared_ptr<transport::fabric>)>;
  node_world(const node_variant& v, const decorate& around) : node_world(v) {
    fabric_ = around(fabric_);
  }

  [[nodiscard]] node& add(node_options options = {}) {
    options.fabric = fabric_.get();
    options.threads = threads_;
    options.seed = (nodes_.size() + 1) * 1000;  // each thread of a node has its own after it
    nodes_.push_back(make_node(options));
    events_.emplace_back();
    return *nodes_.back();
  }
  // The node is gone at once, as a process that was killed.
  void kill(const node& n) {
    for (auto& e : events_of(n)) e.payload.reset();
    for (auto& own : nodes_)
      if (own.get() == &n) own.reset();
  }
  // Nodes that are not polled behave as an application that is busy elsewhere. A node in the
  // simulator or of the inline layout stands still meanwhile.
  void pause(const node& n, bool paused = true) { paused_ = paused ? &n : nullptr; }

  // Everything that a node reported so far.
  [[nodiscard]] std::vector<messaging::event>& events_of(const node& n) {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i].get() == &n) return events_[i];
    return events_.front();
  }
  [[nodiscard]] std::size_t count(const node& n, messaging::event_kind kind) {
    std::size_t total = 0;
    for (const auto& e : events_of(n)) total += e.kind == kind;
    return total;
  }
  // False: `limit` (of the fabric's time) went by first.
  [[nodiscard]] bool run_until(const std::function<bool()>& done,
                               duration limit = std::chrono::seconds(10)) {
    const time_point end = any().now() + limit;
    while (!done()) {
      if (any().now() >= end) return done();
      if (fabric_->caps().virtual_time) {
        for (std::size_t i = 0; i < nodes_.size(); ++i) poll(i, never);
        if (fabric_->advance(end) < 0 && any().now() < end) return done();
      } else {
        for (std::size_t i = 0; i < nodes_.size(); ++i)
          if (nodes_[i]) poll(i, nodes_[i]->now() + std::chrono::microseconds(100));
      }
    }
    return true;
  }
  void run_for(duration d) {
    const time_point end = any().now() + d;
    static_cast<void>(run_until([&] { return any().now() >= end; }, d));
  }

 private:
  [[nodiscard]] node& any() {
    for (auto& n : nodes_)
      if (n) return *n;
    return *nodes_.front();
  }
  void poll(std::size_t i, time_point deadline) {
    if (!nodes_[i] || nodes_[i].get() == paused_) return;
    messaging::event out[64];
    for (std::size_t n = 64; n == 64;) {
      n = nodes_[i]->poll(out, deadline);
      for (std::size_t e = 0; e < n; ++e) events_[i].push_back(std::move(out[e]));
    }
  }

  std::shared_ptr<transport::fabric> fabric_;
  thread_plan threads_;
  std::vector<std::unique_ptr<node>> nodes_;
  std::vector<std::vector<messaging::event>>
      events_;  // gone before the nodes whose memory they hold
  const node* paused_ = nullptr;
};

}  // namespace mdp::test
