#!/usr/bin/env python3
"""docs/configuration.md holds the table that `mdp list config --format markdown` prints.

Exit codes: 0 current, 1 not. With --update it writes the table instead.
"""

import argparse
import pathlib
import subprocess
import sys

BEGIN, END = "<!-- begin of the generated table -->\n", "<!-- end of the generated table -->\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mdp", required=True)
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    table = subprocess.run([arguments.mdp, "list", "config", "--format", "markdown"], check=True,
                           capture_output=True, text=True).stdout
    path = arguments.source / "docs" / "configuration.md"
    page = path.read_text()
    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)
    wanted = head + BEGIN + table + END + tail
    if arguments.update:
        path.write_text(wanted)
    elif page != wanted:
        sys.exit(f"{path} is not current; run this with --update (its arguments: --mdp, --source)")


if __name__ == "__main__":
    main()
