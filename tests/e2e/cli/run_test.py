"""Whole runs of the real `mdp`: exit codes, what is written, the library, an interrupt."""
import json
import os
import signal
import subprocess
import tempfile
import time

import driver
from driver import in_tree, mdp, scenario_files
from measured import Measured


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
        wan = in_tree("scenarios/lossy_wan.json")
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
            [driver.MDP, "run", self.quick, "--set", "run.measure_s=0.3",
             "--set", "run.repetitions=50", "--set", "run.order=sequential",
             "-o", self.out("interrupted")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # The first line on stderr says that the run has begun (handlers are installed before).
        process.stderr.readline()
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, error)
        self.assertIn("interrupted", error)

    def test_the_simulator_repeats_itself(self):
        wan = in_tree("scenarios/lossy_wan.json")
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
    driver.main({"library": Library, "run": Run})
