"""Prints the sources of a compile_commands.json that lie in the tree, NUL-separated."""

import json
import os
import sys


def main():
    commands, root = sys.argv[1], os.path.realpath(sys.argv[2])
    with open(commands, encoding="utf-8") as stream:
        files = {os.path.realpath(entry["file"]) for entry in json.load(stream)}
    ours = sorted(f for f in files
                  if f.startswith(root + os.sep) and not f.startswith(os.path.join(root, "build")))
    sys.stdout.write("".join(f + "\0" for f in ours))
    return 0 if ours else 1


if __name__ == "__main__":
    sys.exit(main())
