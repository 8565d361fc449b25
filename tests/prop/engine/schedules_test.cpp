// Random schedules of API calls and faults between two engines, against what was promised:
// a message reported delivered was confirmed by the peer's application exactly once; what is
// unknown is never claimed; received means that the peer's stack had all of it; nothing stays
// unresolved; nothing leaks. Faults: loss, duplication, reordering, corruption, blackouts, restarts
// of the receiver.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/engine_pair.hpp"
#include "tests/support/seeds.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;

class schedule_run {
 public:
  explicit schedule_run(std::uint64_t seed) : random_(seed), net_(options(seed)) {
    settings_.max_enqueued_messages = 64;
    settings_.receive_window_messages = 48;
    settings_.receive_window_bytes = 400'000;
    settings_.max_message_bytes = 200'000;
    settings_.peer_timeout = 3s;
    settings_.connect_timeout = 5min;
    a_ = &net_.add(settings_);
    b_ = &net_.add(settings_);
    b_->app.polls = false;  // this test is b's application
    net_.filter = [this](const engine_node&, std::span<const std::byte>) { return !dark_; };
    peer_ = *a_->engine->connect(net_.now(), b_->address);
  }

  void play(int steps) {
    for (int i = 0; i < steps; ++i) act();
    // The network heals and the application confirms everything: all must be resolved.
    dark_ = false;
    net_.options().loss = net_.options().corrupt = 0;
    const bool all = net_.run_until(
        [this] {
          take_at_b();
          while (!held_.empty()) confirm_one();
          return resolved() == wanted_.size();
        },
        2min);
    EXPECT_TRUE(all) << wanted_.size() - resolved() << " messages stay unresolved";
    check();
  }

 private:
  struct held {
    peer_id from;
    message_id id;
    std::uint64_t serial;
  };

  static network_options options(std::uint64_t seed) {
    seeded_random r(seed ^ 0x5eed);
    const auto share = [&](double most) {
      return most * static_cast<double>(r.next() % 100) / 100;
    };
    return {1ms + duration(static_cast<std::int64_t>(r.next() % 20'000'000)),
            duration(static_cast<std::int64_t>(r.next() % 10'000'000)),
            share(0.3),
            share(0.2),
            share(0.05),
            seed};
  }

  void act() {
    switch (random_.next() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        submit();
        break;
      case 5:
      case 6:
      case 7:
        take_at_b();
        break;
      case 8:
      case 9:
        if (!held_.empty()) confirm_one();
        break;
      case 10:
        if (random_.next() % 8 == 0) dark_ = !dark_;
        break;
      case 11:
        if (random_.next() % 40 == 0) restart_b();
        break;
      default:
        net_.run_for(duration(static_cast<std::int64_t>(random_.next() % 40'000'000)));
    }
  }

  void submit() {
    const std::uint64_t serial = submitted_;
    const std::uint64_t shape = random_.next() % 10;
    std::string text(shape < 7 ? 8 + shape * 30 : 8 + random_.next() % 60'000, 'x');
    std::memcpy(text.data(), &serial, 8);
    const auto wants = static_cast<std::uint8_t>(random_.next() % 4);
    if (!a_->engine->submit(net_.now(), peer_, bytes_of(text), {wants, serial})) return;
    ++submitted_;
    if (wants != 0) wanted_[serial] = wants;
  }

  void take_at_b() {
    engine::event events[16];
    const std::size_t n = b_->engine->poll_events(std::span(events, 1 + random_.next() % 16));
    for (std::size_t i = 0; i < n; ++i) {
      if (events[i].kind != engine::event_kind::message) continue;
      std::uint64_t serial = 0;
      ASSERT_GE(events[i].payload.size(), 8u);
      std::memcpy(&serial, events[i].payload.data(), 8);
      EXPECT_TRUE(taken_.insert(serial).second || restarts_ > 0) << "delivered twice: " << serial;
      if (events[i].confirm) held_.push_back({events[i].peer, events[i].id, serial});
    }
  }

  void confirm_one() {
    const std::size_t i = random_.next() % held_.size();
    b_->engine->confirm(held_[i].from, held_[i].id);
    confirmed_.insert(held_[i].serial);
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
  }

  void restart_b() {
    ++restarts_;
    held_.clear();
    b_->engine = std::make_unique<engine::endpoint>(settings_,
                                                    engine::engine_memory{b_->blocks, b_->control},
                                                    engine::train_limits{}, b_->random);
  }

  [[nodiscard]] std::size_t resolved() const {
    std::set<std::uint64_t> done(a_->app.unknown.begin(), a_->app.unknown.end());
    for (const std::uint64_t serial : a_->app.delivered) done.insert(serial);
    for (const std::uint64_t serial : a_->app.received)
      if ((wanted_.at(serial) & engine::want_delivered) == 0) done.insert(serial);
    return done.size();
  }

  void check() {
    const auto& app = a_->app;
    std::set<std::uint64_t> delivered;
    for (const std::uint64_t serial : app.delivered) {
      EXPECT_TRUE(delivered.insert(serial).second) << "reported delivered twice";
      EXPECT_TRUE(confirmed_.contains(serial)) << "false delivered: " << serial;
    }
    const std::set<std::uint64_t> unknown(app.unknown.begin(), app.unknown.end());
    EXPECT_EQ(unknown.size(), app.unknown.size()) << "reported unknown twice";
    for (const std::uint64_t serial : unknown)
      EXPECT_FALSE(delivered.contains(serial)) << "both delivered and unknown: " << serial;
    if (app.downs.empty()) {
      EXPECT_TRUE(unknown.empty()) << "unknown without a lost session";
    }
    // Without confirmation wanted, messages of the last session may still be on their way.
    net_.run_for(30s);
    take_at_b();
    EXPECT_EQ(a_->control.available(), a_->control.block_count());
  }

  seeded_random random_;
  engine_network net_;
  engine::config settings_;
  engine_node* a_ = nullptr;
  engine_node* b_ = nullptr;
  peer_id peer_{};
  bool dark_ = false;
  int restarts_ = 0;
  std::uint64_t submitted_ = 0;
  std::map<std::uint64_t, std::uint8_t> wanted_;
  std::set<std::uint64_t> taken_;
  std::set<std::uint64_t> confirmed_;
  std::vector<held> held_;
};

TEST(schedules, keep_every_promise) {
  over_seeds(1000, [](std::uint64_t seed) {
    schedule_run run(seed);
    run.play(400);
  });
}

}  // namespace
}  // namespace mdp::test
