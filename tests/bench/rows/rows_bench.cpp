// Runs the rows of the table of goals and prints it: each row's goal, what was reached with its
// interval, and the figures of both sides. Usage: rows_bench [--rounds N] [--seconds S] [--seed N]
// [--group TEXT] (a part of the group's name) [--senders N] (of the row n-to-1)
// [--one NAME] (no table: this measurement alone, to be profiled). Exit code 1: a
// measurement moved nothing at all.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>

#include "mdp/base/random.hpp"
#include "scenario/statistics.hpp"
#include "tests/bench/rows/row_table.hpp"

namespace {

using namespace mdp::bench;
using mdp::raw_bench::rate;

struct arguments {
  int rounds = 10;
  double seconds = 0.4;
  std::uint64_t seed = 1;  // of the order of measurements
  std::string group;
  std::size_t senders = 1000;
  std::string one;
};

std::optional<arguments> parse(int argc, char** argv) {
  arguments a;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) return std::nullopt;
    const std::string key = argv[i];
    if (key == "--rounds") {
      a.rounds = std::atoi(argv[i + 1]);
    } else if (key == "--seconds") {
      a.seconds = std::atof(argv[i + 1]);
    } else if (key == "--seed") {
      a.seed = std::strtoull(argv[i + 1], nullptr, 10);
    } else if (key == "--group") {
      a.group = argv[i + 1];
    } else if (key == "--one") {
      a.one = argv[i + 1];
    } else if (key == "--senders") {
      a.senders = std::strtoull(argv[i + 1], nullptr, 10);
    } else {
      return std::nullopt;
    }
  }
  if (a.rounds < 1 || a.senders < 1 || a.senders > 5000 || !(a.seconds > 0 && a.seconds <= 60))
    return std::nullopt;
  return a;
}

// rates[name][round]; a measurement that could not be made has a note and no rates.
struct collected {
  std::map<std::string, std::vector<rate>> rates;
  std::map<std::string, std::string> notes;
  int repeated = 0;   // runs that were thrown away and made again
  int disturbed = 0;  // runs that were kept though other work took part of their cpus
};

// Other work on the machine shows as processor time that spinning threads did not get.
rate undisturbed(const measurement& m, double seconds, int tries, collected& all) {
  constexpr double enough = 0.96;
  for (int i = 1;; ++i) {
    rate r = m.run(seconds);
    if (!m.spins || !r.note.empty() || r.cpu_seconds >= 2 * enough * seconds) return r;
    if (i == tries) {
      ++all.disturbed;
      return r;
    }
    ++all.repeated;
  }
}

collected measure(const group& g, const arguments& args, mdp::seeded_random& random) {
  const int tries = args.rounds > 1 ? 5 : 1;  // one round shows that a row works, not its figure
  collected all;
  for (int round = 0; round < args.rounds; ++round) {
    std::vector<const measurement*> order;
    for (const measurement& m : g.measurements) order.push_back(&m);
    for (std::size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[random.next() % i]);
    for (const measurement* m : order) {
      const rate r = undisturbed(*m, args.seconds, tries, all);
      if (r.note.empty()) {
        all.rates[m->name].push_back(r);
      } else {
        all.notes[m->name] = r.note;
      }
    }
  }
  for (const auto& [name, note] : all.notes) all.rates.erase(name);
  return all;
}

double value_of(const rate& r, figure of, std::size_t message_bytes) {
  switch (of) {
    case figure::rate:
      return r.per_second;
    case figure::gigabits:
      return r.per_second * static_cast<double>(message_bytes) * 8e-9;
    case figure::cost:
      return r.arrived > 0 ? r.cpu_seconds * 1e6 / static_cast<double>(r.arrived) : 0;
    case figure::p50:
      return r.p50_us;
    case figure::p99:
      return r.p99_us;
  }
  return 0;
}

std::string text_of(double value, figure of) {
  switch (of) {
    case figure::rate:
      return value >= 1e6 ? fmt::format("{:.2f} M/s", value / 1e6)
                          : fmt::format("{:.0f} k/s", value / 1e3);
    case figure::gigabits:
      return fmt::format("{:.1f} Gb/s", value);
    case figure::cost:
      return fmt::format("{:.3f} s", value);
    case figure::p50:
    case figure::p99:
      return fmt::format("{:.1f} us", value);
  }
  return {};
}

std::string goal_of(const row& r) {
  switch (r.asks) {
    case relation::ratio_at_least:
      return fmt::format(">= {:.2f} x", r.goal);
    case relation::ratio_at_most:
      return fmt::format("<= {:.2f} x", r.goal);
    case relation::difference_at_most:
      return fmt::format("<= +{}", text_of(r.goal, r.of));
    case relation::at_least:
      return fmt::format(">= {}", text_of(r.goal, r.of));
    case relation::shown:
      return "-";
  }
  return {};
}

