"""Drives the real `mdp`: exit codes, stdout and stderr, schemas, whole runs."""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

MDP = ""
SOURCE = ""
SKIPPED = 77


def mdp(*arguments, text_in=None, env=None, cwd=None):
    return subprocess.run([MDP, *arguments], input=text_in, capture_output=True, text=True,
                          timeout=250, env=env, cwd=cwd)


def scenario_files():
    folder = os.path.join(SOURCE, "scenarios")
    return [os.path.join(folder, f) for f in sorted(os.listdir(folder))
            if f.endswith(".json") and not f.endswith(".schema.json")]


def without_comments(text):
    return re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda m: m.group(1) or " ", text,
                  flags=re.S)


class Commands(unittest.TestCase):
    def check(self, result, code, stderr_has=None):
        self.assertEqual(result.returncode, code, result.stderr + result.stdout)
        if stderr_has is not None:
            self.assertIn(stderr_has, result.stderr)

    def test_help_and_version_go_to_stdout(self):
        for arguments in (["--help"], ["validate", "--help"], ["--version"]):
            result = mdp(*arguments)
            self.check(result, 0)
            self.assertTrue(result.stdout)
            self.assertEqual(result.stderr, "")
        self.assertIn("Exit codes:", mdp("--help").stdout)
        self.assertIn("Example: mdp validate", mdp("validate", "--help").stdout)

    def test_usage_errors_are_one_line_on_stderr_and_exit_2(self):
        for arguments, expected in ((["rnu"], 'did you mean "run"?'),
                                    (["validate", "--sett", "x=1"], 'did you mean "--set"?'),
                                    ([], "ubcommand"), (["list", "everything"], "everything"),
                                    (["validate"], "FILE"), (["list"], "WHAT"),
                                    (["validate", "--seed", "x", "f"], "seed")):
            result = mdp(*arguments)
            self.check(result, 2, expected)
            self.assertEqual(result.stdout, "", arguments)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_the_manual_page_is_current_and_sound(self):
        manual = mdp("manual")
        self.check(manual, 0)
        with open(os.path.join(SOURCE, "docs/mdp.1")) as f:
            self.assertEqual(f.read(), manual.stdout, "run: mdp manual > docs/mdp.1")
        for command in ("run", "compare", "report", "list", "validate", "expand"):
            self.assertIn(f".SS {command}\n", manual.stdout)
        if shutil.which("groff"):
            page = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=manual.stdout,
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(page.stderr, "")
            plain = re.sub(".\b", "", page.stdout)  # bold is a letter struck twice
            self.assertIn("--resume", plain.replace("\u2010", "-").replace("\u2212", "-"))

    def test_init_writes_a_valid_scenario_and_overwrites_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "first.json")
            self.check(mdp("init", path), 0, "mdp run")
            checked = mdp("validate", path)
            self.check(checked, 0)
            self.assertIn("2 points", checked.stdout)
            with open(path) as f:
                self.assertEqual(f.read(), mdp("init").stdout)
            self.check(mdp("init", path), 2, "exists already")

    def test_doctor_names_transports_and_what_to_mend(self):
        examined = mdp("doctor")
        self.check(examined, 0)
        self.assertIn("ok    transport socket", examined.stdout)
        without = mdp("doctor", env=dict(os.environ, PATH="/nowhere"))
        self.assertIn("mend  reports have no plots; gnuplot is not installed", without.stdout)

    def test_the_shells_complete_commands_options_and_values(self):
        def completed(*words):
            script = mdp("completion", "bash").stdout + (
                f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}\n"
                '_mdp; printf "%s\\n" "${COMPREPLY[@]}"\n')
            result = subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                                    timeout=60, cwd="/")
            self.assertEqual(result.stderr, "")
            return set(result.stdout.split())

        self.assertEqual(completed("mdp", "rep"), {"replay", "report"})
        self.assertIn("--resume", completed("mdp", "run", "--re"))
        self.assertIn("gbench", completed("mdp", "run", "--format", "g"))
        self.assertIn("transports", completed("mdp", "list", "tr"))
        zsh = mdp("completion", "zsh").stdout
        self.assertTrue(zsh.startswith("#compdef mdp\n"))
        self.assertIn("--resume[", zsh)
        if shutil.which("zsh"):
            subprocess.run(["zsh", "-n"], input=zsh, text=True, check=True, timeout=60)

    def test_a_missing_file_is_named(self):
        self.check(mdp("validate", "/nowhere/x.json"), 2, "/nowhere/x.json: cannot open")
        self.check(mdp("expand", SOURCE), 2, "is it a regular file?")

    def test_every_shipped_scenario_is_valid_and_expands_to_json(self):
        for path in scenario_files():
            with self.subTest(path):
                result = mdp("validate", path)
                self.check(result, 0)
                self.assertEqual(result.stderr, "")
                if "a base for others" in result.stdout:
                    continue
                expanded = mdp("expand", path)
                self.check(expanded, 0)
                points = json.loads(expanded.stdout)
                self.assertGreaterEqual(len(points), 1)
                self.assertNotIn("${", expanded.stdout)

    def test_standard_input(self):
        result = mdp("validate", "-", text_in='{"schema": "mdp-scenario/1",\n "flow": 1}')
        self.check(result, 2, '<stdin>:2:2: /flow: unknown key "flow"; did you mean "flows"?')

    def test_the_simulator_itself_is_asked_before_anything_runs(self):
        text = """{"schema": "mdp-scenario/1", "name": "cut", "description": "Two islands",
 "transports": {"default": {"plugin": "netsim"}},
 "network": {"links": {"wire": {}}, "topology": {"shape": "graph",
  "trunks": [{"from": "a", "to": "b", "link": "wire"}, {"from": "c", "to": "d", "link": "wire"}]}},
 "peers": {"client": {}, "server": {}},
 "flows": [{"from": "client", "to": "server", "pattern": "stream", "size_bytes": 64,
  "load": {"mode": "closed", "in_flight": 1}}]}"""
        for command in (["validate"], ["run", "--no-report", "-o", "/nowhere"]):
            self.check(mdp(*command, "-", text_in=text), 2,
                       "<stdin>:4:13: /network/topology/trunks: no route from a to c")

    def test_a_broken_file_does_not_hide_the_others(self):
        good = os.path.join(SOURCE, "scenarios/base.json")
        result = mdp("validate", "/nowhere.json", good)
        self.check(result, 2, "/nowhere.json")
        self.assertIn("base.json: ok", result.stdout)

    def test_lists(self):
        self.assertIn("socket", mdp("list", "transports").stdout)
        self.assertIn("quickstart.json", mdp("list", "scenarios").stdout)
        self.assertIn("raw", mdp("list", "protocols").stdout)
        self.assertIn("peer_timeout_ms", mdp("list", "config").stdout)
        table = mdp("list", "scenarios", "--format", "markdown").stdout.splitlines()
        self.assertEqual({line.count("|") for line in table}, {5})

    def test_the_table_in_the_readme_is_current(self):
        with open(os.path.join(SOURCE, "scenarios/README.md")) as f:
            text = f.read()
        table = mdp("list", "scenarios", "--dir", os.path.join(SOURCE, "scenarios"), "--format",
                    "markdown").stdout
        self.assertIn(table, text)

    def test_a_full_disk_is_noticed_on_stdout(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([MDP, "list", "schema"], stdout=full, stderr=subprocess.PIPE,
                                    text=True, timeout=60)
        self.assertEqual(result.returncode, 3)
        self.assertIn("cannot write to standard output", result.stderr)

    def test_without_plugins_the_path_searched_is_shown(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "mdp")
            with open(MDP, "rb") as source, open(copy, "wb") as target:
                target.write(source.read())
            os.chmod(copy, 0o755)
            environment = dict(os.environ)
            environment.pop("MDP_PLUGIN_PATH", None)
            result = subprocess.run([copy, "list", "transports"], capture_output=True, text=True,
                                    timeout=60, env=environment)
            self.assertEqual(result.returncode, 2)
            self.assertIn("looked in", result.stderr)

    def test_schema_is_the_published_one(self):
        with open(os.path.join(SOURCE, "scenarios/mdp-scenario-1.schema.json")) as f:
            published = f.read()
        self.assertEqual(mdp("list", "schema").stdout, published)
        self.assertEqual(mdp("validate", "--schema").stdout, published)


class Schema(unittest.TestCase):
    def setUp(self):
        try:
            import jsonschema
        except ImportError:
            print("SKIPPED: python3-jsonschema is not installed")
            sys.exit(SKIPPED)
        with open(os.path.join(SOURCE, "scenarios/mdp-scenario-1.schema.json")) as f:
            schema = json.load(f)
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)

    def read(self, path):
        with open(path) as f:
            return json.loads(without_comments(f.read()))

    def test_every_shipped_scenario_validates(self):
        for path in scenario_files():
            with self.subTest(path):
                errors = [e.message for e in self.validator.iter_errors(self.read(path))]
                self.assertEqual(errors, [])

    def test_the_structurally_broken_are_refused_by_both(self):
        folder = os.path.join(SOURCE, "tests/golden/scenario")
        checked = 0
        with open(os.path.join(folder, "expected.txt")) as f:
            for line in f:
                kind, name = line.split()[:2]
                path = os.path.join(folder, "broken", name + ".json")
                with self.subTest(name):
                    self.assertEqual(mdp("validate", path).returncode, 2)
                    if kind == "schema":
                        self.assertFalse(self.validator.is_valid(self.read(path)))
                        checked += 1
        self.assertGreaterEqual(checked, 15)

    def test_every_key_is_described(self):
        with open(os.path.join(SOURCE, "docs/scenarios.md")) as f:
            text = f.read()

        def keys(node):
            for name, child in node.get("properties", {}).items():
                yield name
                yield from keys(child)
            for below in ("items", "additionalProperties"):
                if isinstance(node.get(below), dict):
                    yield from keys(node[below])

        missing = [k for k in keys(self.validator.schema) if f"`{k}`" not in text]
        self.assertEqual(missing, [])

    def test_the_example_of_the_documentation_is_valid(self):
        with open(os.path.join(SOURCE, "docs/scenarios.md")) as f:
            example = re.search(r"```json\n(.*?)```", f.read(), re.S).group(1)
        result = mdp("validate", "-", text_in=example)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_the_good_one_is_accepted_by_the_schema(self):
        good = os.path.join(SOURCE, "tests/golden/scenario/good.json")
        self.assertTrue(self.validator.is_valid(self.read(good)))


