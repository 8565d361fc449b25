// replay: runs simulated results again and names the first event that differs.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>

#include "commands.hpp"
#include "mdp/scenario/runner.hpp"
#include "output.hpp"
#include "recorded_runs.hpp"
#include "trace/replay_check.hpp"

namespace mdp::cli {
namespace {

namespace fs = std::filesystem;
using scenario::json_value;

// "client-0/up#17=drop" or "client-0/up#18=hold:40000" as an object of network.fates.
json_value parse_fate(const std::string& text) {
  const std::size_t hash = text.rfind('#');
  const std::size_t equals = text.find('=', hash == std::string::npos ? 0 : hash);
  if (hash == std::string::npos || equals == std::string::npos || hash == 0) {
    throw scenario::scenario_error(
        fmt::format("--fate {}: must be LINK#PACKET=FATE, for example client-0/up#17=drop", text));
  }
  const std::string number = text.substr(hash + 1, equals - hash - 1);
  const std::string fate = text.substr(equals + 1);
  const std::size_t colon = fate.find(':');
  json_value out = scenario::make_object();
  out.set("link", scenario::make_string(text.substr(0, hash)));
  out.set("packet", scenario::parse_json(number, "--fate " + text));
  out.set("fate", scenario::make_string(fate.substr(0, colon)));
  if (colon != std::string::npos) {
    out.set("hold_us", scenario::parse_json(fate.substr(colon + 1), "--fate " + text));
  }
  return out;
}

// Those of the recorded scenario, and these.
json_value network_with(const recorded_run& run, const std::vector<std::string>& fates) {
  json_value network = scenario::make_object();
  if (fates.empty()) return network;
  const json_value* recorded = run.result->at("config", "network", "fates");
  json_value all = recorded == nullptr ? scenario::make_array() : *recorded;
  for (const std::string& fate : fates) all.items.push_back(parse_fate(fate));
  network.set("fates", all);
  return network;
}

// What one replay found.
struct outcome {
  std::string digest;
  std::uint64_t same = 0;
  std::optional<trace::difference> difference;
  std::string error;
};

// Keeps what the check found beyond the end of the run.
class checking_observer final : public scenario::run_observer {
 public:
  checking_observer(const fs::path& log, outcome& out) : out_(out) {
    if (!log.empty()) check_.emplace(log.string());
  }
  void on_place(std::uint32_t place, std::string_view name) noexcept override {
    if (check_) check_->on_place(place, name);
  }
  void on_packet(const transport::packet_event& event, std::span<const std::byte> first,
                 std::span<const buffer::slice> rest) noexcept override {
    if (check_) check_->on_packet(event, first, rest);
  }
  void on_end(const transport::fabric_facts& facts) override {
    for (const auto& [name, value] : facts) {
      if (name == "digest") out_.digest = value;
    }
    if (!check_) return;
    check_->close();
    out_.same = check_->same();
    out_.difference = check_->first_difference();
  }

 private:
  outcome& out_;
  std::optional<trace::replay_check> check_;
};

outcome run_again(const recorded_run& run, const std::vector<std::string>& fates) {
  const scenario::scenario_spec spec = spec_of(run, config_of(run, network_with(run, fates)));
  outcome out;
  scenario::run_callbacks callbacks;
  callbacks.observe = [&](const scenario::point_spec&, std::uint32_t, std::uint64_t) {
    return std::make_unique<checking_observer>(run.log, out);
  };
  const auto results = scenario::run_points(spec, callbacks, {});
  for (const scenario::point_result& r : results) {
    for (const std::string& reason : r.reasons) {
      if (r.status == "failed") out.error = reason;
    }
  }
  return out;
}

std::string describe(const recorded_run& run, const outcome& found) {
  std::string out =
      fmt::format("{} {} run {}, seed {}: ", run.scenario, run.id, run.repetition, run.seed);
  if (found.digest == run.digest && !found.difference) {
    const std::string records =
        run.log.empty() ? "not traced" : fmt::format("{} records of its log", found.same);
    return out + fmt::format("the same: digest {}, {}\n", run.digest, records);
  }
  out += fmt::format("DIFFERENT: recorded digest {}, now {}\n", run.digest, found.digest);
  if (!found.difference) {
    return out + (run.log.empty()
                      ? "  run it with --trace events: then a replay names the first difference\n"
                      : "  although its log is the same: the result is of another run\n");
  }
  const trace::difference& d = *found.difference;
  for (const std::string& line : d.before) out += fmt::format("  the same     {}\n", line);
  return out + fmt::format("  first difference, record {}:\n  recorded     {}\n  now          {}\n",
                           d.number, d.recorded, d.now);
}

}  // namespace

int replay(const replay_arguments& arguments) {
  const result_set all = read_results(arguments.paths);
  for (const std::string& line : all.damaged) say(fmt::format("mdp: left out: {}\n", line));
  const std::vector<recorded_run> runs = recorded_runs(all, arguments.run);
  int code = all.damaged.empty() ? exit_pass : exit_run_failed;
  for (const recorded_run& run : runs) {
    if (run.version != MDP_VERSION) {
      say(fmt::format("mdp: {} was recorded by version {}, this is {}\n", run.id, run.version,
                      MDP_VERSION));
    }
    const outcome found = run_again(run, arguments.fates);
    if (!found.error.empty()) {
      say(fmt::format("mdp: {}: {}\n", run.id, found.error));
      code = exit_run_failed;
      continue;
    }
    fmt::print("{}", describe(run, found));
    const bool same = found.digest == run.digest && !found.difference;
    if (!same && code == exit_pass) code = exit_gate_failed;
  }
  return code;
}

}  // namespace mdp::cli