bool meets(const row& r, double reached) {
  const bool at_least = r.asks == relation::ratio_at_least || r.asks == relation::at_least;
  return at_least ? reached >= r.goal : reached <= r.goal;
}

// One paired figure a round.
std::vector<double> paired(const row& r, const std::vector<double>& over,
                           const std::vector<double>& under) {
  std::vector<double> all;
  for (std::size_t i = 0; i < over.size(); ++i) {
    if (r.asks == relation::difference_at_most) {
      all.push_back(over[i] - under[i]);
    } else if (r.asks == relation::at_least) {
      all.push_back(over[i]);
    } else {
      all.push_back(under[i] > 0 ? over[i] / under[i] : 0);
    }
  }
  return all;
}

std::string reached_text(const row& r, const std::vector<double>& figures) {
  const auto show = [&](double v) {
    if (r.asks == relation::at_least) return text_of(v, r.of);
    return r.asks == relation::difference_at_most ? fmt::format("{:+.2f}", v)
                                                  : fmt::format("{:.2f}", v);
  };
  const auto interval = mdp::scenario::median_interval(figures);
  const std::string middle = show(mdp::scenario::median(figures));
  return interval
             ? fmt::format("{} [{}, {}]", middle, show(interval->first), show(interval->second))
             : middle;
}

void print_heading() {
  fmt::print("{:42} {:>12} {:>24} {:>6}  {}\n", "row", "goal", "reached [95 %]", "", "of");
}

void print_row(const group& g, const row& r, const collected& all) {
  for (const std::string& name : {r.numerator, r.denominator}) {
    if (const auto note = all.notes.find(name); note != all.notes.end()) {
      fmt::print("{:42} {:>12} {:>24} {:>6}  {}: {}\n", r.name, goal_of(r), "not measured", "",
                 name, note->second);
      return;
    }
  }
  const auto values = [&](const std::string& name) {
    std::vector<double> v;
    for (const rate& one : all.rates.at(name)) v.push_back(value_of(one, r.of, g.message_bytes));
    return v;
  };
  const auto over = values(r.numerator);
  const auto under = values(r.denominator);
  const auto figures = paired(r, over, under);
  const char* verdict = "";
  if (r.asks != relation::shown)
    verdict = meets(r, mdp::scenario::median(figures)) ? "pass" : "short";
  const std::string sides =
      r.numerator == r.denominator
          ? r.numerator
          : fmt::format("{} {} / {} {}", r.numerator, text_of(mdp::scenario::median(over), r.of),
                        r.denominator, text_of(mdp::scenario::median(under), r.of));
  fmt::print("{:42} {:>12} {:>24} {:>6}  {}\n", r.name, goal_of(r), reached_text(r, figures),
             verdict, sides);
}

// One measurement of a group, whose profile is then its own.
void run_one(const group& g, const arguments& args) {
  for (const measurement& m : g.measurements) {
    if (m.name != args.one) continue;
    for (int round = 0; round < args.rounds; ++round) {
      const rate r = m.run(args.seconds);
      fmt::print(
          "{}, {}: {}, {:.1f} Gb/s, {:.3f} CPU s a million, p50 {:.1f} us, p99 {:.1f} us{}\n",
          g.name, m.name, text_of(r.per_second, figure::rate),
          value_of(r, figure::gigabits, g.message_bytes),
          value_of(r, figure::cost, g.message_bytes), r.p50_us, r.p99_us, r.note);
    }
  }
}

bool nothing_moved(const group& g, const collected& all) {
  bool any = false;
  for (const auto& [name, rates] : all.rates)
    for (const rate& r : rates) {
      if (r.arrived > 0) continue;
      fmt::print(stderr, "rows_bench: {}: {} moved nothing\n", g.name, name);
      any = true;
    }
  return any;
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = parse(argc, argv);
  if (!args) {
    fmt::print(stderr,
               "usage: rows_bench [--rounds 1..] [--seconds 0..60] [--seed N] [--group TEXT] "
               "[--senders 1..5000] [--one NAME]\n");
    return 2;
  }
  if (!args->one.empty()) {
    for (const group& g : all_groups(args->senders))
      if (g.name.find(args->group) != std::string::npos) run_one(g, *args);
    return 0;
  }
  mdp::seeded_random random(args->seed);
  fmt::print("{} rounds of {} s, order by seed {}; ratios are paired in a round\n", args->rounds,
             args->seconds, args->seed);
  print_heading();
  bool failed = false;
  for (const group& g : all_groups(args->senders)) {
    if (g.name.find(args->group) == std::string::npos) continue;
    const collected all = measure(g, *args, random);
    for (const row& r : g.rows) print_row(g, r, all);
    if (all.repeated + all.disturbed > 0)
      fmt::print("  ({} runs repeated, {} kept that other work disturbed)\n", all.repeated,
                 all.disturbed);
    std::fflush(stdout);
    failed = nothing_moved(g, all) || failed;
  }
  return failed ? 1 : 0;
}
