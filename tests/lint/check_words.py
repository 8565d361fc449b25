"""No unfinished work and no place of somebody's machine in the text of the tree."""

import re

import lint_common as lint

FORBIDDEN = (
    (re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b"), "unfinished work; do it or file it as an issue"),
    (re.compile(r"\bnot (?:yet )?implemented\b", re.IGNORECASE), "do it or refuse it"),
    (re.compile(r"\bplaceholder\b", re.IGNORECASE), "put the real thing there"),
    (re.compile(r"(?<![\w.$}\-/])/(?:home|root|work|workspace|Users|mnt|srv)/[\w.\-]+"),
     "a path of one machine; make it relative"),
)
# These files are about the forbidden words.
ABOUT_WORDS = ("tests/lint/check_words.py", "tests/lint/selftest.py", "LICENSE")


def main():
    root = lint.parse_root(__doc__)
    findings = []
    for path in lint.walk(root):
        if path in ABOUT_WORDS or not lint.is_text(root, path):
            continue
        for number, line in enumerate(lint.read(root, path).splitlines(), 1):
            for pattern, remedy in FORBIDDEN:
                match = pattern.search(line)
                if match:
                    findings.append(f"{path}:{number}: '{match.group(0)}': {remedy}")
    lint.finish(findings)


if __name__ == "__main__":
    main()
