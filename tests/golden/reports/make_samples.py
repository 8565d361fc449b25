"""Writes the sample results beside this file: invented figures, for the tests of the reports only.

Deterministic: the same files each time. Run it after a change, and look at the golden texts then.
"""

import json
import math
import os
import random

FOLDER = os.path.dirname(os.path.abspath(__file__))
QUANTILES = (50, 90, 99, 99.9, 99.99)
KERNEL = "6.1.0-sample"


def bucket(nanoseconds):
    """Upper end of the bucket of three significant digits."""
    shift = max(0, int(nanoseconds).bit_length() - 11)
    return ((int(nanoseconds) >> shift) + 1 << shift) - 1


def samples(rng, count, median_us, spread, floor_us=0.0, tail=0.002):
    for _ in range(count):
        stalled = rng.random() < tail
        body = rng.lognormvariate(math.log(median_us), spread * (3 if stalled else 1))
        yield floor_us + body * (4 if stalled else 1)


def latency(values_us):
    counts = {}
    for value in values_us:
        key = bucket(value * 1000)
        counts[key] = counts.get(key, 0) + 1
    ordered, total = sorted(counts.items()), len(values_us)
    out = {"count": total, "min_us": round(min(values_us), 3),
           "mean_us": round(sum(values_us) / total, 3), "max_us": round(max(values_us), 3)}
    for quantile in QUANTILES:
        rank, seen = math.ceil((quantile / 100 - 1e-9) * total), 0
        for value, count in ordered:
            seen += count
            if seen >= rank:
                break
        out[f"p{quantile:g}_us"] = value / 1000 if total - rank >= 10 else None
    out["hdr"] = {"unit": "ns", "digits": 3, "counts": [list(pair) for pair in ordered]}
    return out


def series(rng, intervals, per_interval, p99_us, losses):
    return {"interval_s": 0.1,
            "delivered": [round(per_interval * rng.uniform(0.95, 1.05)) for _ in range(intervals)],
            "retransmitted": [round(rng.expovariate(1 / losses)) if losses else 0
                              for _ in range(intervals)],
            "p99_us": [round(p99_us * rng.uniform(0.85, 1.3), 1) for _ in range(intervals)]}


def run(rng, index, rate, size, kind, values, losses=0, seconds=1.0, facts=None):
    count = round(rate * seconds)
    record = latency(values)
    intervals, p99_us = round(seconds * 10), record["p99_us"] or record["max_us"]
    return {
        "index": index, "order": index, "seed": 1 + index, "started": "2026-01-01T00:00:00Z",
        "placement": {"client": [0], "server": [1]},
        "offered": {"messages": count, "rate_per_s": None, "achieved_ratio": None},
        "messages": {"sent": count, "received": count, "delivered": count, "expired": 0,
                     "duplicated": 0, "rate_per_s": round(rate, 1)},
        "packets": {"sent": count * 2, "dropped": losses, "retransmitted": losses,
                    "retry_max": 1 if losses else 0, "delayed": 0},
        "bytes": {"payload_per_s": round(rate * size), "wire_per_s": round(rate * (size + 60))},
        "latency": {kind: record},
        "cpu": {"us_per_message": round(1e6 / rate * 1.6, 2),
                "context_switches_per_message": None, "syscalls_per_message": None},
        "series": series(rng, intervals, rate / 10, p99_us, losses / intervals),
        "facts": facts or {}}


def result(name, scenario, point, pattern, runs, asserts, status="ok", reasons=()):
    return name, {
        "schema": "mdp-result/1", "id": name, "scenario": scenario, "point": point,
        "status": status, "reasons": list(reasons),
        "build": {"version": "0.1.0", "git": "sample", "compiler": "g++ 12.2.0", "flags": "-O3",
                  "plugin_abi": 1},
        "host": {"cpu": "Sample CPU <invented>", "cores": 2, "virtual": None, "kernel": KERNEL,
                 "governor": None, "sysctl": {"net.core.rmem_max": 212992}},
        "config": {"name": scenario, "flows": [{"pattern": pattern, "size_bytes": 64}],
                   "compare": {"var": "transport", "baseline": "socket"},
                   "note": "sample data & <made> by \"make_samples.py\""},
        "runs": runs,
        "summary": {"messages.rate_per_s": {
            "median": runs[len(runs) // 2]["messages"]["rate_per_s"],
            "ci95": [runs[0]["messages"]["rate_per_s"], runs[-1]["messages"]["rate_per_s"]],
            "n": len(runs), "cv_pct": 2.1}} if runs else {},
        "asserts": asserts}


def quickstart():
    shapes = {("request_response", "socket"): (61000, "response", 900, 0.25),
              ("request_response", "io_uring"): (84000, "response", 640, 0.22),
              ("stream", "socket"): (182000, "delivered", 310, 0.3),
              ("stream", "io_uring"): (260000, "delivered", 205, 0.28)}
    for (pattern, transport), (rate, kind, median, spread) in shapes.items():
        rng = random.Random(f"{pattern} {transport}")
        runs = [run(rng, i, rate * factor, 64, kind,
                    list(samples(rng, 6000, median, spread)))
                for i, factor in enumerate((0.97, 1.0, 1.04))]
        asserts = [{"expect": "messages.duplicated == 0", "actual": 0, "pass": True},
                   {"expect": "messages.rate_per_s >= 1000", "actual": rate, "pass": True}]
        yield result(f"quickstart-{pattern}-{transport}", "quickstart",
                     {"pattern": pattern, "transport": transport}, pattern, runs, asserts)


def lossy_wan():
    rng = random.Random("wan")
    values = [v + (52000 if rng.random() < 0.0199 else 0)
              for v in samples(rng, 20000, 1200, 0.6, 50000, 0)]
    facts = {"clock": "virtual", "digest": "9c1f03a2b7d45e60", "digest_repeat": "9c1f03a2b7d45e60",
             "deterministic": "true", "dropped": ",".join(map(str, range(7, 9000, 40)))}
    runs = [run(rng, 0, 2000, 1200, "delivered", values, 203, 10.0, facts)]
    yield result("lossy-wan", "lossy-wan", {"loss_pct": 1, "transport": "netsim"}, "stream", runs,
                 [{"expect": "packets.retransmitted >= 1", "actual": 203, "pass": True}])


def troubled():
    """A result that has few figures, and one that has none."""
    rng = random.Random("few")
    few = run(rng, 0, 500, 64, "response", list(samples(rng, 900, 80, 0.3)))
    few["messages"]["rate_per_s"] = None
    few["bytes"]["payload_per_s"] = None
    few["packets"]["retransmitted"] = None
    few["series"]["p99_us"] = [None] * 4 + few["series"]["p99_us"][4:]
    yield result("few-figures", "troubled", {"size": 64}, "request_response", [few],
                 [{"expect": "latency.response.p99_us <= 50", "actual": None, "pass": False}],
                 "assert_failed", ["latency.response.p99_us <= 50: 171.5 <b>&</b>"])
    yield result("no-figures", "troubled", {"size": 9000}, "request_response", [], [], "failed",
                 ["peer server: port 7000 is in use; choose another with bind"])


def main():
    for make in (quickstart, lossy_wan, troubled):
        for name, document in make():
            with open(os.path.join(FOLDER, name + ".json"), "w", encoding="utf-8") as stream:
                json.dump(document, stream, separators=(",", ":"))
                stream.write("\n")


if __name__ == "__main__":
    main()
