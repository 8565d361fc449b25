// Nodes that connect, part, blacklist, move, restart and go dark at random: whatever happens, every
// message ends, the application's picture of its peers is right, and nothing is held for nobody.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "forgery.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;

class crowd {
 public:
  explicit crowd(std::uint64_t seed)
      : random_(seed ^ 0xc0de), net_({3ms, 4ms, 0.05, 0.05, 0.01, seed}) {
    for (std::uint64_t i = 0; i < 4; ++i) {
      engine::config settings = random_.next() % 2 == 0 ? keyed(seed + i) : engine::config{};
      settings.max_half_open = static_cast<std::uint32_t>(random_.next() % 3);
      settings.peer_timeout = 3s;
      members_.push_back({&net_.add(settings), {}, {}});
    }
    net_.filter = [this](const engine_node&, std::span<const std::byte>) { return !dark_; };
  }

  void act() {
    member& m = any();
    const endpoint_address other = any().node->address;
    if (other == m.node->address) return;
    engine::endpoint& engine = *m.node->engine;
    switch (random_.next() % 16) {
      case 0:
      case 1:
        static_cast<void>(engine.connect(net_.now(), other));
        break;
      case 2:
        if (const auto id = engine.find(other)) static_cast<void>(engine.disconnect(*id));
        break;
      case 3:
        if (random_.next() % 4 == 0) engine.blacklist(net_.now(), other);
        break;
      case 4:
        engine.unblacklist(other);
        break;
      case 5:
        if (random_.next() % 4 == 0) restart(m);
        break;
      case 6:
        if (random_.next() % 2 == 0) ++m.node->address.port;
        break;
      case 7:
        dark_ = random_.next() % 4 == 0;
        break;
      case 8:
        watch(m);
        break;
      case 9:
        net_.run_for(duration(static_cast<std::int64_t>(random_.next() % 4'000'000'000)));
        break;
      case 10:
      case 11:
      case 12:
        net_.run_for(duration(static_cast<std::int64_t>(random_.next() % 30'000'000)));
        break;
      default:
        if (const auto id = engine.find(other))
          if (send(net_, *m.node, *id, sent_, random_.next() % 5000)) m.waiting.insert(sent_++);
    }
  }

  void settle_and_check() {
    dark_ = false;
    for (member& m : members_)
      for (const member& o : members_) m.node->engine->unblacklist(o.node->address);
    net_.run_for(30s);
    // Who is waited for where nobody is any more waits until the application gives it up.
    std::vector<engine::peer_info> infos;
    for (member& m : members_) {
      infos.clear();
      m.node->engine->list_peers(engine::peer_filter::all, infos);
      for (const engine::peer_info& info : infos) {
        if (info.active) continue;
        m.node->engine->blacklist(net_.now(), info.address);
        m.node->engine->unblacklist(info.address);
      }
    }
    net_.run_for(30s);
    for (member& m : members_) check(m);
    for (member& m : members_) {
      infos.clear();
      m.node->engine->list_peers(engine::peer_filter::connected, infos);
      for (const engine::peer_info& info : infos) EXPECT_TRUE(m.node->engine->disconnect(info.id));
    }
    net_.run_for(30s);
    for (member& m : members_) {
      EXPECT_EQ(m.node->engine->peer_count(), 0u) << "unpinned and silent";
      EXPECT_TRUE(m.node->all_blocks_home());
      // One peer_down for each peer_up; attempts that were never up end in one, too.
      const auto& downs = m.node->app.downs;
      const auto early = std::count_if(downs.begin(), downs.end(), [](const std::string& reason) {
        return reason == "no answer" || reason == "blacklisted";
      });
      EXPECT_LE(m.node->app.ups, static_cast<std::ptrdiff_t>(downs.size()));
      EXPECT_GE(m.node->app.ups, static_cast<std::ptrdiff_t>(downs.size()) - early);
    }
  }

 private:
  struct member {
    engine_node* node;
    std::set<std::uint64_t> waiting;       // submitted in this life
    std::map<std::uint32_t, bool> active;  // as peer_changes() told
  };

  member& any() { return members_[random_.next() % members_.size()]; }

  void restart(member& m) {
    m.node->restart();
    m.node->app = {};
    m.waiting.clear();
    m.active.clear();
  }

  void watch(member& m) {
    std::vector<engine::peer_change> changes;
    m.node->engine->peer_changes(changes);
    for (const engine::peer_change& change : changes) {
      if (change.active) {
        EXPECT_TRUE(m.active.emplace(change.id.value, true).second) << "told twice";
      } else {
        EXPECT_EQ(m.active.erase(change.id.value), 1u) << "was not active";
      }
    }
  }

  void check(member& m) {
    const application& app = m.node->app;
    std::set<std::uint64_t> ended;
    for (const auto* list : {&app.delivered, &app.unknown})
      for (const std::uint64_t context : *list)
        EXPECT_TRUE(ended.insert(context).second) << "ended twice: " << context;
    EXPECT_TRUE(std::includes(ended.begin(), ended.end(), m.waiting.begin(), m.waiting.end()))
        << m.waiting.size() << " submitted, " << ended.size() << " ended";
    watch(m);
    std::vector<engine::peer_info> infos;
    m.node->engine->list_peers(engine::peer_filter::active, infos);
    EXPECT_EQ(infos.size(), m.active.size());
    for (const engine::peer_info& info : infos) EXPECT_TRUE(m.active.contains(info.id.value));
    EXPECT_TRUE(m.node->engine->idle());
  }

  seeded_random random_;
  engine_network net_;
  std::vector<member> members_;
  std::uint64_t sent_ = 0;
  bool dark_ = false;
};

// R-SESS-6, R-SESS-7, R-SESS-10, R-LIVE-2
TEST(churn, every_message_ends_and_nothing_is_held_for_nobody) {
  over_seeds(200, [](std::uint64_t seed) {
    crowd all(seed);
    for (int step = 0; step < 200; ++step) all.act();
    all.settle_and_check();
  });
}

}  // namespace
}  // namespace mdp::test
