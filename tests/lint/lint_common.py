"""What the lint scripts share: walking the tree, reading files, reporting.

A lint is `check_<name>.py [--root DIR]`. It prints findings, one a line: `file:line: what, and
what to do`. Exit status 0: clean, 1: findings, 77: skipped (CTest's SKIP_RETURN_CODE) after a line
"SKIPPED: reason".
"""

import argparse
import os
import sys

SKIPPED = 77
# Made by tools or builds, never written by hand.
LEFT_OUT = {".git", "build", "results", "__pycache__", "node_modules", ".cache", ".vscode", ".idea"}
CODE = (".cpp", ".hpp")
CODE_FOLDERS = ("framework", "transports", "netsim", "reports", "tests", "examples")


def default_root():
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def parse_root(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", default=default_root(), help="top of the tree to check")
    return os.path.abspath(parser.parse_args().root)


def walk(root, folders=None, suffixes=None, names=()):
    """Relative paths of the files below `root` (or below some of its folders), sorted."""
    found = []
    for start in folders or ["."]:
        for directory, inner, files in os.walk(os.path.join(root, start)):
            inner[:] = [d for d in inner if d not in LEFT_OUT]
            for name in (f for f in files if f not in LEFT_OUT):  # .git is a file in a worktree
                if suffixes is None or name.endswith(tuple(suffixes)) or name in names:
                    found.append(os.path.relpath(os.path.join(directory, name), root))
    return sorted(found)


def code_files(root):
    return walk(root, CODE_FOLDERS, CODE)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as stream:
        return stream.read()


def is_text(root, path):
    with open(os.path.join(root, path), "rb") as stream:
        return b"\0" not in stream.read(4096)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def finish(findings, notes=()):
    for note in notes:
        print(f"note: {note}")
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} finding(s)")
    sys.exit(1 if findings else 0)


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)
