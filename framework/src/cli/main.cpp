// `mdp`: parses the command line (the only file that includes CLI11) and maps every error to an
// exit code.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "commands.hpp"
#include "documents.hpp"
#include "manual.hpp"
#include "output.hpp"
#include "trace_files.hpp"

namespace mdp::cli {
namespace {

constexpr const char* examples = R"(Examples:
  mdp run scenarios/quickstart.json
  mdp run scenarios/lossy_wan.json --set run.measure_s=10 -o results/wan
  mdp run scenarios/quickstart.json --transport socket --dry-run
  mdp compare results/before results/after
  mdp list transports

Exit codes: 0 pass; 1 an assertion of the scenario failed; 2 usage or scenario error;
3 a run failed; 4 inconclusive; 130 interrupted (what was measured is kept).)";

void add_load_options(CLI::App* command, load_arguments& load) {
  command->add_option("--set", load.set, "Override a value: path=value (repeatable)")
      ->allow_extra_args(false)
      ->type_name("PATH=VALUE");
  command->add_option("--transport", load.transports, "Use or compare these transports: a,b")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME[,NAME]");
  command->add_option("--seed", load.seed, "Seed of every random decision")
      ->check([](const std::string& text) -> std::string {
        const bool digits =
            !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
        errno = 0;
        if (digits) static_cast<void>(std::strtoull(text.c_str(), nullptr, 10));
        return digits && errno == 0 ? "" : fmt::format("{} is not a whole number of 64 bits", text);
      })
      ->type_name("N");
}

void add_format_option(CLI::App* command, std::string& format) {
  command->add_option("--format", format, "What stdout gets: text, json, csv, hgrm or gbench")
      ->check(CLI::IsMember(document_formats))
      ->type_name("FORMAT");
}

CLI::App* add_run(CLI::App& app, run_arguments& a) {
  CLI::App* c = app.add_subcommand("run", "Run scenarios, write results and one report");
  c->add_option("FILE", a.files, "Scenario files, - for standard input")->required();
  add_load_options(c, a.load);
  c->add_option("-o,--output", a.output_dir, "Where results go; default results/<name>-<time>")
      ->type_name("DIR");
  add_format_option(c, a.format);
  c->add_flag("--resume", a.resume, "Keep points that lie in DIR, measured whole by this build");
  c->add_flag("--replace", a.replace, "Remove results of other points from DIR");
  c->add_flag("--dry-run", a.dry_run, "Only list the points that would run");
  c->add_flag("!--no-report", a.report, "Write no report.html and no plots");
  c->add_flag("--quiet", a.quiet, "No progress on stderr");
  c->add_option("--threads", a.threads, "Simulate on so many threads; results stay the same")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
  c->add_option("--partitions", a.partitions,
                "Cut the simulated network into so many parts; default: 2 a thread")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  c->add_option("--trace", a.trace, "Write what every packet of a simulation met, for mdp replay")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember(trace_kinds))
      ->type_name("KIND[,KIND]");
  c->footer("Example: mdp run scenarios/quickstart.json --set run.measure_s=1 -o results/quick");
  return c;
}

CLI::App* add_replay(CLI::App& app, replay_arguments& a) {
  CLI::App* c = app.add_subcommand(
      "replay", "Run simulated results again and name the first event that differs");
  c->add_option("RESULTS", a.paths, "Directories or result files")->required();
  c->add_option("--run", a.run, "Only this repetition, from 0")->type_name("N");
  c->add_option("--fate", a.fates,
                "Change what becomes of a packet: see network.fates (repeatable)")
      ->allow_extra_args(false)
      ->type_name("LINK#PACKET=FATE");
  c->footer("Example: mdp replay results/wan --fate client-0/up#17=drop");
  return c;
}

