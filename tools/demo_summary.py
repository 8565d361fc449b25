"""Prints the simulator's digests found in result files, and checks that repeated runs agree.

A run of the simulator that was repeated to verify determinism has two digests; they must be equal.
Exit status 1: no result has a digest, none was repeated, or two of one run differ.
"""

import argparse
import glob
import json
import os
import sys


def digests_in(value, key=""):
    """Every text below a key that names a digest, in the order of the file."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from digests_in(inner, name if "digest" in name else key)
    elif isinstance(value, list):
        for inner in value:
            yield from digests_in(inner, key)
    elif key and isinstance(value, str):
        yield value


def results_below(folder):
    for path in sorted(glob.glob(os.path.join(folder, "**", "*.json"), recursive=True)):
        with open(path, encoding="utf-8") as stream:
            try:
                document = json.load(stream)
            except ValueError as error:
                raise SystemExit(f"{path}: not JSON: {error}") from error
        if isinstance(document, dict) and str(document.get("schema", "")).startswith("mdp-result/"):
            yield document


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--digests-only", action="store_true",
                        help="bare digests, to compare builds")
    parser.add_argument("folder")
    options = parser.parse_args()
    repeated, status = 0, 0
    for document in results_below(options.folder):
        for run in document.get("runs", []):
            found = list(digests_in(run))
            if not found:
                continue
            same = len(set(found)) == 1
            repeated += len(found) > 1
            status |= not same
            if options.digests_only:
                print(found[0])
            else:
                verdict = ("equal" if same else "DIFFERENT") if len(found) > 1 else "run once"
                print(f"    {document.get('scenario', '?')}, seed {run.get('seed', '?')}: "
                      f"{' '.join(found)}: {verdict}")
    if not repeated:
        print(f"{options.folder}: no run of the simulator was repeated", file=sys.stderr)
        status = 1
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
