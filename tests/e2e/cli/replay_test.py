"""Drives `mdp` over what the simulator repeats: the packets it drops, on every machine the same."""
import argparse
import os
import subprocess
import sys
import tempfile
import unittest

MDP = ""
SOURCE = ""


def mdp(*arguments):
    return subprocess.run([MDP, *arguments], capture_output=True, text=True, timeout=100)


def scenario(name):
    return os.path.join(SOURCE, "scenarios", name)


def text_of(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


class Simulated(unittest.TestCase):
    """A folder of its own for each test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def check(self, result, code=0):
        self.assertEqual(result.returncode, code, result.stderr + result.stdout)
        return result


class Drops(Simulated):
    GOLDEN = ("tests", "golden", "lossy_wan_seed_42.drops.txt")

    def test_seed_42_drops_the_packets_that_the_tree_lists(self):
        run = self.check(mdp("run", scenario("lossy_wan.json"), "--seed", "42", "--no-report",
                             "-o", self.folder))
        written = text_of(self.folder, "drops.txt")
        if os.environ.get("MDP_UPDATE_GOLDEN"):
            with open(os.path.join(SOURCE, *self.GOLDEN), "w", encoding="utf-8") as f:
                f.write(written)
        self.assertEqual(written, text_of(SOURCE, *self.GOLDEN))
        self.assertTrue(run.stdout.endswith("\n\n" + written))

    def test_another_seed_drops_others(self):
        run = self.check(mdp("run", scenario("lossy_wan.json"), "--seed", "43", "--no-report",
                             "-o", self.folder))
        golden = text_of(SOURCE, *self.GOLDEN)
        lists = [text.split("/up dropped")[1] for text in (run.stdout, golden)]
        self.assertNotEqual(*lists)

    def test_a_long_list_is_named_and_bounded(self):
        run = self.check(mdp("run", scenario("lossy_wan.json"), "--set", "vars.loss_pct=20",
                             "--no-report", "-o", self.folder))
        written = text_of(self.folder, "drops.txt")
        self.assertIn(", the first 1000:\n", written)
        self.assertLessEqual(max(len(line) for line in written.splitlines()), 100)
        self.assertTrue(run.stdout.endswith(
            "dropped packets: " + os.path.join(self.folder, "drops.txt") + "\n"))

    def test_documents_for_programs_hold_no_list(self):
        run = self.check(mdp("run", scenario("lossy_wan.json"), "--format", "csv", "--no-report",
                             "-o", self.folder))
        self.assertNotIn("dropped", run.stdout.splitlines()[-1])


GROUPS = {"drops": Drops}


def main():
    global MDP, SOURCE
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group", choices=GROUPS)
    parser.add_argument("--mdp", required=True)
    parser.add_argument("--source", required=True)
    arguments = parser.parse_args()
    MDP, SOURCE = arguments.mdp, arguments.source
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(GROUPS[arguments.group])
    sys.exit(not unittest.TextTestRunner().run(suite).wasSuccessful())


if __name__ == "__main__":
    main()
