"""The trace of a simulated run: it agrees with the event log and with the figures of the result,
changes nothing, and is drawn."""
import csv
import io
import os

import driver
from driver import in_tree, mdp
from measured import Measured

DROPPED = ("lost", "queue_full", "too_large", "no_carrier", "closed")


class Trace(Measured):
    # Few enough packets that all of them are listed; all drops are the full queue's.
    SHORT = ["--set", "run.warmup_s=0.2", "--set", "run.measure_s=0.5", "--set",
             "run.trace.from_s=0", "--set", "network.links.bottleneck.loss_pct=0"]

    def run_traced(self, name, *more):
        run = mdp("run", in_tree("scenarios/congestion_trace.json"), "-o", self.out(name),
                  *self.SHORT, *more)
        self.assertIn(run.returncode, (0, 1), run.stderr)  # the rate is that of a longer run
        (document,) = self.results(name)
        self.check_result_schema([document])
        return document["runs"][0], document["id"]

    def test_it_counts_what_the_event_log_and_the_result_count(self):
        run, point = self.run_traced("log", "--trace", "events", "--no-report")
        trace = run["trace"]
        packets = [dict(zip(trace["packets"], row)) for row in zip(*trace["packets"].values())]
        self.assertEqual(len(packets), trace["totals"]["sent"], "all are listed")
        self.assertGreater(trace["totals"]["dropped"], 20)
        log = mdp("events", os.path.join(self.out("log"), f"{point}.run0.events"))
        up = [e for e in csv.DictReader(io.StringIO(log.stdout)) if e["place"] == "client-0/up"]
        sent = [int(e["time_ns"]) for e in up if e["event"] in ("sent",) + DROPPED]
        dropped = [int(e["time_ns"]) for e in up if e["event"] in DROPPED]
        self.assertEqual([round(p["sent_us"] * 1000) for p in packets], sent)
        self.assertEqual([round(p["harmed_us"] * 1000) for p in packets if p["harmed_us"]],
                         dropped)
        self.assertEqual(trace["totals"]["dropped"], len(dropped))
        # Packets of fragments are confirmed or dropped, and none is both; small ones, with nothing
        # but acknowledgements, are not confirmed.
        for p in packets:
            self.assertTrue(p["confirmed_us"] is None or p["harmed_us"] is None, p)
            self.assertTrue(p["bytes"] < 1400 or p["confirmed_us"] or p["harmed_us"], p)
        # The result's figures are of the measured time.
        begin, end = trace["measured_from_us"], trace["measured_until_us"]
        self.assertEqual(
            sum(p["retransmission"] for p in packets if begin < p["sent_us"] <= end),
            run["packets"]["retransmitted"])
        self.assertEqual(
            sum(1 for p in packets if p["harmed_us"] and begin < p["harmed_us"] <= end),
            run["packets"]["dropped"])
        (queue,) = trace["queues"]
        self.assertEqual(queue["link"], "client-0/up")
        self.assertEqual(max(n for n in queue["most"] if n is not None), 50)
        self.assertGreater(max(trace["congestion"]["window_bytes"]), 100000)

    def test_watching_changes_nothing(self):
        seen, _ = self.run_traced("seen", "--no-report")
        self.assertGreater(seen["trace"]["totals"]["sent"], 0)
        # The repetition that proves determinism runs without the trace.
        self.assertEqual(seen["facts"]["digest"], seen["facts"]["digest_repeat"])

    def test_it_is_drawn(self):
        self.run_traced("drawn")
        with open(os.path.join(self.out("drawn"), "report.html")) as f:
            page = f.read()
        for title in ("What became of packets", "Fullest queues", "Congestion window"):
            self.assertIn(title, page)
        self.assertLess(len(page), 1_000_000)
        plots = os.listdir(os.path.join(self.out("drawn"), "plots"))
        for part in ("packets", "queues", "congestion"):
            for kind in ("svg", "png", "gp", "dat"):
                self.assertIn(f"congestion-trace-stream-trace0-{part}.{kind}", plots)

    def test_a_peer_that_sends_nothing_is_refused(self):
        run = mdp("validate", in_tree("scenarios/congestion_trace.json"), "--set",
                  "run.trace.peer=client-1")
        self.assertEqual(run.returncode, 2)
        self.assertIn('/run/trace/peer: no peer "client-1" sends; the first that does is '
                      '"client-0"', run.stderr)


if __name__ == "__main__":
    driver.main({"trace": Trace})