CLI::App* add_relay(CLI::App& app, relay_arguments& a) {
  CLI::App* c = app.add_subcommand(
      "relay", "Put a scenario's simulated network between UDP programs, in real time");
  c->add_option("FILE", a.file, "Scenario file with a network")->required();
  add_load_options(c, a.load);
  c->add_option("--listen", a.listen, "Where clients send; port 0: any, and it says which")
      ->type_name("ADDRESS:PORT");
  c->add_option("--to", a.target, "Where their datagrams go")
      ->required()
      ->type_name("ADDRESS:PORT");
  c->add_option("--seconds", a.seconds, "End by itself after so long")
      ->check(CLI::Range(0.001, 1e9))
      ->type_name("S");
  c->add_option("--late-us", a.late_us, "Fail (exit 1) when 0.1 % went on later than this; 5000")
      ->check(CLI::Range(1.0, 1e9))
      ->type_name("US");
  c->footer(
      "Example: mdp relay scenarios/lossy_wan.json --listen 127.0.0.1:9000 --to 127.0.0.1:9001");
  return c;
}

CLI::App* add_minimise(CLI::App& app, minimise_arguments& a) {
  CLI::App* c = app.add_subcommand(
      "minimise",
      "Find the few dropped, delayed or damaged packets that make a simulated run fail");
  c->add_option("RESULT", a.path, "Directory or result file with one run that fails")->required();
  c->add_option("--run", a.run, "This repetition, from 0")->type_name("N");
  c->add_option("-o,--output", a.output, "Scenario to write; default: <point>.run<k>.minimal.json")
      ->type_name("FILE");
  c->footer("Example: mdp minimise results/wan/0123456789ab.json");
  return c;
}

CLI::App* add_compare(CLI::App& app, compare_arguments& a) {
  CLI::App* c = app.add_subcommand(
      "compare", "Compare results: two directories, or the values of a variable within one");
  c->add_option("RESULTS", a.paths, "Directory or result file (baseline first)")
      ->required()
      ->expected(1, 2);
  c->add_option("--var", a.var, "Variable to compare; default: as the scenario says");
  c->add_option("--baseline", a.baseline, "Its value to compare with");
  c->add_option("--min-effect-pct", a.min_effect_pct, "Smaller differences are not reported")
      ->check(CLI::Range(0.0, 100.0))
      ->type_name("PCT");
  c->add_flag("--gate", a.gate, "Exit 1 when something is worse, 4 when that cannot be told");
  c->footer("Example: mdp compare results/before results/after --gate");
  return c;
}

CLI::App* add_report(CLI::App& app, report_arguments& a) {
  CLI::App* c = app.add_subcommand("report", "Write plots and one HTML page from results");
  c->add_option("RESULTS", a.paths, "Directories or result files")->required();
  c->add_option("-o,--output", a.output_dir, "Where the report goes; default: the first directory")
      ->type_name("DIR");
  c->add_option("--title", a.title, "Title of the page");
  add_format_option(c, a.format);
  c->add_flag("--console", a.console, "Also draw the plots with characters, on stdout");
  c->footer("Example: mdp report results/quick");
  return c;
}

CLI::App* add_list(CLI::App& app, list_arguments& a) {
  CLI::App* c = app.add_subcommand("list", "List transports, scenarios, protocols, schema, config");
  c->add_option("WHAT", a.what, "transports, scenarios, protocols, schema or config")
      ->required()
      ->check(CLI::IsMember({"transports", "scenarios", "protocols", "schema", "config"}));
  c->add_option("--dir", a.directory, "Folder of the scenarios")->type_name("DIR");
  c->add_option("--format", a.format, "text or markdown")
      ->check(CLI::IsMember({"text", "markdown"}))
      ->type_name("FORMAT");
  c->footer("Example: mdp list transports");
  return c;
}

