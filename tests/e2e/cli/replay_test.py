"""Drives `mdp` over what the simulator repeats: the packets it drops, on every machine the same."""
import argparse
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

MDP = ""
SOURCE = ""
SKIPPED = 77


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

    # Damage, copies, held packets; processes that end and begin.
    def test_every_kind_of_event_repeats_itself(self):
        kinds = set()
        for name in ("hostile_link", "server_restarts"):
            folder = os.path.join(self.folder, name)
            self.check(mdp("run", scenario(name + ".json"), "--trace", "events", "--no-report",
                           "-o", folder))
            self.assertIn(": the same: digest ", self.check(mdp("replay", folder)).stdout)
            (log,) = [f for f in os.listdir(folder) if f.endswith(".events")]
            rows = csv.DictReader(io.StringIO(
                self.check(mdp("events", os.path.join(folder, log))).stdout))
            kinds |= {row["event"] for row in rows}
        self.assertLessEqual({"sent", "lost", "no_carrier", "closed", "duplicated", "damaged",
                              "delivered", "wake_up", "held"}, kinds)

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
        # On real sockets a busy machine may fail a gate; here only the result's kind counts.
        mdp("run", scenario("quickstart.json"), "--transport", "socket", "--set",
            "run.measure_s=0.1", "--set", "run.repetitions=1", "--no-report", "-o", real)
        refused = mdp("run", scenario("quickstart.json"), "--transport", "socket",
                      "--trace", "events")
        self.assertIn("no point of this runs in the simulator", self.check(refused, 2).stderr)
        self.assertIn("no simulated run", self.check(mdp("replay", real), 2).stderr)


class Minimise(Simulated):
    def failing(self, expect, *more):
        self.check(mdp("run", scenario("lossy_wan.json"), "--seed", "42", "--set",
                       "run.measure_s=2", "--set", 'assert=[{"expect": "%s"}]' % expect,
                       "--no-report", "-o", self.folder, *more), 1)

    def test_the_few_packets_that_suffice_are_found_and_fail_again(self):
        self.failing("packets.retransmitted <= 3")
        found = self.check(mdp("minimise", self.folder))
        self.assertRegex(found.stdout, r"of 1\d\d faults 4 suffice \(\d+ runs\)\n"
                                       r"(  client-0/up#\d+=drop\n){4}$")
        (name,) = [f for f in os.listdir(self.folder) if f.endswith(".minimal.json")]
        again = os.path.join(self.folder, "again")
        self.check(mdp("run", os.path.join(self.folder, name), "--no-report", "-o", again), 1)
        dropped = re.findall(r"#(\d+)=drop", found.stdout)
        self.assertIn("client-0/up dropped 4:\n    " + " ".join(dropped) + "\n",
                      text_of(again, "drops.txt"))

    def test_every_kind_of_fault_is_written_down(self):
        self.check(mdp("run", scenario("hostile_link.json"), "--set", "run.measure_s=2",
                       "--set", 'assert=[{"expect": "network.corrupted <= 3"}]', "--no-report",
                       "--trace", "events", "-o", self.folder), 1)
        target = os.path.join(self.folder, "least.json")
        found = self.check(mdp("minimise", self.folder, "-o", target))
        self.assertIn(" 4 suffice", found.stdout)
        self.assertEqual(found.stdout.count("=damage\n"), 4)
        self.assertEqual(json.loads(text_of(target))["network"]["only_fates"], True)

    def test_a_run_that_passes_or_fails_anyway_is_told(self):
        self.failing("messages.delivered_ratio < 1")
        self.assertIn("none is needed", self.check(mdp("minimise", self.folder)).stdout)
        self.check(mdp("run", scenario("lossy_wan.json"), "--set", "run.measure_s=1",
                       "--no-report", "--replace", "-o", self.folder))
        self.assertIn("does not fail", self.check(mdp("minimise", self.folder), 2).stderr)


