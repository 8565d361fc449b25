"""The layout of C++ is clang-format's. Skipped where clang-format is absent."""

import shutil
import subprocess

import lint_common as lint


def main():
    root = lint.parse_root(__doc__)
    files = lint.code_files(root)
    if shutil.which("clang-format") is None:
        lint.skip("clang-format is not installed; ./dev check format installs it")
    findings = []
    for start in range(0, len(files), 20):
        run = subprocess.run(["clang-format", "--dry-run", "-Werror", *files[start:start + 20]],
                             cwd=root, capture_output=True, text=True, check=False)
        findings += [line for line in run.stderr.splitlines() if ": error:" in line]
        if run.returncode and not findings:
            findings.append(run.stderr.strip())
    lint.finish(findings)


if __name__ == "__main__":
    main()
