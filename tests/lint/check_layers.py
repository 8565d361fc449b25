"""Includes follow docs/architecture.md: a file may include only components below its own."""

import os
import re

import lint_common as lint

# Component -> components whose headers it may include (closed under "below").
ALLOWED = {
    "base": set(),
    "buffer": {"base"},
    "wire": {"base", "buffer"},
    "metrics": {"base"},
    "engine": {"base", "buffer", "wire", "metrics"},
    "transport": {"base", "buffer"},
    "trace": {"base", "buffer", "wire", "transport"},
    "plugin": {"base", "buffer", "transport"},
    "messaging": {"base", "buffer", "transport", "metrics"},
    "runtime": {"base", "buffer", "wire", "engine", "transport", "metrics", "messaging"},
    "capi": {"base", "buffer", "transport", "plugin", "messaging", "runtime"},
    "workload": {"base", "buffer", "transport", "metrics", "messaging"},
    "scenario": {"base", "buffer", "transport", "trace", "plugin", "metrics", "messaging",
                 "workload"},
    "cli": {"base", "buffer", "transport", "trace", "plugin", "metrics", "messaging", "runtime",
            "workload", "scenario", "reports"},
    "transports": {"base", "buffer", "transport"},
    "netsim": {"base", "buffer", "transport"},
    "reports": {"base", "metrics"},
}
FRAMEWORK = set(ALLOWED) - {"transports", "netsim", "reports"}

# Third-party header (prefix) -> component folders that may include it.
THIRD_PARTY = {
    "nlohmann/": ("framework/src/plugin/", "framework/src/runtime/", "framework/src/scenario/",
                  "framework/src/cli/",
                  "reports/", "transports/", "netsim/", "tests/"),
    "boost/": ("framework/src/plugin/", "tests/", "transports/"),
    "boost/dll": ("framework/src/plugin/",),
    "CLI/": ("framework/src/cli/",),
    "concurrentqueue/": ("framework/src/runtime/",),
    "gnuplot-iostream": ("reports/",),
    "liburing": ("transports/io_uring/", "tests/bench/"),
    "gtest/": ("tests/",),
    "gmock/": ("tests/",),
    "rapidcheck": ("tests/",),
    "benchmark/": ("tests/",),
}

# Parts that must stay pure: no thread, no operating system, no clock.
PURE = ("engine", "wire", "netsim")
IMPURE_HEADER = re.compile(
    r"^(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token|"
    r"iostream|fstream|random|ctime|time\.h|unistd\.h|pthread\.h|sys/.*|netinet/.*|arpa/.*|"
    r"linux/.*)$")
# wake() may come from any thread, also in the simulator; it is not on the event path.
ALLOWED_ANYWAY = {("netsim", "mutex")}
CLOCK = re.compile(
    r"\b(?:\w+_clock::now|clock_gettime|gettimeofday|std::time|std::clock|nanosleep|usleep)\s*\(")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
# Tests and examples may include anything.
FREE = ("tests/", "examples/")


def component_of(path):
    parts = path.split(os.sep)
    if path.startswith("framework/include/mdp/") and len(parts) > 4:
        return parts[3]
    if path.startswith("framework/src/") and len(parts) > 3:
        return parts[2]
    return parts[0] if parts[0] in ("transports", "netsim", "reports") else None


def target_component(root, path, included):
    """The component that an include directive names, or None for a system or third-party header."""
    if os.path.exists(os.path.join(root, os.path.dirname(path), included)):
        return component_of(os.path.normpath(os.path.join(os.path.dirname(path), included)))
    parts = included.split("/")
    if parts[0] == "mdp" and len(parts) > 2:
        return parts[1]
    if parts[0] in ("transports", "netsim", "reports"):
        return parts[0]
    return parts[0] if len(parts) > 1 and parts[0] in FRAMEWORK else None


def third_party_findings(path, line, included):
    # The longest prefix decides: boost/dll is stricter than boost/.
    prefixes = [p for p in THIRD_PARTY if included.startswith(p)]
    if prefixes and not path.startswith(THIRD_PARTY[max(prefixes, key=len)]):
        allowed = ", ".join(THIRD_PARTY[max(prefixes, key=len)])
        yield f"{path}:{line}: <{included}> may only be included below {allowed}"


def plugin_of(path):
    return path.split("/")[1] if path.startswith("transports/") and path.count("/") > 1 else None


def sibling_findings(path, line, included):
    """A transport plugin includes its own files and transports/common, no other plugin's."""
    own, other = plugin_of(path), plugin_of(included)
    if own and other and other not in (own, "common"):
        yield f"{path}:{line}: transports/{own} includes transports/{other}; share through common"


def impure(component, included):
    return IMPURE_HEADER.match(included) and (component, included) not in ALLOWED_ANYWAY


def include_findings(root, path, text, component):
    for match in INCLUDE.finditer(text):
        line, included = lint.line_of(text, match.start()), match.group(2)
        yield from third_party_findings(path, line, included)
        yield from sibling_findings(path, line, included)
        if component in PURE and impure(component, included):
            yield f"{path}:{line}: {component} is pure and may not include <{included}>"
        target = target_component(root, path, included)
        if target in (None, component):
            continue
        if target not in ALLOWED:
            yield f"{path}:{line}: unknown component '{target}'; see tests/lint/check_layers.py"
        elif target not in ALLOWED[component]:
            yield (f"{path}:{line}: {component} may not include {target} (\"{included}\"): "
                   "see the directions in docs/architecture.md")


def findings_in(root, path):
    if path.startswith(FREE):
        return
    text, component = lint.read(root, path), component_of(path)
    if component not in ALLOWED:
        yield f"{path}:1: belongs to no known component; see tests/lint/check_layers.py"
        return
    yield from include_findings(root, path, text, component)
    if component in PURE:
        for match in CLOCK.finditer(text):
            yield (f"{path}:{lint.line_of(text, match.start())}: {component} may not read a clock "
                   f"({match.group(0)}…); time is handed in")


def main():
    root = lint.parse_root(__doc__)
    lint.finish([f for path in lint.code_files(root) for f in findings_in(root, path)])


if __name__ == "__main__":
    main()