class Results(unittest.TestCase):
    def test_folders_without_results_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            for arguments in (["report", folder], ["compare", folder]):
                result = mdp(*arguments)
                self.assertEqual(result.returncode, 2)
                self.assertIn("no results here", result.stderr)
                self.assertEqual(result.stdout, "")
            with open(os.path.join(folder, "x.json"), "w") as f:
                f.write('{"schema": "mdp-result/1", "runs": [')
            result = mdp("report", folder)
            self.assertEqual(result.returncode, 2)
            self.assertIn("x.json:1:", result.stderr)

    def test_a_damaged_file_is_named_and_the_others_are_used(self):
        with tempfile.TemporaryDirectory() as folder:
            good = os.path.join(folder, "good")
            self.made_up(good, [100, 101])
            for name, text in (("cut.json", '{"schema": "mdp-result/1", "runs": ['),
                               ("odd.json", '{"schema": "mdp-result/1", "runs": 7}')):
                with open(os.path.join(good, name), "w") as f:
                    f.write(text)
            for arguments in (["report", good], ["compare", good, good]):
                result = mdp(*arguments)
                self.assertEqual(result.returncode, 3, result.stderr)
                self.assertIn("left out: " + os.path.join(good, "cut.json") + ":1:", result.stderr)
                self.assertIn("left out: " + os.path.join(good, "odd.json"), result.stderr)
                self.assertIn("s", result.stdout)
            self.assertTrue(os.path.exists(os.path.join(good, "report.html")))

    def test_the_report_honours_what_the_scenario_asked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(SOURCE, "tests/golden/reports/lossy-wan.json")
            with open(source) as f:
                document = json.load(f)
            document["report"] = {"percentiles": [50, 75], "plots": ["percentiles"]}
            with open(os.path.join(folder, "0123456789ab.json"), "w") as f:
                json.dump(document, f)
            self.assertEqual(mdp("report", folder).returncode, 0)
            kinds = {f for f in os.listdir(os.path.join(folder, "plots")) if f.endswith(".gp")}
            self.assertEqual({f.split("-")[-1] for f in kinds}, {"percentiles.gp"})
            with open(os.path.join(folder, "report.html")) as f:
                page = f.read()
            self.assertTrue("p75 µs" in page and "p99.99 µs" not in page)

    def made_up(self, folder, rates):
        os.makedirs(folder)
        runs = [{"index": i, "messages": {"rate_per_s": r}} for i, r in enumerate(rates)]
        with open(os.path.join(folder, "a.json"), "w") as f:
            json.dump({"schema": "mdp-result/1", "scenario": "s", "id": "a", "point": {},
                       "config": {}, "runs": runs}, f)

    def test_the_exit_code_of_a_gate_says_what_the_comparison_found(self):
        with tempfile.TemporaryDirectory() as folder:
            before, faster, slower, few = (os.path.join(folder, n) for n in "bfsx")
            self.made_up(before, [100, 101, 99, 100.5, 102, 98, 100.2, 99.7])
            self.made_up(faster, [150, 151, 149, 150.5, 152, 148, 150.2, 149.7])
            self.made_up(slower, [80, 81, 79, 80.5, 82, 78, 80.2, 79.7])
            self.made_up(few, [80, 81, 79])
            for other, code, word in ((before, 0, "identical"), (faster, 0, "better"),
                                      (slower, 1, "worse"), (few, 4, "too few pairs")):
                gated = mdp("compare", before, other, "--gate")
                self.assertEqual(gated.returncode, code, gated.stdout + gated.stderr)
                self.assertIn(word, gated.stdout)
                self.assertEqual(mdp("compare", before, other).returncode, 0)


