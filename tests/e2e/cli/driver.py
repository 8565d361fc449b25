"""What the tests that drive `mdp` from outside share: the program, the tree, one group a call."""
import argparse
import os
import re
import subprocess
import sys
import unittest

MDP = ""     # the program
SOURCE = ""  # the tree
SKIPPED = 77


def mdp(*arguments, text_in=None, env=None, cwd=None):
    return subprocess.run([MDP, *arguments], input=text_in, capture_output=True, text=True,
                          timeout=250, env=env, cwd=cwd)


def in_tree(path):
    return os.path.join(SOURCE, path)


def scenario_files():
    folder = in_tree("scenarios")
    return [os.path.join(folder, f) for f in sorted(os.listdir(folder))
            if f.endswith(".json") and not f.endswith(".schema.json")]


def without_comments(text):
    return re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda m: m.group(1) or " ", text,
                  flags=re.S)


def main(groups):
    """Runs the test case of the group that the command line names."""
    global MDP, SOURCE
    parser = argparse.ArgumentParser()
    parser.add_argument("group", choices=groups)
    parser.add_argument("--mdp", required=True)
    parser.add_argument("--source", required=True)
    chosen = parser.parse_args()
    MDP, SOURCE = chosen.mdp, chosen.source
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(groups[chosen.group])
    outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    if outcome.skipped and len(outcome.skipped) == outcome.testsRun:
        print("SKIPPED: " + outcome.skipped[0][1])
        sys.exit(SKIPPED)
    sys.exit(0 if outcome.wasSuccessful() else 1)