class Capture(Simulated):
    """What tshark, with the dissector of the tree, reads from a capture is what the log says."""

    def setUp(self):
        super().setUp()
        if shutil.which("tshark") is None:
            print("SKIPPED: tshark is not installed")
            sys.exit(SKIPPED)
        self.check(mdp("run", scenario("hostile_link.json"), "--set", "run.measure_s=2",
                       "--no-report", "--trace", "events,pcapng", "-o", self.folder))

    def file(self, suffix):
        (name,) = [f for f in os.listdir(self.folder) if f.endswith(suffix)]
        return os.path.join(self.folder, name)

    def tshark(self, *arguments):
        script = os.path.join(SOURCE, "tools", "wireshark", "mdelivery.lua")
        return self.check(subprocess.run(
            ["tshark", "-X", "lua_script:" + script, "-r", self.file(".pcapng"), *arguments],
            capture_output=True, text=True, timeout=100)).stdout

    def test_packets_have_their_links_numbers_and_fates(self):
        read = [line.split("\t") for line in self.tshark(
            "-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment",
            "-e", "frame.time_epoch", "-e", "udp.length").splitlines()]
        rows = csv.DictReader(io.StringIO(self.check(mdp("events", self.file(".events"))).stdout))
        logged = []
        for row in rows:
            if row["event"] in ("damaged", "held"):
                logged[-1][1] += ", damaged" if row["event"] == "damaged" else ", held"
            elif row["event"] not in ("wake_up", "checkpoint"):
                drop = row["event"] not in ("sent", "duplicated", "delivered")
                logged.append([row["place"] + (" dropped" if drop else ""),
                               f"{row['event']} #{row['packet']}",
                               "%d.%09d" % divmod(int(row["time_ns"]), 10**9),
                               str(int(row["bytes"]) + 8)])
        self.assertGreater(len(logged), 2000)
        for kind in ("lost", "duplicated", "damaged", "held", "delivered"):
            self.assertTrue(any(kind in row[1] for row in logged), kind)
        figures = re.compile(r", \d+ ns on the way, \d+ queued|(?<=held) back \d+ ns")
        shortened = [[a, figures.sub("", b), c, d] for a, b, c, d in read]
        self.assertEqual(shortened, logged)

    def test_every_packet_is_dissected(self):
        self.assertEqual(self.tshark("-Y", "!mdelivery"), "")
        self.assertEqual(self.tshark("-Y", "mdelivery.malformed || _ws.malformed || _ws.lua.error"),
                         "")
        kinds = set(self.tshark("-T", "fields", "-e", "mdelivery.type").split())
        self.assertGreaterEqual(kinds, {"0", "1", "2"})
        frames = set(self.tshark("-T", "fields", "-e", "mdelivery.frame").replace(",", " ").split())
        self.assertGreaterEqual(frames, {"1", "3", "4", "6"})

    def test_values_are_those_of_the_protocol(self):
        sizes = self.tshark("-Y", "mdelivery.frame == 1", "-T", "fields", "-e",
                            "mdelivery.frame.length")
        self.assertIn("1000", sizes.replace(",", "\n").splitlines())
        lengths = [line.split("\t") for line in self.tshark(
            "-T", "fields", "-e", "mdelivery.length", "-e", "udp.length",
            "-e", "mdelivery.version").splitlines()]
        for length, udp, version in lengths:
            self.assertEqual((int(length) + 8, version), (int(udp), "1"))
        acks = self.tshark("-Y", "mdelivery.ack.largest", "-T", "fields", "-e",
                           "mdelivery.ack.largest", "-e", "mdelivery.ack.below").splitlines()
        largest, below = acks[-1].split("\t")
        self.assertGreater(int(largest.split(",")[0]), 100)
        self.assertLessEqual(int(below.split(",")[0]), int(largest.split(",")[0]))


GROUPS = {"drops": Drops, "replay": Replay, "minimise": Minimise, "capture": Capture}


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
