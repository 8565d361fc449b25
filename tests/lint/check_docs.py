"""Links resolve, the changelog has an Unreleased section, every protocol rule has a test."""

import os
import re

import lint_common as lint

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
RULE = re.compile(r"\bR-[A-Z]+-\d+\b")
RULES_FILE = "docs/protocol.md"


def headings(text):
    """Anchors as web front ends make them from headings."""
    titles = re.findall(r"^#+\s+(.*?)\s*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def without_code(text):
    blank = lambda match: re.sub(r"[^\n]", " ", match.group(0))
    text = re.sub(r"^```.*?^```", blank, text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", blank, text)


def link_findings(root, path):
    text = without_code(lint.read(root, path))
    for match in LINK.finditer(text):
        target, _, anchor = match.group(1).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        line = lint.line_of(text, match.start())
        file = os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path
        if not os.path.exists(os.path.join(root, file)):
            yield f"{path}:{line}: broken link to '{target}'"
        elif anchor and file.endswith(".md") and anchor not in headings(lint.read(root, file)):
            yield f"{path}:{line}: '{file}' has no heading for '#{anchor}'"


def changelog_findings(root):
    if not os.path.exists(os.path.join(root, "CHANGELOG.md")):
        yield "CHANGELOG.md:1: missing"
    elif not re.search(r"^## \[?Unreleased\]?", lint.read(root, "CHANGELOG.md"), re.MULTILINE):
        yield "CHANGELOG.md:1: no '## [Unreleased]' section; add one"


def rule_findings(root):
    """Rules that no test cites, and rules that code or tests cite but nobody wrote."""
    if not os.path.exists(os.path.join(root, RULES_FILE)):
        return
    rules_text = lint.read(root, RULES_FILE)
    rules = set(RULE.findall(rules_text))
    tested = set()
    for path in lint.code_files(root):
        cited = set(RULE.findall(lint.read(root, path)))
        if path.startswith("tests/"):
            tested |= cited
        for rule in sorted(cited - rules):
            yield f"{path}:1: cites {rule}, which {RULES_FILE} does not have"
    for rule in sorted(rules - tested):
        yield (f"{RULES_FILE}:{lint.line_of(rules_text, rules_text.index(rule))}: "
               f"no test cites {rule}; name the rule in the test that holds it")


def main():
    root = lint.parse_root(__doc__)
    findings = [f for path in lint.walk(root, None, (".md",)) for f in link_findings(root, path)]
    findings += changelog_findings(root)
    findings += rule_findings(root)
    lint.finish(findings)


if __name__ == "__main__":
    main()
