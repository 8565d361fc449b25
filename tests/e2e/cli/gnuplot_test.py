"""`mdp report` without a gnuplot, and with one that fails: the page is written all the same."""
import os
import tempfile
import unittest

import driver
from driver import in_tree, mdp


class Gnuplot(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.results = os.path.join(folder.name, "results")
        self.programs = os.path.join(folder.name, "bin")
        os.mkdir(self.programs)
        mdp("run", in_tree("scenarios/md1_queue.json"), "--set", "run.measure_s=0.2", "--set",
            "run.repetitions=1", "--no-report", "-o", self.results)

    def report(self, gnuplot=None):
        """What `mdp report` says where `gnuplot` is this script, or where there is none."""
        if gnuplot is not None:
            path = os.path.join(self.programs, "gnuplot")
            with open(path, "w") as file:
                file.write("#!/bin/sh\n" + gnuplot + "\n")
            os.chmod(path, 0o755)
        report = mdp("report", self.results, env={**os.environ, "PATH": self.programs})
        self.assertEqual(report.returncode, 0, report.stderr)
        self.assertGreater(os.path.getsize(os.path.join(self.results, "report.html")), 0)
        left = os.listdir(os.path.join(self.results, "plots"))
        for kind in (".gp", ".dat"):  # what plots are made of, for later
            self.assertTrue(any(f.endswith(kind) for f in left), left)
        return report.stderr

    def test_none_installed(self):
        self.assertIn("no plots: gnuplot is not installed; apt-get install gnuplot-nox",
                      self.report())

    def test_one_that_does_not_start(self):
        self.assertIn("gnuplot is installed but fails (status 3)", self.report("exit 3"))

    def test_one_that_succeeds_without_a_picture(self):
        self.assertIn("gnuplot could not make", self.report("exit 0"))


if __name__ == "__main__":
    driver.main({"gnuplot": Gnuplot})
