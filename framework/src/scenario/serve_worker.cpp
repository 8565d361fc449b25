// The process that runs a part of a repetition: what it is told, and what it tells.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "frames.hpp"
#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/scenario/loader.hpp"
#include "mdp/scenario/worker.hpp"
#include "record_text.hpp"
#include "repetition.hpp"
#include "share_run.hpp"

namespace mdp::scenario {
namespace {

using json = nlohmann::json;

// The other processes, heard of through the one that started us. A thread of its own listens, so
// that a run that hangs ends too when nobody is left who wants it.
class coordinator_link final : public other_processes {
 public:
  coordinator_link(int socket, frame_reader reader) : socket_(socket), reader_(std::move(reader)) {
    listener_ = std::thread([this] { listen(); });
  }
  ~coordinator_link() override {
    ::shutdown(socket_, SHUT_RD);
    listener_.join();
  }

  void tell(const json& message) {
    const std::lock_guard lock(sending_);
    send_frame(socket_, message.dump());
  }
  void exchange(group_addresses& addresses) override {
    json own = json::array();
    for (const auto& [group, members] : addresses) {
      own.push_back(json::array());
      for (const endpoint_address& a : members) own.back().push_back(to_string(a));
    }
    tell({{"kind", "bound"}, {"addresses", own}});
    const json all = wait_for("addresses").at("addresses");
    for (std::size_t g = 0; g < addresses.size(); ++g)
      for (std::size_t i = 0; i < addresses[g].second.size(); ++i)
        addresses[g].second[i] = *parse_endpoint_address(all.at(g).at(i).get<std::string>());
  }
  void reached(stage s) override { tell({{"kind", s == stage::connected ? "connected" : "done"}}); }
  [[nodiscard]] bool all_reached(stage s) const noexcept override { return all_ >= s; }
  [[nodiscard]] time_point start(time_point) override {
    return at_ns(wait_for("start").at("start_ns").get<std::int64_t>());
  }
  // Until the one that started us closes its end.
  void wait_for_end() {
    std::unique_lock lock(mutex_);
    heard_.wait(lock, [&] { return ended_; });
  }
  // The measurement is over: what ends now needs no hurry.
  void measured() noexcept { measured_ = true; }

 private:
  [[nodiscard]] json wait_for(const std::string& kind) {
    std::unique_lock lock(mutex_);
    heard_.wait(lock, [&] { return ended_ || last_.value("kind", "") == kind; });
    if (ended_) throw std::runtime_error("nobody waits for this run");
    return last_;
  }
  void listen() {
    while (reader_.read(socket_, true))
      while (const auto text = reader_.next()) hear(json::parse(*text));
    // Whoever wanted the run is gone, and some thread may hang.
    if (!measured_) ::_exit(worker_abandoned);
    const std::lock_guard lock(mutex_);
    ended_ = true;
    heard_.notify_all();
  }
  void hear(json message) {
    const std::lock_guard lock(mutex_);
    last_ = std::move(message);
    const std::string kind = last_.value("kind", "");
    if (kind == "start") all_ = stage::connected;
    if (kind == "stop") all_ = stage::done;
    heard_.notify_all();
  }

  int socket_;
  frame_reader reader_;
  std::mutex sending_;
  std::mutex mutex_;
  std::condition_variable heard_;
  json last_ = json::object();
  bool ended_ = false;
  std::atomic<bool> measured_{false};
  std::atomic<stage> all_{stage::none};
  std::thread listener_;
};

// Its peers live until everybody has measured, and until our failure is told: who goes first would
// look dead to the others.
class part_of_run {
 public:
  void execute(const json& part, const load_options& options, coordinator_link& link) {
    scenario_ = load_expanded(parse_json(part.at("config").get<std::string>(), "part of a run"),
                              "part of a run", options);
    const point_spec& point = scenario_.points.at(0);
    const std::uint64_t seed = part.at("seed");
    fabric_ = plugin::create_fabric(point.transport.plugin, transport_options(point, seed),
                                    part.at("plugin_directories"));
    run_ = std::make_unique<process_run>(
        point, seed, plan_processes(point).of_process(part.at("process")), *fabric_, link, nullptr);
    run_record record;
    run_->execute(record);
    for (const auto& [name, value] : fabric_->facts()) record.facts[name] = value;
    link.measured();
    link.tell({{"kind", "result"}, {"record", write_record(record)}});
    link.wait_for_end();
  }

 private:
  scenario_spec scenario_;
  std::shared_ptr<transport::fabric> fabric_;
  std::unique_ptr<process_run> run_;
};

}  // namespace

int serve_worker(int socket, const load_options& options) {
  // A stopped process does not notice that its connection has closed; the kernel does.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  frame_reader reader;
  std::optional<std::string> text;
  while (!(text = reader.next()))
    if (!reader.read(socket, true)) return worker_abandoned;
  coordinator_link link(socket, std::move(reader));
  part_of_run part;
  try {
    part.execute(json::parse(*text), options, link);
    return 0;
  } catch (const std::exception& e) {
    link.measured();
    link.tell({{"kind", "error"}, {"why", e.what()}});
    return worker_failed;
  }
}

}  // namespace mdp::scenario
