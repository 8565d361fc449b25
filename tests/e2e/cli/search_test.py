"""The search for the highest load, and runs that go on where another ended: the real `mdp`."""
import json
import os
import re
import signal
import subprocess
import time

import driver
from driver import in_tree, mdp
from measured import RESULT, Measured


def md1_queue():
    return os.path.abspath(in_tree("scenarios/md1_queue.json"))


class Search(Measured):
    def setUp(self):
        self.max_load = in_tree("scenarios/max_load.json")

    def search(self, name, *more):
        return mdp("run", self.max_load, "--no-report", "-o", self.out(name), *more)

    def found(self, name):
        with open(os.path.join(self.out(name), "searches.json")) as f:
            (outcome,) = json.load(f)
        return outcome

    def result_times(self, name):
        folder = self.out(name)
        return {f: os.stat(os.path.join(folder, f)).st_mtime_ns
                for f in os.listdir(folder) if RESULT.fullmatch(f)}

    def test_it_finds_the_highest_load_and_says_what_that_rests_on(self):
        run = self.search("search")
        self.assertEqual(run.returncode, 0, run.stderr)
        outcome = self.found("search")
        low, high = outcome["passes"]["value"], outcome["fails"]["value"]
        self.assertGreater(low, 9000)  # 100 Mbit/s carry 12,500 such messages, without headers
        self.assertLess(high, 12500)
        self.assertLessEqual(high, low * 1.02)
        self.assertIn(f"rate passes at {low:g} ({outcome['passes']['good_trials']} of ", run.stdout)
        self.assertIn(f"fails at {high:g} (", run.stdout)
        self.assertAlmostEqual(outcome["conditional_throughput_per_s"], low, delta=0.03 * low)
        documents = self.results("search")
        self.check_result_schema(documents)
        self.assertEqual(sorted(d["search"]["trial"] for d in documents),
                         list(range(outcome["trials"])))
        # Both bounds rest on most of three trials of full length, the way there on shorter ones.
        for bound, kind in (("passes", "good_trials"), ("fails", "bad_trials")):
            at = [d for d in documents if d["point"]["rate"] == outcome[bound]["value"]]
            full = [d for d in at if d["config"]["run"]["measure_s"] == 2]
            self.assertEqual(
                len(full), outcome[bound]["good_trials"] + outcome[bound]["bad_trials"])
            self.assertEqual(outcome[bound][kind], 2)
        self.assertLess(min(d["config"]["run"]["measure_s"] for d in documents), 0.3)

    def test_nothing_that_passes_is_a_failed_gate(self):
        nothing = self.search("nothing", "--set", 'assert=[{"expect": "messages.rate_per_s < 0"}]')
        self.assertEqual(nothing.returncode, 1, nothing.stderr)
        self.assertIn("rate passes nowhere, fails at 1000", nothing.stdout)
        self.assertIsNone(self.found("nothing")["passes"])

    def test_it_goes_on_where_it_ended(self):
        whole = self.search("resumed")
        self.assertEqual(whole.returncode, 0, whole.stderr)
        outcome = self.found("resumed")
        before = self.result_times("resumed")
        again = self.search("resumed", "--resume")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(self.result_times("resumed"), before)
        self.assertEqual(again.stdout, whole.stdout)
        lost = sorted(before)[::3]
        for f in lost:
            os.remove(os.path.join(self.out("resumed"), f))
        rest = self.search("resumed", "--resume")
        self.assertEqual(rest.returncode, 0, rest.stderr)
        after = self.result_times("resumed")
        self.assertEqual(set(after), set(before))
        self.assertEqual({f for f in after if after[f] != before.get(f)}, set(lost))
        self.assertEqual(rest.stdout, whole.stdout)
        self.assertEqual(self.found("resumed"), outcome)

    def test_without_resume_its_own_trials_give_way(self):
        self.assertEqual(self.search("fresh", "--set", "run.measure_s=0.5").returncode, 0)
        other = self.search("fresh")
        self.assertEqual(other.returncode, 2, "trials of other settings are not its own")
        self.assertIn("another scenario or of other settings", other.stderr)
        again = self.search("fresh", "--set", "run.measure_s=0.5")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertNotIn(": kept", again.stderr)
        self.assertEqual(len(self.results("fresh")), self.found("fresh")["trials"])

    def test_the_answer_of_a_queue_is_the_closed_form(self):
        """M/D/1, service 100 us: the mean delay is 216.67 us at 7,000 messages/s (Pollaczek and
        Khinchine); the highest rate that keeps it is found within 2 %."""
        scenario = self.out("md1_search.json")
        with open(scenario, "w") as f:
            json.dump({"extends": md1_queue(), "name": "md1-search",
                       "sweep": None,
                       "search": {"var": "rate", "from": 1000, "to": 9900, "precision_pct": 1},
                       "run": {"warmup_s": 2, "measure_s": 100},
                       "assert": [{"expect": "latency.one_way.mean_us <= 216.667"}]}, f)
        run = mdp("run", scenario, "--no-report", "-o", self.out("md1"))
        self.assertEqual(run.returncode, 0, run.stderr)
        outcome = self.found("md1")
        for bound in ("passes", "fails"):
            self.assertAlmostEqual(outcome[bound]["value"], 7000, delta=140)
        self.assertAlmostEqual(outcome["conditional_throughput_per_s"], 7000, delta=140)


class Resume(Measured):
    """Ctrl-C keeps what was measured, and --resume measures what is missing."""

    def command(self, name, *more):
        return ["run", self.scenario, "--no-report", "-o", self.out(name), *more]

    def setUp(self):
        self.scenario = self.out("points.json")
        with open(self.scenario, "w") as f:
            json.dump({"extends": md1_queue(), "name": "points",
                       "sweep": {"rate": [1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000]},
                       "run": {"warmup_s": 1, "measure_s": 60, "order": "sequential"},
                       "assert": [{"expect": "packets.dropped == 0"}]}, f)

    def digests(self, name):
        return {d["id"]: [r["facts"]["digest"] for r in d["runs"]] for d in self.results(name)}

    def interrupted(self, name, which):
        """Interrupts the run once a first result is there; what it said."""
        process = subprocess.Popen([driver.MDP, *self.command(name)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        folder = self.out(name)
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            if os.path.isdir(folder) and any(map(RESULT.fullmatch, os.listdir(folder))):
                break
            time.sleep(0.01)
        process.send_signal(which)
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, error)
        return error

    def test_an_interrupted_run_is_completed(self):
        self.assertEqual(mdp(*self.command("whole")).returncode, 0)
        whole = self.digests("whole")
        self.assertEqual(len(whole), 8)
        for which in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(which.name):
                name = which.name
                error = self.interrupted(name, which)
                self.assertIn("interrupted", error)
                kept = self.results(name)
                self.check_result_schema(kept)
                complete = {d["id"] for d in kept if d["status"] == "ok"}
                self.assertGreater(len(complete), 0)
                self.assertLess(len(complete), 8, "it was over before the signal came")
                self.assertEqual([f for f in os.listdir(self.out(name)) if ".tmp" in f], [])
                rest = mdp(*self.command(name, "--resume"))
                self.assertEqual(rest.returncode, 0, rest.stderr)
                said = set(re.findall(r"point ([0-9a-f]{12}): kept", rest.stderr))
                self.assertEqual(said, complete)
                self.assertEqual(self.digests(name), whole)


if __name__ == "__main__":
    driver.main({"search": Search, "resume": Resume})
