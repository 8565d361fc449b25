"""Files stay small: 400 lines noted, 800 refused; headers 300; lines 100 columns.

Functions are measured by clang-tidy (readability-function-size).
"""

import os

import lint_common as lint

LINES_SOFT, LINES_HARD, HEADER_LINES, COLUMNS = 400, 800, 300, 100
SUFFIXES = (".cpp", ".hpp", ".py", ".sh", ".cmake")
NAMES = ("CMakeLists.txt", "dev", "run")


def main():
    root = lint.parse_root(__doc__)
    findings, notes = [], []
    for path in lint.walk(root, None, SUFFIXES, NAMES):
        lines = lint.read(root, path).splitlines()
        limit = HEADER_LINES if path.endswith(".hpp") else LINES_HARD
        if len(lines) > limit:
            findings.append(f"{path}:{limit + 1}: {len(lines)} lines, at most {limit}; split it")
        elif len(lines) > LINES_SOFT:
            notes.append(f"{path}: {len(lines)} lines; more than {LINES_SOFT} asks for a split")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                findings.append(f"{path}:{number}: {len(line)} columns, at most {COLUMNS}")
    for script in ("dev", os.path.join(".ci", "run")):
        full = os.path.join(root, script)
        if os.path.exists(full) and not os.access(full, os.X_OK):
            findings.append(f"{script}:1: not executable; run: chmod +x {script}")
    lint.finish(findings, notes)


if __name__ == "__main__":
    main()
