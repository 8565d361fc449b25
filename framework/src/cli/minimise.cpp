// minimise: of everything that a simulated network did to packets in a run that failed, the few
// things that suffice to make it fail.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>

#include "commands.hpp"
#include "mdp/scenario/runner.hpp"
#include "output.hpp"
#include "recorded_runs.hpp"
#include "trace/ddmin.hpp"

namespace mdp::cli {
namespace {

namespace fs = std::filesystem;
using scenario::json_value;
using transport::packet_fate;

constexpr std::size_t tests_max = 2000;

struct fault {
  std::string link;
  std::uint64_t packet = 0;
  packet_fate fate = packet_fate::lost;
  std::int64_t hold_ns = 0;
};

const char* word_of(packet_fate fate) {
  switch (fate) {
    case packet_fate::duplicated:
      return "duplicate";
    case packet_fate::damaged:
      return "damage";
    case packet_fate::held:
      return "hold";
    default:
      return "drop";
  }
}

std::string text_of(const fault& f) {
  std::string out = fmt::format("{}#{}={}", f.link, f.packet, word_of(f.fate));
  if (f.hold_ns != 0) out += fmt::format(":{:g}", static_cast<double>(f.hold_ns) / 1000);
  return out;
}

json_value network_of(const std::vector<fault>& faults) {
  json_value list = scenario::make_array();
  for (const fault& f : faults) {
    json_value one = scenario::make_object();
    one.set("link", scenario::make_string(f.link));
    one.set("packet", scenario::make_unsigned(f.packet));
    one.set("fate", scenario::make_string(word_of(f.fate)));
    if (f.hold_ns != 0) {
      one.set("hold_us", scenario::make_number(static_cast<double>(f.hold_ns) / 1000));
    }
    list.items.push_back(std::move(one));
  }
  json_value network = scenario::make_object();
  network.set("fates", list);
  network.set("only_fates", scenario::make_boolean(true));
  return network;
}

// Collects what a network does to packets beyond carrying them. What queues and MTUs drop is no
// fault: it follows from the rest.
class fault_collector final : public scenario::run_observer {
 public:
  explicit fault_collector(std::vector<fault>& out) : out_(out) {}
  void on_place(std::uint32_t place, std::string_view name) noexcept override {
    names_[place] = name;
  }
  void on_packet(const transport::packet_event& e, std::span<const std::byte>,
                 std::span<const buffer::slice>) noexcept override {
    const bool counts = e.fate == packet_fate::lost || e.fate == packet_fate::duplicated ||
                        e.fate == packet_fate::damaged || e.fate == packet_fate::held;
    if (counts) out_.push_back({names_[e.place], e.number, e.fate, e.arrive_ns - e.time_ns});
    if (counts && e.fate != packet_fate::held) out_.back().hold_ns = 0;
  }
  void on_end(const transport::fabric_facts&) override {}

 private:
  std::vector<fault>& out_;
  std::map<std::uint32_t, std::string> names_;
};

// How a run fails: with an error, or with assertions that do not hold.
struct failure {
  bool error = false;
  std::string expect;  // the first assertion that failed
};

failure failure_of(const scenario::point_result& result) {
  failure out{result.status == "failed", {}};
  if (out.error || result.asserts_passed) return out;
  const json_value document = parse_result(result.json, result.id);
  const json_value* asserts = document.find("asserts");
  for (const json_value& a : asserts->items) {
    const json_value* pass = a.find("pass");
    const json_value* expect = a.find("expect");
    if (pass != nullptr && expect != nullptr && !pass->boolean) {
      out.expect = expect->text;
      break;
    }
  }
  return out;
}

failure run_with(const recorded_run& run, const json_value& network,
                 const std::function<std::unique_ptr<scenario::run_observer>()>& observer,
                 const std::string& expect = {}) {
  scenario::scenario_spec spec = spec_of(run, config_of(run, network));
  if (!expect.empty()) {
    std::erase_if(spec.points[0].asserts,
                  [&](const scenario::assert_spec& a) { return a.expect != expect; });
  }
  scenario::run_callbacks callbacks;
  if (observer) {
    callbacks.observe = [&](const scenario::point_spec&, std::uint32_t, std::uint64_t) {
      return observer();
    };
  }
  const auto results = scenario::run_points(spec, callbacks, {});
  return failure_of(results.at(0));
}

void write_scenario(const fs::path& file, const recorded_run& run, const json_value& network) {
  json_value config = config_of(run, network);
  json_value once = config.find("run") == nullptr ? scenario::make_object() : *config.find("run");
  once.set("repetitions", scenario::make_unsigned(1));
  once.erase("repetitions_max");
  config.set("run", once);
  write_file_atomically(file, scenario::dump(config, 2) + "\n");
}

}  // namespace

int minimise(const minimise_arguments& arguments) {
  const result_set all = read_results({arguments.path});
  const std::vector<recorded_run> runs = recorded_runs(all, arguments.run);
  if (runs.size() != 1) {
    throw std::runtime_error(
        fmt::format("{} holds {} simulated runs; name one result file, and one run with --run",
                    arguments.path, runs.size()));
  }
  const recorded_run& run = runs.front();
  std::vector<fault> faults;
  const failure failed = run_with(run, scenario::make_object(),
                                  [&] { return std::make_unique<fault_collector>(faults); });
  if (!failed.error && failed.expect.empty()) {
    throw std::runtime_error("this run does not fail: there is nothing to minimise");
  }
  const auto fails = [&](const std::vector<fault>& subset) {
    const failure now = run_with(run, network_of(subset), {}, failed.expect);
    return failed.error ? now.error : now.expect == failed.expect;
  };
  if (!fails(faults)) {
    throw std::runtime_error(
        "with the same faults written down the run does not fail: its failure is not theirs");
  }
  const trace::minimised<fault> found = trace::ddmin<fault>(faults, fails, tests_max);
  const fs::path file = arguments.output.empty()
                            ? fs::path(run.file).parent_path() /
                                  fmt::format("{}.run{}.minimal.json", run.id, run.repetition)
                            : fs::path(arguments.output);
  write_scenario(file, run, network_of(found.items));
  fmt::print("{} {} run {}, seed {}: {}\n", run.scenario, run.id, run.repetition, run.seed,
             failed.error ? "the run fails" : "fails " + failed.expect);
  fmt::print("of {} faults {} ({} runs{})\n", faults.size(),
             found.items.empty() ? "none is needed: it fails without them"
                                 : fmt::format("{} suffice", found.items.size()),
             found.tests, found.minimal ? "" : "; gave up, fewer may suffice");
  for (const fault& f : found.items) fmt::print("  {}\n", text_of(f));
  say(fmt::format("scenario: {}\n", file.string()));
  return exit_pass;
}

}  // namespace mdp::cli
