#!/usr/bin/env python3
"""Instructions that the engine spends on one message, counted by callgrind.

Two runs that differ only in their number of rounds: what they have in common (start up, sessions,
first growth of tables) cancels out, so the figure repeats to the instruction on one build.

    tools/instructions.py [sizes|peers] [build/release/bin]

`sizes`: both engines of engine_bench, by payload. `peers`: the same of peers_bench, one message of
64 bytes to each of many peers in turn; minutes.
"""

import os
import re
import subprocess
import sys
import tempfile

# What, its program, and for each value of its parameter two numbers of rounds.
TABLES = {
    "sizes": ("engine_bench", {0: (300, 500), 64: (300, 500), 1200: (300, 500)}),
    "peers": ("peers_bench", {1: (2000, 4000), 1000: (2, 6), 100_000: (1, 2)}),
}


def run(program, rounds, value):
    with tempfile.NamedTemporaryFile() as out:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", program,
             "--rounds", str(rounds), str(value)],
            capture_output=True, text=True, check=True)
    messages = int(re.search(r"(\d+) messages", done.stdout).group(1))
    return messages, int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def main():
    what = sys.argv[1] if len(sys.argv) > 1 else "sizes"
    if what not in TABLES:
        sys.exit(__doc__)
    name, values = TABLES[what]
    program = os.path.join(sys.argv[2] if len(sys.argv) > 2 else "build/release/bin", name)
    unit = "bytes" if what == "sizes" else "peers"
    print(f"{unit:>7}  instructions a message (both engines, delivered-confirmed)")
    for value, counts in values.items():
        few, many = (run(program, rounds, value) for rounds in counts)
        print(f"{value:>7}  {(many[1] - few[1]) / (many[0] - few[0]):>8.1f}", flush=True)


if __name__ == "__main__":
    main()
