"""Drives the real `mdp`: exit codes, stdout and stderr, schemas; nothing is measured."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import driver
from driver import in_tree, mdp, scenario_files, without_comments


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
        with open(in_tree("docs/mdp.1")) as f:
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

    def completed(self, script, *words):
        """What bash offers for the last of the words after it has read the script."""
        script += (f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}\n"
                   '_mdp; printf "%s\\n" "${COMPREPLY[@]}"\n')
        result = subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                                timeout=60, cwd="/")
        self.assertEqual(result.stderr, "")
        return set(result.stdout.split())

    def test_the_shells_complete_commands_options_and_values(self):
        bash = mdp("completion", "bash").stdout
        self.assertEqual(self.completed(bash, "mdp", "rep"), {"replay", "report"})
        self.assertIn("--resume", self.completed(bash, "mdp", "run", "--re"))
        self.assertIn("gbench", self.completed(bash, "mdp", "run", "--format", "g"))
        self.assertIn("transports", self.completed(bash, "mdp", "list", "tr"))
        zsh = mdp("completion", "zsh").stdout
        self.assertTrue(zsh.startswith("#compdef mdp\n"))
        self.assertIn("--resume[", zsh)
        if shutil.which("zsh"):
            subprocess.run(["zsh", "-n"], input=zsh, text=True, check=True, timeout=60)

    def test_the_manual_and_the_completions_are_installed(self):
        build = os.path.dirname(os.path.dirname(os.path.realpath(driver.MDP)))
        with tempfile.TemporaryDirectory() as prefix:
            installed = subprocess.run(
                ["cmake", "--install", build, "--component", "tool", "--prefix", prefix],
                capture_output=True, text=True, timeout=60)
            self.assertEqual(installed.returncode, 0, installed.stderr)

            def text(path):
                with open(os.path.join(prefix, "share", path)) as f:
                    return f.read()

            self.assertEqual(text("man/man1/mdp.1"), mdp("manual").stdout)
            bash = text("bash-completion/completions/mdp")
            self.assertEqual(self.completed(bash, "mdp", "rep"), {"replay", "report"})
            self.assertEqual(text("zsh/site-functions/_mdp"), mdp("completion", "zsh").stdout)

    def test_a_missing_file_is_named(self):
        self.check(mdp("validate", "/nowhere/x.json"), 2, "/nowhere/x.json: cannot open")
        self.check(mdp("expand", driver.SOURCE), 2, "is it a regular file?")

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
                # Variables may name others: what uses them is filled in.
                for point in points:
                    point.pop("vars", None)
                self.assertNotIn("${", json.dumps(points))

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
        good = in_tree("scenarios/base.json")
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
        with open(in_tree("scenarios/README.md")) as f:
            text = f.read()
        table = mdp("list", "scenarios", "--dir", in_tree("scenarios"), "--format",
                    "markdown").stdout
        self.assertIn(table, text)

    def test_a_full_disk_is_noticed_on_stdout(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([driver.MDP, "list", "schema"], stdout=full,
                                    stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(result.returncode, 3)
        self.assertIn("cannot write to standard output", result.stderr)

    def test_a_reader_that_has_enough_is_no_failure(self):
        for what in (["list", "schema"], ["--help"], ["manual"]):
            reading, writing = os.pipe()
            os.close(reading)  # before anything is written
            result = subprocess.run([driver.MDP, *what], stdout=writing, stderr=subprocess.PIPE,
                                    text=True, timeout=60)
            os.close(writing)
            self.assertEqual((result.returncode, result.stderr), (0, ""), what)

    def test_every_command_explains_itself(self):
        commands = re.search(r"Subcommands:\n((?:  \w+ .*\n)+)", mdp("--help").stdout).group(1)
        names = re.findall(r"^  (\w+)", commands, re.M)
        self.assertGreaterEqual(len(names), 15)
        for name in names:
            result = mdp(name, "--help")
            self.check(result, 0)
            self.assertIn("Usage: mdp " + name, result.stdout)
            self.assertEqual(result.stderr, "")

    def test_without_plugins_the_path_searched_is_shown(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "mdp")
            with open(driver.MDP, "rb") as source, open(copy, "wb") as target:
                target.write(source.read())
            os.chmod(copy, 0o755)
            environment = dict(os.environ)
            environment.pop("MDP_PLUGIN_PATH", None)
            result = subprocess.run([copy, "list", "transports"], capture_output=True, text=True,
                                    timeout=60, env=environment)
            self.assertEqual(result.returncode, 2)
            self.assertIn("looked in", result.stderr)

    def test_schema_is_the_published_one(self):
        with open(in_tree("scenarios/mdp-scenario-1.schema.json")) as f:
            published = f.read()
        self.assertEqual(mdp("list", "schema").stdout, published)
        self.assertEqual(mdp("validate", "--schema").stdout, published)


class Schema(unittest.TestCase):
    def setUp(self):
        try:
            import jsonschema
        except ImportError:
            self.skipTest("python3-jsonschema is not installed")
        with open(in_tree("scenarios/mdp-scenario-1.schema.json")) as f:
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
        folder = in_tree("tests/golden/scenario")
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
        with open(in_tree("docs/scenarios.md")) as f:
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
        with open(in_tree("docs/scenarios.md")) as f:
            example = re.search(r"```json\n(.*?)```", f.read(), re.S).group(1)
        result = mdp("validate", "-", text_in=example)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_the_good_one_is_accepted_by_the_schema(self):
        good = in_tree("tests/golden/scenario/good.json")
        self.assertTrue(self.validator.is_valid(self.read(good)))


if __name__ == "__main__":
    driver.main({"commands": Commands, "schema": Schema})
