"""Adds up CTest's JUnit files and ends with a plain line: "N passed, N failed[, N skipped]".

Exit status 0: at least one test ran and none failed. CTest writes a test whose executable is
missing as `notrun`, like a skipped one; here it counts as failed.
"""

import argparse
import collections
import os
import sys
import xml.etree.ElementTree as ElementTree


def classify(case):
    """passed, failed or skipped, and the reason for the latter two."""
    status = case.get("status", "")
    if status == "run":
        return "passed", ""
    skipped = case.find("skipped")
    reason = skipped.get("message", "") if skipped is not None else status
    if status == "disabled":
        return "skipped", "disabled"
    if status == "notrun" and reason.startswith("SKIP_"):
        return "skipped", said_why(case)
    return "failed", reason


def said_why(case):
    """The line of a skipped test's output that gives the reason."""
    lines = [line.strip() for line in (case.findtext("system-out") or "").splitlines()]
    for i, line in enumerate(lines):
        # GoogleTest prints "file:line: Skipped" and the message on the next line.
        if line.endswith(": Skipped") and i + 1 < len(lines) and lines[i + 1]:
            line = "SKIPPED: " + lines[i + 1].removeprefix("SKIPPED: ")
        if line.startswith("SKIPPED: "):
            return line.removeprefix("SKIPPED: ")
    return "no reason given"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ctest-status", type=int, default=0,
                        help="1 when ctest itself failed: then the run failed too")
    parser.add_argument("reports", nargs="+")
    options = parser.parse_args()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failures, skips = [], collections.defaultdict(list)
    for path in options.reports:
        if not os.path.exists(path):
            continue
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            outcome, reason = classify(case)
            counts[outcome] += 1
            # CTest shows the parameters of a GoogleTest behind its name.
            name = case.get("name", "").split("  # ")[0]
            if outcome == "skipped":
                skips[reason].append(name)
            elif outcome == "failed":
                failures.append(f"failed: {name}" + (f" ({reason})" if reason else ""))
    for reason, names in sorted(skips.items()):
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        print(f"skipped, {reason}: {names[0]}{more}")
    print("".join(line + "\n" for line in failures), end="")
    total = sum(counts.values())
    if total == 0:
        print("no test matched")
    elif options.ctest_status and not counts["failed"]:
        print("ctest failed although no test did: see its output above")
    closing = f"{counts['passed']} passed, {counts['failed']} failed"
    if counts["skipped"]:
        closing += f", {counts['skipped']} skipped"
    print(closing)
    return 1 if counts["failed"] or options.ctest_status or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