// The words between braces of CLI11's "FORMAT:{text,json}".
std::vector<std::string> choices_in(const std::string& type) {
  std::vector<std::string> out;
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return out;
  for (std::size_t at = open + 1; at < close;) {
    const std::size_t end = std::min(type.find(',', at), close);
    out.push_back(type.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

option_help help_of(const CLI::Option& o) {
  option_help out;
  for (const std::string& name : o.get_snames()) out.names.push_back("-" + name);
  for (const std::string& name : o.get_lnames()) out.names.push_back("--" + name);
  if (out.names.empty()) out.names.push_back(o.get_name());
  const std::string type = o.get_type_name();
  if (o.get_items_expected_max() > 0) out.value = type.substr(0, type.find(':'));
  out.description = o.get_description();
  out.choices = choices_in(type);
  return out;
}

std::vector<command_help> help_of(const CLI::App& app) {
  std::vector<command_help> out;
  for (const CLI::App* c : app.get_subcommands([](const CLI::App*) { return true; })) {
    command_help help{c->get_name(), c->get_description(), c->get_footer(), {}};
    for (const CLI::Option* o : c->get_options()) help.options.push_back(help_of(*o));
    out.push_back(std::move(help));
  }
  return out;
}

// Adds a hint for a mistyped option to CLI11's message.
std::string explain(const CLI::App& app, const CLI::ParseError& error,
                    const std::vector<std::string>& words) {
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::vector<std::string> options;
  for (const CLI::App* c : app.get_subcommands()) {
    for (const CLI::Option* o : c->get_options()) {
      for (const std::string& name : o->get_lnames()) options.push_back("--" + name);
    }
  }
  for (const std::string& word : words) {
    const std::string name = word.substr(0, word.find('='));
    if (!name.starts_with("--") || name.size() < 3) continue;
    if (std::find(options.begin(), options.end(), name) != options.end()) continue;
    const std::string hint = scenario::did_you_mean(name, options);
    if (!hint.empty()) return fmt::format("unknown option {}{}", name, hint);
  }
  return text;
}

int usage_error(const std::string& message) {
  say(fmt::format("mdp: {}; see `mdp --help`\n", message));
  return exit_usage;
}

// What the command line can say, and what it says to do.
struct command_line {
  run_arguments run_args;
  replay_arguments replay_args;
  relay_arguments relay_args;
  minimise_arguments minimise_args;
  compare_arguments compare_args;
  report_arguments report_args;
  list_arguments list_args;
  load_arguments load;
  std::vector<std::string> validate_files;
  bool print_schema = false;
  std::string file;  // of expand, init, events
  std::string shell;
  std::function<int()> chosen;
};

void chooses(CLI::App* command, command_line& line, std::function<int()> action) {
  command->callback([&line, action = std::move(action)] { line.chosen = action; });
}

int validate_or_print_schema(const command_line& line) {
  if (line.print_schema) {
    list_arguments schema;
    schema.what = "schema";
    return list(schema);
  }
  if (line.validate_files.empty()) return usage_error("validate needs a FILE");
  return validate(line.validate_files, line.load);
}

void add_file_commands(CLI::App& app, command_line& line) {
  CLI::App* c = app.add_subcommand("validate", "Check scenario files; runs nothing");
  c->add_option("FILE", line.validate_files, "Scenario files, - for standard input");
  c->add_flag("--schema", line.print_schema, "Print the JSON Schema of scenario files");
  add_load_options(c, line.load);
  c->footer("Example: mdp validate scenarios/quickstart.json");
  chooses(c, line, [&line] { return validate_or_print_schema(line); });
  c = app.add_subcommand("expand", "Print every point of a scenario in full");
  c->add_option("FILE", line.file, "Scenario file, - for standard input")->required();
  add_load_options(c, line.load);
  c->footer("Example: mdp expand scenarios/quickstart.json --set vars.size=1200");
  chooses(c, line, [&line] { return expand(line.file, line.load); });
  c = app.add_subcommand("init", "Write a commented scenario to begin with");
  c->add_option("FILE", line.file, "Scenario file to write; default: standard output");
  c->footer("Example: mdp init first.json");
  chooses(c, line, [&line] { return init(line.file.empty() ? "-" : line.file); });
  c = app.add_subcommand("events", "Print an event log of a simulation as CSV");
  c->add_option("FILE", line.file, "A log that run --trace wrote")->required();
  c->footer("Example: mdp events results/wan/0123456789ab.run0.events");
  chooses(c, line, [&line] { return print_events(line.file); });
}

void add_help_commands(CLI::App& app, command_line& line) {
  CLI::App* c =
      app.add_subcommand("doctor", "Say what this machine can and cannot do, and how to mend it");
  c->footer("Example: mdp doctor");
  chooses(c, line, [] { return doctor(); });
  c = app.add_subcommand("completion", "Print a shell's completion script");
  c->add_option("SHELL", line.shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  c->footer("Example: source <(mdp completion bash)");
  chooses(c, line, [&line, &app] {
    fmt::print("{}",
               line.shell == "bash" ? bash_completion(help_of(app)) : zsh_completion(help_of(app)));
    return exit_pass;
  });
  c = app.add_subcommand("worker", "One of the processes of a run; only mdp run starts it");
  c->footer("Example: \"processes\": 1 in a group of peers, see docs/scenarios.md");
  chooses(c, line, [] { return worker(); });
  c = app.add_subcommand("manual", "Print the manual page, for man(1)");
  c->footer("Example: mdp manual | man -l -");
  chooses(c, line, [&app] {
    fmt::print("{}", manual_page(help_of(app), app.get_description(), examples, MDP_VERSION));
    return exit_pass;
  });
}

void add_commands(CLI::App& app, command_line& line) {
  chooses(add_run(app, line.run_args), line, [&line] { return run(line.run_args); });
  chooses(add_replay(app, line.replay_args), line, [&line] { return replay(line.replay_args); });
  chooses(add_minimise(app, line.minimise_args), line,
          [&line] { return minimise(line.minimise_args); });
  chooses(add_relay(app, line.relay_args), line, [&line] { return relay(line.relay_args); });
  chooses(add_compare(app, line.compare_args), line,
          [&line] { return compare(line.compare_args); });
  chooses(add_report(app, line.report_args), line, [&line] { return report(line.report_args); });
  chooses(add_list(app, line.list_args), line, [&line] { return list(line.list_args); });
  add_file_commands(app, line);
  add_help_commands(app, line);
}

int dispatch(int argc, char** argv) {
  CLI::App app{"MDP: measures reliable, parallel messages over any datagram transport", "mdp"};
  app.footer(examples);
  app.set_version_flag("--version", "mdp " MDP_VERSION);
  app.require_subcommand(1);
  command_line line;
  add_commands(app, line);
  std::vector<std::string> command_names;
  for (const command_help& c : help_of(app)) command_names.push_back(c.name);
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && !words[0].starts_with("-") &&
      std::find(command_names.begin(), command_names.end(), words[0]) == command_names.end()) {
    const std::string hint = scenario::did_you_mean(words[0], command_names);
    return usage_error(fmt::format("there is no command \"{}\"{}", words[0], hint));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    return usage_error(explain(app, e, words));
  }
  return line.chosen();
}

// A standard stream that the caller closed would lend its number to the next file opened, and
// messages would end up in a result. Opened the wrong way round, so that using it is an error.
void occupy_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    if (::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd) return;
  }
}

// Whoever read the output, such as head, has what it wanted: no fault of anyone.
bool reader_has_gone() {
  pollfd output{STDOUT_FILENO, 0, 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

int output_failed() {
  if (reader_has_gone()) return exit_pass;
  say("mdp: cannot write to standard output\n");
  return exit_run_failed;
}

}  // namespace
}  // namespace mdp::cli

int main(int argc, char** argv) {
#ifdef __GLIBC__
  // Simulated peers reserve more than they use, some 22 large allocations each. Beyond 65,536 the
  // C library would take them from a heap that it clears, page by page.
  ::mallopt(M_MMAP_MAX, INT_MAX);
#endif
  mdp::cli::occupy_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a write error, not a sudden death
  try {
    const int code = mdp::cli::dispatch(argc, argv);
    const bool flushed = std::fflush(stdout) == 0;
    if ((!flushed || std::ferror(stdout) != 0) && code == mdp::cli::exit_pass)
      return mdp::cli::output_failed();
    return code;
  } catch (const std::exception& e) {
    if (std::ferror(stdout) != 0) return mdp::cli::output_failed();
    mdp::cli::say(fmt::format("mdp: {}\n", e.what()));
    return mdp::cli::exit_usage;
  }
}
