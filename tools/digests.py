"""Prints the digest of every simulated run in result files; repeated runs must agree.

A run that was repeated to verify determinism has the facts `digest` and `digest_repeat`.
Exit status 1: two of them differ, or none was repeated.
"""

import glob
import json
import os
import sys


def simulated_runs(folder):
    """(label, digest, digest of its repetition or None) of every simulated run, in fixed order."""
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(path, encoding="utf-8") as stream:
            document = json.load(stream)
        if not str(document.get("schema", "")).startswith("mdp-result/"):
            continue
        for run in document["runs"]:
            facts = run.get("facts") or {}
            if "digest" in facts:
                point = f"{document['scenario']} {document['id']}"
                label = f"{point} run {run.get('index', 0)}"
                yield label, facts["digest"], facts.get("digest_repeat")


def main():
    folder = sys.argv[1]
    repeated, different = 0, 0
    for label, digest, again in simulated_runs(folder):
        print(f"{label}: {digest}")
        repeated += again is not None
        if again not in (None, digest):
            print(f"{label}: digest {digest}, run again {again}: DIFFERENT", file=sys.stderr)
            different += 1
    if not repeated:
        print(f"{folder}: no simulated run was repeated", file=sys.stderr)
    return 1 if different or not repeated else 0


if __name__ == "__main__":
    sys.exit(main())
