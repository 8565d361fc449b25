"""Drives `mdp` over what the simulator repeats: the packets it drops, on every machine the same."""
import argparse
import csv
import io
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


class Replay(Simulated):
    def run_traced(self, *more, kind="events"):
        self.check(mdp("run", scenario("lossy_wan.json"), "--seed", "42", "--set",
                       "run.measure_s=2", "--no-report", "--trace", kind, "-o", self.folder, *more))

    def log(self):
        (name,) = [f for f in os.listdir(self.folder) if f.endswith(".events")]
        return os.path.join(self.folder, name)

    def rows(self):
        return list(csv.DictReader(io.StringIO(self.check(mdp("events", self.log())).stdout)))

    def test_a_run_repeats_itself_event_for_event(self):
        self.run_traced("--set", "run.repetitions=2")
        self.assertEqual(len([f for f in os.listdir(self.folder) if f.endswith(".events")]), 2)
        again = self.check(mdp("replay", self.folder))
        self.assertEqual(again.stdout.count(": the same: digest "), 2)
        self.assertRegex(again.stdout, r"\d{4,} records of its log")
        one = self.check(mdp("replay", self.folder, "--run", "1"))
        self.assertEqual(one.stdout, again.stdout.splitlines(True)[1])

    def test_the_log_holds_the_dropped_packets(self):
        self.run_traced()
        lost = [r["packet"] for r in self.rows()
                if r["event"] == "lost" and r["place"] == "client-0/up"]
        text = text_of(self.folder, "drops.txt")
        listed = text.split("client-0/up dropped")[1].split(":\n")[1].split("server")[0]
        self.assertEqual(lost, listed.split())

    def test_a_changed_fate_is_the_first_difference(self):
        self.run_traced()
        sent = [r for r in self.rows() if r["event"] == "sent" and r["place"] == "client-0/up"]
        for row in (sent[0], sent[len(sent) // 2], sent[-1]):
            number = row["packet"]
            other = mdp("replay", self.folder, "--fate", f"client-0/up#{number}=drop")
            self.check(other, 1)
            self.assertRegex(other.stdout, rf"recorded  .*client-0/up #{number}: sent, ")
            self.assertRegex(other.stdout, rf"now  .*client-0/up #{number}: lost, ")
        held = self.check(mdp("replay", self.folder, "--fate", "server-0/up#20=hold:7"), 1)
        self.assertRegex(held.stdout, r"now  .*server-0/up #20: sent, ")

    def test_a_damaged_log_is_no_difference(self):
        self.run_traced()
        with open(self.log(), "rb") as f:
            log = f.read()
        with open(self.log(), "wb") as f:
            f.write(log[:len(log) // 2])
        self.assertIn("the log ends early", self.check(mdp("replay", self.folder), 3).stderr)

    def test_checkpoints_name_the_millisecond(self):
        self.run_traced(kind="checkpoints")
        self.check(mdp("replay", self.folder))
        other = self.check(mdp("replay", self.folder, "--fate", "client-0/up#500=drop"), 1)
        self.assertRegex(other.stdout, r"now .* client-0/up: fingerprint [0-9a-f]{16} so far")

    def test_without_a_log_the_digests_are_compared(self):
        self.run_traced()
        os.remove(self.log())
        self.assertIn("not traced", self.check(mdp("replay", self.folder)).stdout)
        other = self.check(mdp("replay", self.folder, "--fate", "client-0/up#500=drop"), 1)
        self.assertIn("--trace events", other.stdout)

    def test_a_log_of_an_earlier_run_does_not_stay(self):
        self.run_traced()
        self.check(mdp("run", scenario("lossy_wan.json"), "--seed", "42", "--set",
                       "run.measure_s=2", "--no-report", "-o", self.folder))
        self.assertFalse([f for f in os.listdir(self.folder) if f.endswith(".events")])

    def test_mistakes_are_named(self):
        self.run_traced()
        for fate, expected in (("client-0/up17=drop", "LINK#PACKET=FATE"),
                               ("client-0/up#1=eat", "eat"), ("client-0/up#-1=drop", "/packet"),
                               ("client-0/up#1=hold", "hold_us")):
            result = mdp("replay", self.folder, "--fate", fate)
            self.assertIn(result.returncode, (2, 3), fate)
            self.assertIn(expected, result.stderr)
        self.check(mdp("replay", "/nowhere"), 2)
        self.check(mdp("events", os.path.join(self.folder, "drops.txt")), 2)
        real = os.path.join(self.folder, "real")
        self.check(mdp("run", scenario("quickstart.json"), "--transport", "socket", "--set",
                       "run.measure_s=0.1", "--set", "run.repetitions=1", "--no-report",
                       "-o", real))
        refused = mdp("run", scenario("quickstart.json"), "--transport", "socket",
                      "--trace", "events")
        self.assertIn("no point of this runs in the simulator", self.check(refused, 2).stderr)
        self.assertIn("no simulated run", self.check(mdp("replay", real), 2).stderr)


GROUPS = {"drops": Drops, "replay": Replay}


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
