// The five shapes of sending, each in one batched call: one message to one peer, one to many, many
// to one, many each to its own peer, many each to many. Three receivers in one process, over real
// sockets; every message is confirmed by the application that took it.
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/runtime/node.hpp"

namespace {

using namespace std::chrono_literals;
using mdp::messaging::event;
using mdp::messaging::event_kind;

using part = std::span<const std::byte>;

part part_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// Polls once; how many events of this kind came.
int count(mdp::node& node, event_kind kind) {
  std::array<event, 64> events;
  const std::size_t n = node.poll(events, node.now() + 1ms);
  int found = 0;
  for (std::size_t i = 0; i < n; ++i) found += events[i].kind == kind ? 1 : 0;
  return found;
}

class demonstration {
 public:
  explicit demonstration(const mdp::node_options& options) {
    sender_ = mdp::make_node(options);
    for (auto& receiver : receivers_) {
      receiver = mdp::make_node(options);
      peers_.push_back(*sender_->connect(receiver->local_address()));
    }
  }

  bool run() {
    const std::array parts{part_of("a message "), part_of("of two parts")};
    const std::array other{part_of("another")};
    const std::span<const mdp::peer_id> all(peers_);
    const mdp::submission one_to_one{all.first(1), parts, confirmed_};
    const mdp::submission one_to_many{all, parts, confirmed_};
    const mdp::submission to_second{all.subspan(1, 1), other, confirmed_};
    const mdp::submission many_to_many{all, other, confirmed_};
    return send("one to one", {one_to_one}) && send("one to many", {one_to_many}) &&
           send("many to one", {one_to_one, one_to_one, one_to_one}) &&
           send("many, each to its own", {one_to_one, to_second}) &&
           send("many, each to many", {one_to_many, many_to_many});
  }

 private:
  bool send(const char* shape, const std::vector<mdp::submission>& items) {
    std::vector<mdp::submit_result> results(16, mdp::submit_result(mdp::message_id{}));
    const std::size_t n = sender_->submit_batch(items, results);
    for (std::size_t i = 0; i < n; ++i) {
      if (results[i]) continue;
      std::fprintf(stderr, "%s: refused: %s\n", shape,
                   mdp::messaging::to_string(results[i].error()));
      return false;
    }
    int delivered = 0;
    const auto give_up = sender_->now() + 5s;
    while (delivered < static_cast<int>(n) && sender_->now() < give_up) {
      for (auto& receiver : receivers_) count(*receiver, event_kind::message);
      delivered += count(*sender_, event_kind::delivered);
    }
    std::printf("%s: %d of %zu delivered\n", shape, delivered, n);
    return delivered == static_cast<int>(n);
  }

  const mdp::messaging::send_options confirmed_{.want = mdp::messaging::confirm::delivered};
  std::unique_ptr<mdp::node> sender_;
  std::array<std::unique_ptr<mdp::node>, 3> receivers_;
  std::vector<mdp::peer_id> peers_;
};

}  // namespace

int main() {
  try {
    const auto fabric = mdp::plugin::create_fabric("socket", "{}", {MDP_PLUGINS});
    mdp::node_options options;
    options.fabric = fabric.get();
    options.local = *mdp::parse_endpoint_address("127.0.0.1:0");
    return demonstration(options).run() ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "shapes: %s\n", e.what());
    return 1;
  }
}
