"""Runs in several processes: what they measure together, and what becomes of the run and of the
other processes when one dies, stops, hangs or cannot begin."""
import ctypes
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

import driver
from driver import mdp


def scenario(plugin, flows, peers, **run):
    return {"schema": "mdp-scenario/1", "name": "split", "description": "several processes",
            "transports": {"default": {"plugin": plugin}}, "peers": peers, "flows": flows,
            "run": {"warmup_s": 0.2, "measure_s": 0.4, "drain_s": 2, "cpus": "none", **run}}


def flow(pattern="request_response", source="client", target="server", **load):
    return {"from": source, "to": target, "pattern": pattern, "size_bytes": 64,
            "load": load or {"mode": "closed", "in_flight": 4}}


def at_rate(rate):
    return {"mode": "open", "rate_per_s": rate}


PAIR = {"client": {"processes": 1}, "server": {"processes": 1}}


def workers_of(pid):
    """Process ids of the children of a process."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(child) for child in f.read().split()]
    except FileNotFoundError:
        return []


def state_of(pid):
    """The kernel's letter for the process, None: there is none, nor a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return None


class Processes(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def start(self, document):
        """A run, and the process ids of its workers in the order of the plan."""
        path = os.path.join(self.folder.name, "scenario.json")
        with open(path, "w") as f:
            json.dump(document, f)
        run = subprocess.Popen([driver.MDP, "run", path, "--no-report", "--quiet", "--replace",
                                "-o", self.out()],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: run.poll() is None and run.kill())
        expected = sum(p.get("processes", 0) for p in document["peers"].values())
        expected += any(p.get("processes", 0) == 0 for p in document["peers"].values())
        until = time.monotonic() + 20
        while (run.poll() is None and len(workers_of(run.pid)) < expected
               and time.monotonic() < until):
            time.sleep(0.005)
        return run, sorted(workers_of(run.pid))

    def out(self):
        return os.path.join(self.folder.name, "out")

    def result(self):
        documents = []
        for name in os.listdir(self.out()):
            if name.endswith(".json"):
                with open(os.path.join(self.out(), name)) as f:
                    documents.append(json.load(f))
        self.assertEqual(len(documents), 1)
        return documents[0]

    def measure(self, document):
        run, workers = self.start(document)
        out, err = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 0, err + out)
        return self.result()["runs"][0], workers

    def assert_gone(self, workers, within_s=2):
        until = time.monotonic() + within_s
        while any(state_of(w) for w in workers) and time.monotonic() < until:
            time.sleep(0.01)
        self.assertEqual([state_of(w) for w in workers], [None] * len(workers))

    def assert_whole(self, run):
        self.assertGreater(run["messages"]["completed"], 0)
        self.assertEqual(run["messages"]["delivered_ratio"], 1)
        self.assertEqual(run["messages"]["duplicated"], 0)
        self.assertEqual(run["messages"]["corrupted"], 0)


class Measured(Processes):
    def test_every_pattern_works_over_every_transport(self):
        usable = [line.split()[0] for line in mdp("list", "transports").stdout.splitlines()
                  if line.split()[:1] in (["socket"], ["io_uring"]) and "unavailable" not in line]
        self.assertIn("socket", usable)
        flows = {"requests": [flow()], "stream": [flow("stream")],
                 "both": [flow("bidirectional_stream")]}
        for plugin in usable:
            for name, of in flows.items():
                with self.subTest(plugin=plugin, pattern=name):
                    run, workers = self.measure(scenario(plugin, of, PAIR))
                    self.assert_whole(run)
                    self.assertEqual(len(workers), 2)
                    self.assert_gone(workers)

    def test_peers_are_split_in_any_way(self):
        # 5 clients in 2 processes and a server and a watcher that share a third: n-to-1; then
        # n-to-n, each peer in a process of its own.
        clients = {"client": {"count": 5, "processes": 2}, "server": {}, "watcher": {}}
        run, workers = self.measure(scenario(
            "socket", [flow(**at_rate(200)), flow(source="watcher", **at_rate(100))], clients))
        self.assert_whole(run)
        self.assertEqual([p["name"] for p in run["processes"]],
                         ["server+watcher", "client/0", "client/1"])
        self.assertAlmostEqual(run["offered"]["messages"], 0.4 * (5 * 200 + 100), delta=6)
        self.assert_gone(workers)
        mesh = {"node": {"count": 4, "processes": 4}}
        run, workers = self.measure(scenario(
            "socket", [flow(source="node", target="node", **at_rate(300))], mesh))
        self.assert_whole(run)
        self.assertAlmostEqual(run["offered"]["messages"], 4 * 0.4 * 300, delta=8)
        self.assertGreater(run["fairness"]["jain"], 0.99)
        self.assertEqual(len(workers), 4)

    def test_what_is_merged_is_the_sum(self):
        peers = {"client": {"count": 3, "processes": 3}, "server": {"processes": 1}}
        run, _ = self.measure(scenario("socket", [flow(**at_rate(500))], peers))
        messages = run["messages"]
        self.assertAlmostEqual(run["offered"]["messages"], 600, delta=6)
        self.assertEqual(messages["sent"], messages["completed"] + messages["expired"])
        response = run["latency"]["response"]
        self.assertEqual(response["count"], messages["sent"])
        self.assertEqual(sum(n for _, n in response["hdr"]["counts"]), response["count"])
        self.assertEqual(run["latency"]["one_way"]["count"], messages["completed"])
        # Both directions of every session are counted: what some sent, others received.
        self.assertAlmostEqual(run["packets"]["sent"], run["packets"]["received"],
                               delta=0.5 * run["packets"]["sent"])
        self.assertGreaterEqual(run["protocol"]["messages_sent"], 2 * messages["completed"] - 60)
        cpu = sum(p["cpu_us"] for p in run["processes"])
        self.assertGreater(min(p["cpu_us"] for p in run["processes"]), 0)
        self.assertAlmostEqual(run["cpu"]["us_per_message"] * messages["arrived"], cpu,
                               delta=0.001 * cpu)

    def test_a_stopped_peer_is_charged_to_every_request_that_it_delayed(self):
        # 1,000 of 6,000 requests wait up to a second: 60 longer than 940 ms, 600 longer than 400.
        run, workers = self.start(scenario("socket", [flow(**at_rate(1000))], PAIR, warmup_s=0.5,
                                           measure_s=5.5))
        time.sleep(3)
        os.kill(workers[1], signal.SIGSTOP)
        time.sleep(1)
        os.kill(workers[1], signal.SIGCONT)
        out, err = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 0, err + out)
        measured = self.result()["runs"][0]
        response = measured["latency"]["response"]
        self.assertAlmostEqual(response["p99_us"], 945e3, delta=94.5e3)
        self.assertAlmostEqual(response["p90_us"], 450e3, delta=45e3)
        self.assertLess(response["p50_us"], 50e3)
        self.assertEqual(response["count"], measured["offered"]["messages"])
        self.assert_whole(measured)