class Measured(unittest.TestCase):
    """Runs into a folder that goes with the class, and reads what they wrote."""

    SHORT = ["--set", "run.warmup_s=0.1", "--set", "run.measure_s=0.3", "--set", "run.drain_s=1",
             "--set", "run.repetitions=1"]

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.quick = os.path.join(SOURCE, "scenarios/quickstart.json")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def out(self, name):
        return os.path.join(self.folder.name, name)

    def results(self, name):
        folder = self.out(name)
        documents = []
        for f in sorted(os.listdir(folder)):
            if f.endswith(".json"):
                with open(os.path.join(folder, f)) as text:
                    documents.append(json.load(text))
        return documents

    def check_result_schema(self, documents):
        try:
            import jsonschema
        except ImportError:
            return
        with open(os.path.join(SOURCE, "scenarios/mdp-result-1.schema.json")) as f:
            validator = jsonschema.Draft202012Validator(json.load(f))
        for document in documents:
            errors = [f"{list(e.path)}: {e.message}" for e in validator.iter_errors(document)]
            self.assertEqual(errors, [])


class Library(Measured):
    def test_every_scenario_runs_and_its_results_validate(self):
        for path in scenario_files():
            name = os.path.basename(path)
            if "a base for others" in mdp("validate", path).stdout:
                continue
            with self.subTest(name):
                length = [] if "network" in open(path).read() else self.SHORT
                run = mdp("run", path, *length, "--no-report", "-o", self.out(name))
                self.assertEqual(run.returncode, 0, run.stderr + run.stdout)
                documents = self.results(name)
                points = json.loads(mdp("expand", path, *length).stdout)
                searches = '"search"' in open(path).read()  # then each trial is a result
                self.assertGreaterEqual(len(documents), len(points))
                self.assertTrue(searches or len(documents) == len(points))
                for document in documents:
                    self.assertEqual(document["status"], "ok", document["reasons"])
                self.check_result_schema(documents)
                self.assertTrue(os.path.exists(os.path.join(self.out(name), "results.csv")))


