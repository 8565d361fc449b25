"""What `mdp report` and `mdp compare` make of result files, and other programs of their output."""
import json
import os
import re
import subprocess
import tempfile
import unittest

import driver
from driver import in_tree, mdp


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
            source = in_tree("tests/golden/reports/lossy-wan.json")
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


class GoogleBenchmark(unittest.TestCase):
    """Google Benchmark's own compare.py reads the export (Debian: libbenchmark-tools)."""

    PROGRAM = "/usr/share/benchmark/compare.py"
    PYTHON = "/usr/bin/python3"  # the one that Debian's scipy belongs to

    def setUp(self):
        if not os.path.exists(self.PROGRAM):
            self.skipTest("libbenchmark-tools is not installed")
        if subprocess.run([self.PYTHON, "-c", "import scipy"], capture_output=True).returncode:
            self.skipTest("python3-scipy is not installed, which compare.py needs")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def export(self, name, change=None):
        """Results of both transports as one export; `change` edits each of them before."""
        results = os.path.join(self.folder, name)
        os.makedirs(results)
        for transport in ("socket", "io_uring"):
            file = f"quickstart-request_response-{transport}.json"
            with open(in_tree("tests/golden/reports/" + file)) as f:
                document = json.load(f)
            for run in document["runs"]:
                if change:
                    change(run)
            with open(os.path.join(results, file), "w") as f:
                json.dump(document, f)
        exported = mdp("report", results, "--format", "gbench")
        self.assertEqual(exported.returncode, 0, exported.stderr)
        with open(results + ".json", "w") as f:
            f.write(exported.stdout)
        return results + ".json"

    def compare(self, *arguments):
        """The rows of compare.py: name -> changes of the times of each repetition."""
        outcome = subprocess.run([self.PYTHON, self.PROGRAM, "--no-color", *arguments],
                                 capture_output=True, text=True, timeout=60)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        rows = {}
        for line in outcome.stdout.splitlines():
            row = re.match(r"(.+?) +([+-]\d+\.\d{4}) ", line)
            if row:
                rows.setdefault(row.group(1), []).append(float(row.group(2)))
        return rows

    def test_two_exports_are_compared_by_point(self):
        def half_as_long_again(run):
            for bucket in run["latency"]["response"]["hdr"]["counts"]:
                bucket[0] = bucket[0] * 3 // 2
            for name, value in run["latency"]["response"].items():
                if name.endswith("_us") and value is not None:
                    run["latency"]["response"][name] = value * 1.5

        rows = self.compare("benchmarks", self.export("old"),
                            self.export("new", half_as_long_again))
        self.assertEqual(len(rows), 3, rows)  # two points, and the mean over all
        for name, changes in rows.items():
            if name != "OVERALL_GEOMEAN":
                self.assertEqual(len(changes), 3, rows)  # repetitions
            for change in changes:
                self.assertAlmostEqual(change, 0.5, delta=0.002)

    def test_two_transports_of_one_export_are_compared(self):
        rows = self.compare("filters", self.export("both"), "transport=socket",
                            "transport=io_uring")
        (name,) = [r for r in rows if r != "OVERALL_GEOMEAN"]
        self.assertIn("pattern=request_response", name)
        self.assertEqual(len(rows[name]), 3)
        self.assertLess(max(rows[name]), -0.2)  # the samples differ by 29 %


if __name__ == "__main__":
    driver.main({"results": Results, "gbench": GoogleBenchmark})