class Failures(Processes):
    LONG = scenario("socket", [flow(**at_rate(500))], PAIR, measure_s=40, drain_s=0)

    def fails_with(self, document, do, *words, within_s=15):
        """`do(workers)` happens while it measures; the run ends soon, and says why."""
        run, workers = self.start(document)
        time.sleep(1)
        do(workers)
        begun = time.monotonic()
        out, err = run.communicate(timeout=60)
        self.assertLess(time.monotonic() - begun, within_s)
        self.assertEqual(run.returncode, 3, err + out)
        reason = " ".join(self.result()["reasons"])
        for word in words:
            self.assertIn(word, reason)
        self.assert_gone(workers)

    def test_a_process_that_dies_is_named_with_its_signal(self):
        self.fails_with(self.LONG, lambda w: os.kill(w[1], signal.SIGKILL),
                        "process 'server'", "was ended by signal 9 (Killed)", within_s=3)

    def test_a_process_that_crashes_is_named_too(self):
        self.fails_with(self.LONG, lambda w: os.kill(w[0], signal.SIGSEGV),
                        "process 'client'", "was ended by signal 11", within_s=3)

    def test_a_process_that_stays_stopped_is_named(self):
        self.fails_with({**self.LONG, "run": {**self.LONG["run"], "time_limit_s": 4}},
                        lambda w: os.kill(w[1], signal.SIGSTOP),
                        "process 'server'", "is stopped by signal 19", within_s=8)

    def test_an_address_that_cannot_be_bound_is_named(self):
        document = {**self.LONG, "transports": {"default": {"plugin": "socket",
                                                            "bind": "192.0.2.1:0"}}}
        # Neither can; whoever says so first is named.
        self.fails_with(document, lambda w: None, "process '", "192.0.2.1")

    def test_results_so_far_are_kept(self):
        document = {**self.LONG, "run": {**self.LONG["run"], "measure_s": 1, "repetitions": 3}}
        run, workers = self.start(document)
        later = []
        while run.poll() is None and not later:  # the second repetition has processes of its own
            later = [w for w in workers_of(run.pid) if w not in workers]
        time.sleep(0.3)
        os.kill(later[0], signal.SIGKILL)
        _, err = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 3, err)
        errors = [r["error"] for r in self.result()["runs"]]
        self.assertEqual(len(errors), 3)
        self.assertIsNone(errors[0])
        self.assertIn("signal 9", errors[1])
        self.assertIsNone(errors[2])

    def test_an_interrupt_ends_all(self):
        run, workers = self.start(self.LONG)
        time.sleep(0.5)
        os.kill(workers[0], signal.SIGINT)  # as from the terminal: not for them to heed
        time.sleep(0.3)
        self.assertEqual(len([w for w in workers if state_of(w) in ("R", "S")]), 2)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=5)
        self.assertEqual(run.returncode, 130, err)
        self.assert_gone(workers)

    def test_a_killed_run_leaves_no_process_not_even_a_stopped_one(self):
        # What a dead process leaves becomes ours, to see that nothing stays.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
        run, workers = self.start(self.LONG)
        time.sleep(0.5)
        os.kill(workers[1], signal.SIGSTOP)
        run.kill()
        run.communicate(timeout=5)
        for worker in workers:
            until = time.monotonic() + 5
            while time.monotonic() < until:
                if os.waitpid(worker, os.WNOHANG)[0] == worker:
                    break
                time.sleep(0.01)
            else:
                self.fail(f"process {worker} still is there: {state_of(worker)}")

    def test_a_worker_that_nobody_asked_for_says_so(self):
        run = mdp("worker", text_in="")
        self.assertEqual(run.returncode, 2)
        self.assertIn("mdp run", run.stderr)

    def test_what_cannot_be_split_is_refused(self):
        for peers, network, words in (
                (PAIR, {"links": {"default": {}}}, "virtual time is one process"),
                ({"client": {"processes": 2}, "server": {}}, None, "must not exceed the 1 peers")):
            document = scenario("netsim" if network else "socket", [flow()], peers)
            if network:
                document["network"] = network
            run = mdp("validate", "-", text_in=json.dumps(document))
            self.assertEqual(run.returncode, 2, run.stdout)
            self.assertIn("/peers/client/processes: ", run.stderr)
            self.assertIn(words, run.stderr)


if __name__ == "__main__":
    driver.main({"split": Measured, "broken": Failures})