class Run(Measured):
    def test_stdout_is_only_the_document(self):
        for form in ("json", "csv", "hgrm"):
            run = mdp("run", self.quick, *self.SHORT, "--transport", "socket", "--format", form,
                      "--no-report", "-o", self.out("doc-" + form))
            self.assertEqual(run.returncode, 0, run.stderr)
            if form == "json":
                self.assertEqual({d["schema"] for d in json.loads(run.stdout)}, {"mdp-result/1"})
            elif form == "csv":
                self.assertIn(",", run.stdout.splitlines()[0])
            else:
                self.assertIn("Percentile", run.stdout.splitlines()[0])
            self.assertIn("results: ", run.stderr)
            self.assertNotIn("\x1b", run.stdout + run.stderr)

    def test_dry_run_writes_nothing(self):
        run = mdp("run", self.quick, "--dry-run", "-o", self.out("dry"))
        self.assertEqual(run.returncode, 0)
        self.assertIn("quickstart: 4 points", run.stdout)
        self.assertFalse(os.path.exists(self.out("dry")))

    def test_a_failed_gate_is_exit_1(self):
        run = mdp("run", self.quick, *self.SHORT, "--transport", "socket", "--no-report",
                  "--set", 'assert=[{"expect": "messages.rate_per_s >= 1e12"}]',
                  "-o", self.out("gate"))
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn("an assertion failed", run.stderr)

    def test_a_failed_run_is_exit_3_and_its_result_is_kept(self):
        run = mdp("run", self.quick, *self.SHORT, "--transport", "socket", "--no-report",
                  "--set", "transports.default.bind=192.0.2.1:0", "-o", self.out("failed"))
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertEqual({d["status"] for d in self.results("failed")}, {"failed"})
        self.check_result_schema(self.results("failed"))

    def test_an_unwritable_folder_is_refused_before_anything_runs(self):
        blocker = self.out("a-file")
        with open(blocker, "w") as f:
            f.write("x")
        start = time.monotonic()
        run = mdp("run", self.quick, "-o", os.path.join(blocker, "results"))
        self.assertEqual(run.returncode, 2)
        self.assertIn("choose another folder with -o", run.stderr)
        self.assertEqual(run.stdout, "")
        self.assertLess(time.monotonic() - start, 10)

    def test_a_folder_takes_no_other_scenario_and_resumes_its_own(self):
        wan = os.path.join(SOURCE, "scenarios/lossy_wan.json")
        short = ["--set", "run.measure_s=0.2", "--no-report", "-o", self.out("again")]
        self.assertEqual(mdp("run", wan, *short).returncode, 0)
        (file,) = [f for f in os.listdir(self.out("again")) if f.endswith(".json")]
        path = os.path.join(self.out("again"), file)
        before = os.stat(path).st_mtime_ns
        resumed = mdp("run", wan, *short, "--resume")
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        self.assertIn(": kept", resumed.stderr)
        self.assertEqual(os.stat(path).st_mtime_ns, before)
        other = mdp("run", wan, *short, "--seed", "99", "--resume")
        self.assertEqual(other.returncode, 2, other.stderr)
        self.assertIn(path, other.stderr)
        self.assertEqual(os.stat(path).st_mtime_ns, before)
        with open(path) as f:
            changed = json.load(f)
        changed["build"]["version"] = "0.0.0"
        with open(path, "w") as f:
            json.dump(changed, f)
        mdp("run", wan, *short, "--resume")
        with open(path) as f:
            self.assertNotEqual(json.load(f)["build"]["version"], "0.0.0")
        replaced = mdp("run", wan, *short, "--seed", "99", "--replace")
        self.assertEqual(replaced.returncode, 0, replaced.stderr)
        self.assertFalse(os.path.exists(path))

    def test_a_search_finds_the_highest_load_and_confirms_it(self):
        search = os.path.join(SOURCE, "scenarios/max_load.json")
        run = mdp("run", search, "--no-report", "-o", self.out("search"))
        self.assertEqual(run.returncode, 0, run.stderr)
        found = re.search(r"rate passes at (\d+), fails at (\d+)", run.stdout)
        low, high = int(found.group(1)), int(found.group(2))
        self.assertGreater(low, 9000)  # 100 Mbit/s carry 12,500 such messages, without headers
        self.assertLess(high, 12500)
        self.assertLessEqual(high, low * 1.02)
        passed = [d for d in self.results("search") if d["point"]["rate"] == low]
        self.assertEqual(len(passed), 2)
        nothing = mdp("run", search, "--no-report", "-o", self.out("nothing"), "--set",
                      'assert=[{"expect": "messages.rate_per_s < 0"}]')
        self.assertEqual(nothing.returncode, 1, nothing.stderr)
        self.assertIn("rate passes nowhere", nothing.stdout)

    def test_validate_names_a_plugin_that_does_not_load(self):
        with tempfile.TemporaryDirectory() as plugins:
            with open(os.path.join(plugins, "mdp_transport_socket.so"), "w") as f:
                f.write("no shared object")
            result = mdp("validate", self.quick, "--transport", "socket",
                         env=dict(os.environ, MDP_PLUGIN_PATH=plugins))
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("transport plugin 'socket' cannot be used here", result.stderr)

    def test_an_interrupt_keeps_what_was_measured(self):
        process = subprocess.Popen(
            [MDP, "run", self.quick, "--set", "run.measure_s=0.3", "--set", "run.repetitions=50",
             "--set", "run.order=sequential", "-o", self.out("interrupted")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # The first line on stderr says that the run has begun (handlers are installed before).
        process.stderr.readline()
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, error)
        self.assertIn("interrupted", error)

    def test_the_simulator_repeats_itself(self):
        wan = os.path.join(SOURCE, "scenarios/lossy_wan.json")
        run = mdp("run", wan, "--set", "run.measure_s=3", "--no-report", "-o", self.out("wan"))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stdout, r"digest (\S+), run again \1: equal")

    def test_two_folders_compare_without_a_difference_to_themselves(self):
        run = mdp("run", self.quick, *self.SHORT, "--transport", "socket", "--no-report",
                  "-o", self.out("self"))
        self.assertEqual(run.returncode, 0, run.stderr)
        compared = mdp("compare", self.out("self"), self.out("self"))
        self.assertEqual(compared.returncode, 0, compared.stderr)
        self.assertIn("identical", compared.stdout)
        self.assertEqual(mdp("compare", self.out("self"), self.out("self"), "--gate").returncode, 0)
        report = mdp("report", self.out("self"))
        self.assertEqual(report.returncode, 0, report.stderr)
        self.assertTrue(os.path.exists(os.path.join(self.out("self"), "report.html")))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("group", choices=["commands", "schema", "results", "library", "run"])
    parser.add_argument("--mdp", required=True)
    parser.add_argument("--source", required=True)
    chosen = parser.parse_args()
    MDP, SOURCE = chosen.mdp, chosen.source
    case = {"commands": Commands, "schema": Schema, "results": Results,
            "library": Library, "run": Run}[chosen.group]
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(0 if outcome.wasSuccessful() else 1)
