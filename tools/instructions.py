#!/usr/bin/env python3
"""Instructions that the engine spends on one message, counted by callgrind.

Two runs of engine_bench that differ only in their number of rounds: what they have in common (start
up, first growth of tables) cancels out, so the figure repeats to the instruction on one build.

    tools/instructions.py [build/release/bin/engine_bench]
"""

import re
import subprocess
import sys
import tempfile

ROUNDS = (300, 500)


def run(program, rounds, size):
    with tempfile.NamedTemporaryFile() as out:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", program,
             "--rounds", str(rounds), str(size)],
            capture_output=True, text=True, check=True)
    messages = int(re.search(r"(\d+) messages", done.stdout).group(1))
    return messages, int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "build/release/bin/engine_bench"
    print("bytes  instructions a message (both engines, delivered-confirmed)")
    for size in (0, 64, 1200):
        few, many = (run(program, rounds, size) for rounds in ROUNDS)
        print(f"{size:>5}  {(many[1] - few[1]) / (many[0] - few[0]):>8.1f}")


if __name__ == "__main__":
    main()
